#pragma once
/* Events about things that are no findings: scores, controls, plans, freshness, visibility. The
 * last value an event was made of is kept in watch_value; written only when an event is made or the
 * reference moves. Evaluator only, inside a transaction.
 *
 *   score.dropped     ratio below the highest of the last 24 h by at least score_drop (ratio)
 *   score.recovered   back to within half of that drop
 *   control.regressed a control lost points while its resources stayed
 *   plan.disabled     a plan that was on is off, or Servers Plan 2 became Plan 1; never because of
 *                     a row that is missing
 *   remediation.failed  a deployment of a remediation task failed; not those of the first look,
 *                     nor twice while Azure lists the task
 *   ruler.changed     Azure tells of no grouped, or of no individual, recommendations any more
 *   data.stale        a collector is older than max staleness, or a subscription that was visible
 *                     is denied or carried; once until data.recovered */
#include "alerts/ledger/event.h"
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"

struct watch_config {
    double score_drop; /* ratio 0-1; default 0.01 */
};

/* What is watched, each without the others. */
enum watch_kind {
    WATCH_SCORES,
    WATCH_FRESHNESS,
    WATCH_SUBSCRIPTIONS,
    WATCH_MODELS,
    WATCH_PLANS,
    WATCH_REMEDIATIONS,
    WATCH_KIND_COUNT
};

/* Compare with the snapshot, and append the events. On false: undo, events too. */
bool watch_advance(struct database *database, const struct watch_config *config,
                   enum watch_kind kind, const struct snapshot *snapshot, int64_t now,
                   struct event_list *events, struct error *error) MUST_USE;
