#pragma once
/* Groups of alerts on their way to one receiver: Alertmanager's dispatcher, but durable. A group is
 * due after group_wait when it is new, after group_interval when something in it changed, after
 * repeat_interval when nothing did; when due, one page (kinds with alerts_max: several) goes into
 * the outbox. Inside the evaluator's transaction. */
#include "alerts/active.h"
#include "alerts/mute.h"
#include "alerts/outbox.h"
#include "alerts/page.h"
#include "alerts/settings.h"

/* What a flush reads; all borrowed for one evaluation. */
struct group_context {
    struct database *database;
    const struct settings *settings;
    const struct page_context *pages;
    const struct mute_context *mutes;
    struct outbox_clock *clock;
    uint64_t *suppressed; /* [MUTE_REASON_COUNT], added to; counted after the commit */
    int64_t now;
};

/* Route a change and note it in its groups. A group whose alerts are all resolved and told is
 * deleted by the flush; when it comes back its episode is one higher, and so is its dedup key. */
bool group_take(const struct group_context *context, const struct active_change *change,
                struct error *error) MUST_USE;

/* Every due group: mute_check each alert, governor_admits, page_build, outbox_add. Loads the worst
 * PAGE_ALERTS_MAX alerts of a group in full and counts the others in SQL; all are members of the
 * message. An alert resolved before its firing was put into the outbox is dropped in silence. */
bool group_flush(const struct group_context *context, struct error *error) MUST_USE;

/* When the next group is due; 0 = none. */
bool group_next_at(struct database *database, int64_t *at, struct error *error) MUST_USE;

/* After a reload: groups of routes and receivers that are gone are deleted, their alerts routed
 * anew as already told where the receiver is the same. */
bool group_reroute(const struct group_context *context, struct error *error) MUST_USE;
