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
 * One that brings rows still may have lost the right to be read while the run went on, between two
 * of its queries or pages. So where all rows of a query went, or most of five and more, its table
 * has to show it, too; for one run, for who may read some of a subscription only is never shown.
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
    bool *torn; /* the same: it has rows, much is gone, and the table of that does not show it */
};

/* Count a row of a query, after it was folded. place: where its subscription is, kept from row to
 * row; of the first one 0. */
void none_count(struct part *part, const struct query *query, size_t index, const struct json *row,
                size_t *place);

/* At most one request a table, and none where nothing is doubted. Fails no run. */
void none_prove(struct none *none, const struct none_run *run, struct arm_session *session);
void none_finish(struct none *none);
