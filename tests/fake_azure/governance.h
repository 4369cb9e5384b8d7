#pragma once
/* Governance assignments: nobody is assigned anything but what the tests say.
 * source: Microsoft.Security governanceAssignments, 2022-01-01-preview. */
#include "tenant.h"

struct assignment {
    char *id;         /* of the assignment */
    char *assessment; /* as it was given */
    char *owner, *due;
    bool grace;
};

/* A rule with one condition. */
struct governance_rule {
    char *subscription, *title, *property, *value, *owner;
    int64_t priority;
};

/* Add a rule; texts are copied. */
void governance_rule(struct tenant *tenant, const struct governance_rule *rule);

/* Assign an assessment to somebody, or to nobody: owner and due NULL. */
void governance_set(struct tenant *tenant, const char *assessment, const char *owner,
                    const char *due, bool grace);
void governance_finish(struct tenant *tenant);
