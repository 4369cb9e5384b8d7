#pragma once
/* Whether "none" is true. Azure answers what may not be read as it answers what is not there: with
 * no rows and success. So an answer that is suddenly empty is doubted. But the last exemption does
 * go one day, and it is believed at once
 * - of a list of a subscription: who may not read it is told so;
 * - of Resource Graph, where the same table shows the subscription right after that answer: a row
 *   that hangs on the subscription itself, which nobody sees who may only read some of it.
 * Only of queries that say that none is ordinary. Whatever cannot be asked is doubted as before.
 * A subscription without rows that its tables do not show at all is silent: whatever is asked, and
 * however often, nothing is concluded from that. So are those of which a first run finds no rows:
 * nobody knows what was there before the program was started.
 * And what of several subscriptions goes at once is doubted all the same: who fixes things does so
 * here and there, while Resource Graph may lose all rows of a kind and show the others. */
#include "collectors/azure/arm.h"
#include "collectors/collector.h"

/* What a run brought. */
struct none_run {
    const struct part *part, *older; /* older: NULL = there is none */
    const struct variant *variant;
    const struct snapshot *snapshot;
    const bool *broken; /* beside the known subscriptions: its list failed */
    const size_t *rows,
        *before; /* by query: that came now, and in the last run that was believed */
};

struct none {
    bool queries[COLLECTOR_QUERIES_MAX]; /* that it brought nothing is true */
    bool lost[COLLECTOR_QUERIES_MAX];    /* all its rows of several subscriptions went at once */
    bool *subscriptions;                 /* beside the known ones: the same of what is theirs */
    bool *silent;                        /* the same: it has no rows, and its tables show nothing */
};

/* Count a row of a query, after it was folded. */
void none_count(struct part *part, const struct query *query, size_t index, const struct json *row);

/* At most one request a table, and none where nothing is doubted. Fails no run. */
void none_prove(struct none *none, const struct none_run *run, struct arm_session *session);
void none_finish(struct none *none);
