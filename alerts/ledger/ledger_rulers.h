#pragma once
/* What Microsoft changes: a recommendation that was never seen and is open all over at once is one
 * event, and its findings are quiet. Individual recommendations come and go by the thousand: of
 * them a category is what is new. */
#include "alerts/ledger/ledger_merge.h"

struct ledger_rulers {
    const struct ledger *ledger;
    const struct ledger_source *source; /* what is known of the source of the part */
    const struct snapshot *snapshot;
    const struct part *part;
    const bool *carried; /* by number of the subscription in part->strings: its rows are old */
    const bool *fresh;   /* likewise: it is adopted now, and no recommendation new for its sake */
    const bool *moved;   /* by place in part->findings: of a new version of its baseline; or NULL */
    int64_t now;
    struct event_list *events;
};

/* Under what a finding's recommendation is new: its key, or its category. */
const char *ledger_rulers_key(enum finding_model model, const char *assessment_id,
                              const char *category);

/* Whether any finding of a recommendation's key, or of an individual one's category, was ever open.
 */
bool ledger_rulers_is_known(const struct ledger_source *source, const char *key);

/* Append and record the events. ruled: by place in part->assessments, false before: set where a
 * finding that opens is one of an event. */
bool ledger_rulers_add(const struct ledger_rulers *rulers, bool *ruled,
                       struct error *error) MUST_USE;
