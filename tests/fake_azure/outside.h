#pragma once
/* What the tenant has outside Azure (--multicloud): AWS, GCP, GitHub and Azure DevOps, each below
 * connectors of its subscriptions, with the names and native ids of its own cloud. */
#include "tenant.h"

bool outside_is(enum kind kind);

/* The ARM id below the connector. */
const char *outside_id(const struct resource *resource, const struct subscription *subscription,
                       struct arena *texts);

/* What a row says of it besides; "" where its kind does not. */
struct outside {
    const char *source; /* in the casings Azure really uses */
    const char *native_id, *account, *name, *region, *provider, *type;
};
void outside_describe(const struct resource *resource, const struct subscription *subscription,
                      struct arena *scratch, struct outside *out);

/* Find the connectors of the resources, and the order of all scopes: of every subscription itself,
 * then of its connectors. */
void outside_connect(struct tenant *tenant);
void outside_finish(struct tenant *tenant);

/* The environment of a connector's score, as Azure spells it there. */
const char *outside_environment(const struct connector *connector);
