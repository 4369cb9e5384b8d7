#pragma once
/* Names for routing that an alert has besides what its finding or event tells: labels that describe
 * it, change with the names in Azure, and identify nothing. What else is to be known of an alert
 * when it is routed is added here. Pure. */
#include "alerts/rules/alert.h"
#include "alerts/rules/tag_labels.h"
#include "collectors/snapshot/snapshot.h"

/* subscription_name, management_group, control (of the secure score); ends with NULL. Those of tags
 * and of the owner are the operator's. */
extern const char *const attribute_labels[];

/* What is known in one evaluation. */
struct attribute_names {
    const struct snapshot *snapshot; /* NULL = nothing is known */
    const struct tag_labels *tags;   /* NULL = none */
};

/* Set those that are known now; the others stay as they are. finding: NULL = it is about none.
 * Their texts are the snapshot's. Returns which tags are known for certain, also to be absent: a
 * bit each. */
unsigned attribute_put(const struct attribute_names *names, const struct finding *finding,
                       struct alert *alert);
