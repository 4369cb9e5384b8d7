#pragma once
/* What is remembered of one recommendation: its exempted findings, what happened week by week, who
 * was told. Found by indexes; any thread with its own database handle. */
#include "alerts/ledger/ledger.h"

/* One that is exempted; until the visitor returns. */
struct ledger_of_exempted {
    struct finding finding;
    int64_t since_at; /* when it ended by that */
};
typedef void ledger_of_visit(void *context, const struct ledger_of_exempted *exempted);

/* Visit at most `limit` of those that are exempted now, lately ones first; *count: how many there
 * are. Those of sources nobody knows any more are passed over. */
bool ledger_of_exempted(struct database *database, const struct source_list *sources,
                        const char *assessment_id, int64_t limit, ledger_of_visit *visit,
                        void *context, int64_t *count, struct error *error) MUST_USE;

/* Fill in `count` weeks from an instant on: findings that opened (again), and that were fixed.
 * What was open when it was first looked at is no news. */
struct ledger_of_week {
    int64_t opened, fixed;
};
bool ledger_of_weeks(struct database *database, const char *assessment_id, int64_t from,
                     struct ledger_of_week *weeks, size_t count, struct error *error) MUST_USE;

/* Visit the receivers that accepted messages about it, of those that are remembered, by name. */
struct ledger_of_told {
    const char *receiver, *last; /* id of the last message */
    int64_t messages, told_at;
};
typedef void ledger_of_told_visit(void *context, const struct ledger_of_told *told);
bool ledger_of_told(struct database *database, const char *assessment_id,
                    ledger_of_told_visit *visit, void *context, struct error *error) MUST_USE;
