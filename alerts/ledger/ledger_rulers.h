#pragma once
/* What Microsoft changes: a recommendation that was never seen, not even where all is well, and is
 * open all over at once is one event, and its findings are quiet. Individual recommendations come
 * and go by the thousand: of them a category is what is new. */
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

/* Remember what rows of the part told of, open or not, or what a catalogue lists. What is beyond
 * LEDGER_SEEN_MAX is not remembered, and from then on nothing is new. */
bool ledger_rulers_learn(struct ledger *ledger, const struct source *of, const struct part *part,
                         struct error *error) MUST_USE;

/* Append and record the events. ruled: by place in part->assessments, false before: set where a
 * finding that opens is one of an event. */
bool ledger_rulers_add(const struct ledger_rulers *rulers, bool *ruled,
                       struct error *error) MUST_USE;
