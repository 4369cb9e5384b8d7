#pragma once
/* Defender plans of subscriptions: Servers Plan 2 and CSPM as the tenant has them, the others as
 * drawn. source: the REST API of Microsoft.Security, pricings 2024-01-01. */
#include "core/json.h"
#include "tenant.h"

enum { PLANS_COUNT = 16 };

/* Turn a plan (name in any case) on or off; false when there is no such plan. */
bool plans_turn(struct subscription *subscription, const char *name, bool on);

/* One as its list has it in this api-version. */
void plans_write(const struct tenant *tenant, size_t subscription, size_t plan, const char *version,
                 struct json_writer *writer);

/* The facts, for tests. */
void plans_dump(const struct tenant *tenant, size_t subscription, struct json_writer *writer);
