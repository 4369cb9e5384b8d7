#pragma once
/* A lane: the way to one receiver and one of its targets. It sends what is due there, one message
 * after the other, on a thread, connection and database handle of its own. */
#include "alerts/notify/settings.h"

struct lane;
struct outbox_figures;

struct lane_config {
    const char *database_path, *receiver;
    int target;
    struct metric_store *metrics; /* both outlive it */
    struct outbox_figures *figures;
};

/* Everything is copied. lane_configure before anything else. */
struct lane *lane_create(const struct lane_config *config) MUST_USE;
void lane_destroy(struct lane *lane); /* NULL is fine */

const char *lane_receiver(const struct lane *lane);
int lane_target(const struct lane *lane);

/* Use these settings from the next attempt on. A stop after a 410 ends, a pause only when they are
 * others than before. settings: acquired; they have the receiver. Any thread. */
void lane_configure(struct lane *lane, struct settings *settings);

void lane_start(struct lane *lane);
void lane_wake(struct lane *lane);

/* Begin no other attempt. lane_stop joins: an attempt in flight may end until the deadline
 * (clock_monotonic_ms), then it is cancelled and its message stays queued. */
void lane_quit(struct lane *lane);
void lane_stop(struct lane *lane, int64_t deadline_ms);

/* Do one step at this time: true when something was done and more may be due; else *next_at is when
 * to come again, 0 = nothing is queued. The lane's thread, or tests while it is not started. */
bool lane_step(struct lane *lane, int64_t now, int64_t *next_at);

/* Live in the metric store, declared by lane_configure:
 * defender_exporter_notifications_total (receiver, integration), _notifications_failed_total
 * (.., reason), _notification_recipients_refused_total (receiver), _notification_latency_seconds,
 * _notification_age_seconds (integration), _notification_last_success_timestamp_seconds (receiver).
 */
extern const struct family *const lane_families[];
