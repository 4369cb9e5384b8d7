#pragma once
/* What Defender's recommendations mean: title, severity, effort, how to fix; by assessment key. */
#include "collectors/snapshot/snapshot.h"

struct catalogue_entry {
    const char *id; /* assessment key, lower case */
    const char *title, *description, *remediation; /* HTML as Azure writes it; "" when unknown */
    const char *categories, *threats;              /* joined with "," */
    const char *effort, *user_impact, *assessment_type, *planned_deprecation;
    const char *policy_id; /* Azure Policy definition behind it, lower case; "" when unknown */
    enum severity severity;
    bool preview;
};

/* The entry of a key (lower case), or NULL when the tenant's catalogue does not know it.
 * tenant: NULL = any. */
const struct catalogue_entry *catalogue_find(const struct snapshot *snapshot, const char *tenant,
                                             const char *id);

/* The tenant's catalogue, when it has come whole: what it does not know then is retired. Else NULL.
 * Its part->known are the keys it lists. */
const struct part *catalogue_complete(const struct snapshot *snapshot, const char *tenant);

/* Whether it is Microsoft's, not one a customer or a partner made. */
bool catalogue_is_built_in(const struct catalogue_entry *entry);
