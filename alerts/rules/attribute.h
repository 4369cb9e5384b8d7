#pragma once
/* Names for routing that an alert has besides what its finding or event tells: labels that describe
 * it, change with the names in Azure, and identify nothing. What else is to be known of an alert
 * when it is routed is added here. Pure. */
#include "alerts/rules/alert.h"
#include "collectors/snapshot/snapshot.h"

/* subscription_name, management_group, control (of the secure score); ends with NULL. */
extern const char *const attribute_labels[];

/* Set those that are known now; the others stay as they are. finding: NULL = it is about none.
 * Their texts are the snapshot's; snapshot: NULL = nothing is known. */
void attribute_put(const struct snapshot *snapshot, const struct finding *finding,
                   struct alert *alert);
