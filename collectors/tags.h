#pragma once
/* The tags the operator lists, of every resource, resource group and subscription that has one. A
 * tagged resource costs 12 bytes: a hash of its id and the number of its set of values. */
#include "collectors/snapshot/snapshot.h"

enum { TAGS_MAX = 8 }; /* that may be listed */

/* What has the tags; in lower case unless it says otherwise. */
struct tags_subject {
    const char *subscription_id;
    const char *resource_id; /* "" = the subscription itself */
};

/* Add a tag to a part of the collector that is not finished; ids and the name may have any case.
 * asked: all that are asked for, ends with NULL; one that is not among them is left out. */
void tags_add(struct part *part, const char *const *asked, const struct tags_subject *subject,
              const char *name, const char *value);

/* The value a tag (any case) has on the resource, else on its resource group, else on its
 * subscription; "" = none is known. *known: it was read now. Otherwise the tag was not asked for, a
 * row could not be read, or the subscription cannot be: the value is that of the last time, and ""
 * says nothing. It lives as long as the snapshot. */
const char *tags_value(const struct snapshot *snapshot, const struct tags_subject *subject,
                       const char *tag, bool *known);
