#pragma once
/* Names that look like those of a company's tenant. */
#include "tenant.h"

void names_subscription(struct subscription *subscription, size_t number, struct arena *texts);

/* The ARM id of a resource, in the casings Azure really uses. */
const char *names_resource(const struct resource *resource, const struct subscription *subscription,
                           struct arena *texts);

/* The name of management group `number`; NULL behind the last. */
const char *names_management_group(int number);
