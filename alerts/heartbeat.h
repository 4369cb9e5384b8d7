#pragma once
/* The heartbeat for a dead-man's switch: a GET of a URL, or a notification of event `heartbeat` to
 * a receiver, as long as evaluations succeed and the data is fresh. It is sent from a thread of its
 * own and never queued: an old beat would be a lie. */
#include "alerts/evaluator.h"

struct heartbeat;

/* settings: acquired. NULL when none is configured. */
struct heartbeat *heartbeat_start(struct settings *settings, struct evaluator *evaluator,
                                  struct snapshot_store *snapshots, struct metric_store *metrics);
void heartbeat_stop(struct heartbeat *heartbeat); /* NULL is fine */

/* Why no beat is due now, or NULL. Pure. */
const char *heartbeat_problem(const struct snapshot *snapshot, int64_t evaluated_at, int64_t now);

/* Live in the metric store: defender_exporter_heartbeats_total, _failed_total (reason). */
extern const struct family *const heartbeat_families[];
