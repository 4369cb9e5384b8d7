#pragma once
/* Policy exemptions: there are none but those the tests make.
 * source: Azure Policy, "Azure Policy exemption structure". */
#include "tenant.h"

/* One of a policy of the default initiative. */
struct exemption {
    const char *scope, *policy, *category, *expires, *reason, *requester, *approver;
    size_t number; /* in the order they were made */
};

/* Add one; texts are copied. */
void exemptions_add(struct tenant *tenant, const struct exemption *exemption);
void exemptions_finish(struct tenant *tenant);
