#pragma once
/* The figures of the outbox, kept in memory: telling them asks no database and waits for nobody who
 * delivers or decides. A thread counts anew when anybody has committed, another process too: as
 * soon as a lane or the evaluator says so, and after a second at most. */
#include "core/error.h"
#include "core/metric.h"

struct outbox_figures;

/* Nothing is told before the first count. */
struct outbox_figures *outbox_figures_create(const char *database_path) MUST_USE;
void outbox_figures_destroy(struct outbox_figures *figures); /* NULL is fine */

/* Which receivers there are (NULL-terminated, copied) and the limit of outbox_bytes. Any thread. */
void outbox_figures_configure(struct outbox_figures *figures, const char *const *receivers,
                              int64_t max_bytes);

/* So many more or fewer messages of a receiver are in flight. Any thread. */
void outbox_figures_inflight(struct outbox_figures *figures, const char *receiver, int64_t delta);

/* Count, if anybody has committed since the last time. On an error the figures stay as they are.
 * The figures' own thread, or others while it is not started. */
bool outbox_figures_count(struct outbox_figures *figures, struct error *error) MUST_USE;

/* Start and stop the thread that counts. */
void outbox_figures_start(struct outbox_figures *figures);
void outbox_figures_stop(struct outbox_figures *figures);

/* Somebody has committed. Does nothing unless started; any thread. */
void outbox_figures_wake(struct outbox_figures *figures);

/* Append defender_exporter_outbox_messages, _oldest_timestamp_seconds, _bytes, _max_bytes: each
 * receiver with zeros; those that are gone appear while they have messages. Any thread. */
void outbox_figures_emit(struct outbox_figures *figures, struct metric_set *set);
extern const struct family *const outbox_figures_families[];
