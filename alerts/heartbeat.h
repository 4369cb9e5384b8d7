#pragma once
/* The heartbeat for a dead-man's switch: a GET of a URL, or a notification of event `heartbeat` to
 * a receiver, as long as evaluations succeed and the data is fresh. It is sent from a thread of its
 * own and never queued: an old beat would be a lie.
 *
 * While nothing can be decided there is no beat. A receiver is told so, once when it begins and
 * once when it is over, without the database; a quarter of an hour lies between two such alarms. */
#include "alerts/evaluator.h"

struct heartbeat;

/* Whether its receiver was told that nothing can be decided, and when. Zeroed = it was not. */
struct heartbeat_told {
    bool trouble;
    int64_t at;
};

/* settings: acquired. told: borrowed, used by one heartbeat at a time, outlives a reload. NULL when
 * none is configured. */
struct heartbeat *heartbeat_start(struct settings *settings, struct evaluator *evaluator,
                                  struct snapshot_store *snapshots, struct metric_store *metrics,
                                  struct heartbeat_told *told);
void heartbeat_stop(struct heartbeat *heartbeat); /* NULL is fine */

/* Why no beat is due now, or NULL. Pure. */
const char *heartbeat_problem(const struct snapshot *snapshot, int64_t evaluated_at, int64_t now);

/* Live in the metric store: defender_exporter_heartbeats_total, _failed_total (reason). */
extern const struct family *const heartbeat_families[];
