#pragma once
/* Fire drill and `test receiver`: a made-up notification, marked [TEST] and "test": true, over the
 * same path as a real one. */
#include "alerts/notify/delivery.h"
#include "alerts/notify/group.h"

enum { DRILL_LASTS_S = 600 }; /* from a drill's notification to its resolve */

/* A firing notification about an invented finding, or its resolve; every field is filled, so that a
 * person sees what a notification looks like. Texts go to the arena. Two drills differ in their
 * started_at. */
void drill_notification(const struct settings *settings, const char *receiver,
                        enum notification_status status, int64_t started_at, int64_t now,
                        struct arena *arena, struct notification *notification);

/* The notification of a heartbeat. */
void drill_beat(const struct settings *settings, const char *receiver, int64_t now,
                struct arena *arena, struct notification *notification);

/* The notification that nothing can be decided since an instant, and why; or its resolve. */
void drill_alarm(const struct settings *settings, const char *receiver,
                 enum notification_status status, const char *why, int64_t started_at, int64_t now,
                 struct arena *arena, struct notification *notification);

/* Queue a drill to every receiver of `alerts.drill` when it is due, and its resolve later. The
 * first drill comes one interval after the first start. In the evaluator's transaction; the
 * instants of the last drill are kept in the store. */
bool drill_advance(const struct group_context *context, int64_t *next_at,
                   struct error *error) MUST_USE;

/* Send a firing notification and its resolve to every target of one receiver now, without the
 * database, and append what came of it. False when it was not accepted. ERROR_NOT_FOUND: no such
 * receiver. */
bool drill_send(const struct settings *settings, const char *receiver, int64_t now, struct buf *out,
                struct error *error) MUST_USE;
