#pragma once
/* Groups of alerts on their way to one receiver: Alertmanager's dispatcher, but durable. A group is
 * due after group_wait when it is new, after group_interval when something in it changed, after
 * repeat_interval when nothing did; when due, one notification (kinds with alerts_max: several)
 * goes into the outbox. A muted alert waits in its group and is decided again in every
 * evaluation. Inside the evaluator's transaction. */
#include "alerts/notify/governor.h"
#include "alerts/notify/mute.h"
#include "alerts/notify/notification_build.h"
#include "alerts/notify/outbox.h"
#include "alerts/notify/settings.h"
#include "alerts/rules/active.h"

#define GROUP_MOVED "moved" /* why an alert ended for a receiver while it fires for others */

/* What a flush reads; all borrowed for one evaluation. */
struct group_context {
    struct database *database;
    const struct settings *settings;
    const struct notification_context *notifications;
    const struct mute_context *mutes;
    struct outbox_clock *clock;
    struct governor_budget *budgets; /* one for each of settings->receivers, zeroed */
    uint64_t *suppressed;            /* [MUTE_REASON_COUNT], added to; counted after the commit */
    int64_t now;
};

/* Route a change of an alert into its groups. A group without alerts is closed by the flush and
 * kept for a week; when it comes back its episode is one higher, and its dedup key a new one.
 * Where the change leads it to other groups, those it leaves forget it; only a receiver that would
 * go on showing it, and is in none of its groups any more, is told that it ended (GROUP_MOVED). */
bool group_route(const struct group_context *context, const struct active_change *change,
                 struct error *error) MUST_USE;

/* Whether a flush has anything to do. */
bool group_has_work(struct database *database, int64_t now, bool *any,
                    struct error *error) MUST_USE;

/* Every group that a flush looks at. Texts go to the arena. */
struct group_due {
    const char *receiver, *key;
    struct group_due *next;
};
bool group_due(struct database *database, int64_t now, struct arena *arena,
               struct group_due **first, struct error *error) MUST_USE;

/* Flush every due group: mute_check each alert, governor_admits, notification_build, outbox_add.
 * Loads the first NOTIFICATION_GIVEN_MAX alerts of a notification in full; all are members of the
 * message. An alert resolved before its firing was put into the outbox is dropped in silence. */
bool group_flush(const struct group_context *context, struct error *error) MUST_USE;

/* When the next group is due, or a flapping alert may be calm; 0 = none. */
bool group_next_at(const struct group_context *context, int64_t *at, struct error *error) MUST_USE;

/* Route all alerts anew, after a reload or a start. A receiver that was notified of an alert is not
 * notified again; memberships of routes and receivers that are gone end. Writes only what
 * differs. */
bool group_reroute(const struct group_context *context, struct error *error) MUST_USE;

/* Delete groups that have been closed for a week. */
bool group_prune(struct database *database, int64_t now, struct error *error) MUST_USE;
