#pragma once
/* Governance assignments of Defender for Cloud: who is to fix a finding, and until when. An
 * assignment costs 28 bytes, in blocks of a subscription each. */
#include "collectors/snapshot/snapshot.h"

/* The assignment of a finding. */
struct governance {
    const char
        *owner;     /* a mail address or user name, "" = not specified; as long as the snapshot */
    int64_t due_at; /* the last second of its day in UTC, 0 = it has no date: due today is in
                       time. source: the portal's own query, which looks at days */
    bool grace;     /* until then it does not lower the secure score */
};

/* What is known of the assignment of a finding; subscription_id in lower case. all zero and "" when
 * it has none. *known: that was read now. Otherwise the subscription could not be, or a row of it:
 * what is told is that of the last time, and nothing says nothing. Where no such source is on, it
 * is known that there are none. */
void governance_find(const struct snapshot *snapshot, const char *subscription_id,
                     const struct finding_id *finding, struct governance *found, bool *known);

/* The name of the rule that assigns a finding to this owner, "" = not known; as long as the
 * snapshot. governance_rules.h says how it is worked out. */
const char *governance_rule(const struct snapshot *snapshot, const struct finding *finding,
                            const char *owner);

/* A number for all that governance_find would answer: the same as long as that is the same. */
uint64_t governance_generation(const struct snapshot *snapshot);
