#include "alerts/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/governor.h"
#include "alerts/notify/group.h"
#include "alerts/notify/notification_settings.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/memory.h"

struct replay {
    const struct settings *settings;
    struct database *source; /* the history, only read */
    struct database *memory; /* what follows from it */
    struct outbox_clock clock;
    struct snapshot *snapshot; /* empty: the past has none */
    struct points *points;
    int64_t now; /* of the pass under way; 0 = none yet */
    replay_visit *visit;
    void *context;
};

static void replay_finish(struct replay *replay)
{
    points_destroy(replay->points);
    snapshot_release(replay->snapshot);
    database_close(replay->source);
    database_close(replay->memory);
}

static bool open_both(struct replay *replay, const char *path, struct error *error)
{
    const struct database_config source = { .path = path,
                                            .migrations = schema_migrations,
                                            .read_only = true };
    const struct database_config memory = { .path = ":memory:", .migrations = schema_migrations };
    replay->source = database_open(&source, error);
    if (!replay->source)
        return false;
    replay->memory = database_open(&memory, error);
    return replay->memory != NULL;
}

/* --- visiting ------------------------------------------------------------------------------- */

/* Messages of one pass; texts in the arena. */
struct batch {
    struct {
        const char *id, *notification;
        size_t notification_bytes;
        int target;
    } * messages;
    size_t count, capacity;
    struct arena arena;
};

static void batch_finish(struct batch *batch)
{
    free(batch->messages);
    arena_finish(&batch->arena);
}

static bool add_to_batch(void *context, const struct outbox_message *message, struct error *error)
{
    struct batch *batch = context;
    (void)error;
    MEMORY_GROW(batch->messages, batch->count, batch->capacity);
    batch->messages[batch->count].id = arena_text(&batch->arena, message->id);
    batch->messages[batch->count].notification =
        arena_copy(&batch->arena, message->notification, message->notification_bytes);
    batch->messages[batch->count].notification_bytes = message->notification_bytes;
    batch->messages[batch->count].target = message->target;
    batch->count++;
    return true;
}

/* Visit what was queued, and mark it as sent. */
static bool visit_queued(struct replay *replay, struct error *error)
{
    CLEANUP(batch_finish) struct batch batch = { 0 };
    if (!outbox_each(replay->memory, NULL, OUTBOX_QUEUED, add_to_batch, &batch, error))
        return false;
    for (size_t i = 0; i < batch.count; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct notification notification;
        if (!notification_read(batch.messages[i].notification, batch.messages[i].notification_bytes,
                               &arena, &notification, error))
            return false;
        notification.id = batch.messages[i].id;
        if (!batch.messages[i].target &&
            !replay->visit(replay->context, &notification, replay->now, error))
            return false;
        if (!outbox_mark_sent(replay->memory, notification.id, 200, replay->now, error))
            return false;
    }
    return true;
}

/* --- one pass: what the evaluator does at an instant ----------------------------------------- */

/* What a pass reads and leaves behind. */
struct moment {
    struct notification_context notifications;
    struct mute_context mutes;
    struct inhibit_view *inhibits;
    struct governor_budget *budgets;
    uint64_t suppressed[MUTE_REASON_COUNT];
    struct group_context groups;
    struct active_pass pass;
};

static void moment_finish(struct moment *moment)
{
    inhibit_view_destroy(moment->inhibits);
    free(moment->budgets);
}

static bool on_change(void *context, const struct active_change *change, struct error *error)
{
    struct moment *moment = context;
    return group_route(&moment->groups, change, error);
}

static size_t receivers_of(void *context, const struct alert *alert,
                           const char *names[ACTIVE_RECEIVERS_MAX])
{
    const struct moment *moment = context;
    return route_receivers(moment->groups.settings->route, alert, names, ACTIVE_RECEIVERS_MAX);
}

static bool moment_init(struct moment *moment, struct replay *replay, struct error *error)
{
    const struct settings *settings = replay->settings;
    if (settings->inhibits) {
        moment->inhibits = inhibit_view_create(settings->inhibits, replay->memory, error);
        if (!moment->inhibits)
            return false;
    }
    moment->budgets = MEMORY_ARRAY(struct governor_budget, settings->receiver_count);
    moment->notifications = notification_settings(settings);
    moment->notifications.snapshot = replay->snapshot;
    moment->notifications.points = replay->points;
    moment->notifications.database = replay->source;
    moment->notifications.now = replay->now;
    moment->mutes = (struct mute_context){
        .windows = settings->windows,
        .inhibits = moment->inhibits,
        .flap = settings->config->flapping,
        .now = replay->now,
    };
    moment->groups = (struct group_context){
        .database = replay->memory,
        .settings = settings,
        .notifications = &moment->notifications,
        .mutes = &moment->mutes,
        .clock = &replay->clock,
        .budgets = moment->budgets,
        .suppressed = moment->suppressed,
        .now = replay->now,
    };
    moment->pass = (struct active_pass){
        .database = replay->memory,
        .rules = settings->rules,
        .now = replay->now,
        .flap_within_s = settings->config->flapping.within_ms / 1000,
        .changed = on_change,
        .receivers = receivers_of,
        .context = moment,
    };
    return true;
}

/* Alerts, timers, groups, digests; event NULL = only what time brings. */
static bool decide(struct moment *moment, const struct event *event, struct error *error)
{
    if (!active_begin(&moment->pass, error))
        return false;
    bool ok = (!event || active_apply_event(&moment->pass, event, error)) &&
              active_advance(&moment->pass, error) && group_flush(&moment->groups, error) &&
              governor_flush(&moment->groups, error);
    active_end(&moment->pass);
    return ok;
}

/* One transaction at replay->now. */
static bool pass(struct replay *replay, const struct event *event, struct error *error)
{
    CLEANUP(moment_finish) struct moment moment = { .inhibits = NULL };
    if (!database_begin(replay->memory, error))
        return false;
    if (!moment_init(&moment, replay, error) || !decide(&moment, event, error)) {
        database_rollback(replay->memory);
        return false;
    }
    return database_commit(replay->memory, error) && visit_queued(replay, error);
}

static void keep_earlier(int64_t *earliest, int64_t at)
{
    if (at && (!*earliest || at < *earliest))
        *earliest = at;
}

/* When time alone brings something; 0 = never. */
static bool next_timer(struct replay *replay, int64_t *at, struct error *error)
{
    CLEANUP(moment_finish) struct moment moment = { .inhibits = NULL };
    int64_t group, digest, active;
    const struct settings *settings = replay->settings;
    if (!moment_init(&moment, replay, error) || !group_next_at(&moment.groups, &group, error) ||
        !governor_next_at(replay->memory, &settings->config->governor, &digest, error) ||
        !active_next_at(replay->memory, &active, error))
        return false;
    *at = 0;
    keep_earlier(at, group);
    keep_earlier(at, digest);
    keep_earlier(at, active);
    keep_earlier(at, mute_next_at(&moment.mutes, settings->route));
    if (*at && *at <= replay->now)
        *at = replay->now + 1;
    return true;
}

/* Let time pass up to an instant. */
static bool run_timers(struct replay *replay, int64_t until, struct error *error)
{
    for (int64_t at;;) {
        if (!next_timer(replay, &at, error))
            return false;
        if (!at || at > until)
            return true;
        replay->now = at;
        if (!pass(replay, NULL, error))
            return false;
    }
}

static bool on_event(void *context, const struct event *event, struct error *error)
{
    struct replay *replay = context;
    if (replay->now && event->at > replay->now && !run_timers(replay, event->at - 1, error))
        return false;
    if (event->at > replay->now)
        replay->now = event->at;
    return pass(replay, event, error);
}

bool replay_run(const char *database_path, struct source_list *sources, struct settings *settings,
                int64_t since, int64_t until, replay_visit *visit, void *context,
                struct error *error)
{
    CLEANUP(replay_finish)
    struct replay replay = { .settings = settings, .visit = visit, .context = context };
    if (!settings->route)
        return error_set(error, ERROR_CONFIG, "no receiver is configured");
    if (!open_both(&replay, database_path, error))
        return false;
    replay.snapshot = snapshot_create(sources);
    replay.points = points_create(replay.snapshot);
    return ledger_history(replay.source, sources, since, NULL, on_event, &replay, error) &&
           run_timers(&replay, until, error);
}

/* --- printing ------------------------------------------------------------------------------- */

enum { TALLIES_MAX = 256 };

struct printer {
    struct buf *out;
    struct {
        const char *receiver, *rule;
        int64_t messages;
    } tallies[TALLIES_MAX];
    size_t tally_count;
    int64_t messages;
    struct arena arena;
};

static void printer_finish(struct printer *printer)
{
    arena_finish(&printer->arena);
}

static void tally(struct printer *printer, const struct notification *notification)
{
    size_t i = 0;
    printer->messages++;
    while (i < printer->tally_count &&
           (strcmp(printer->tallies[i].receiver, notification->receiver) != 0 ||
            strcmp(printer->tallies[i].rule, notification->rule) != 0))
        i++;
    if (i == TALLIES_MAX)
        return; /* still in the sum */
    if (i == printer->tally_count) {
        printer->tallies[i].receiver = arena_text(&printer->arena, notification->receiver);
        printer->tallies[i].rule = arena_text(&printer->arena, notification->rule);
        printer->tally_count++;
    }
    printer->tallies[i].messages++;
}

static bool print_notification(void *context, const struct notification *notification, int64_t at,
                               struct error *error)
{
    struct printer *printer = context;
    char text[32];
    (void)error;
    tally(printer, notification);
    buf_printf(printer->out, "%s  %-16s %-8s %-24s %s", clock_format_rfc3339(at, text),
               notification->receiver, notification_status_words[notification->status],
               notification->event, notification->title);
    int64_t alerts = notification->firing_count + notification->resolved_count;
    if (alerts > 1)
        buf_printf(printer->out, " (%" PRId64 " alerts)", alerts);
    buf_char(printer->out, '\n');
    return true;
}

static int64_t count_metric_rules(const struct rule_set *rules)
{
    size_t count;
    int64_t result = 0;
    const struct rule *all = rule_all(rules, &count);
    for (size_t i = 0; i < count; i++)
        result += all[i].kind != RULE_EVENT;
    return result;
}

bool replay_print(const char *database_path, struct source_list *sources, struct settings *settings,
                  int64_t since, int64_t until, struct buf *out, struct error *error)
{
    CLEANUP(printer_finish) struct printer printer = { .out = out };
    char from[32], to[32];
    if (!replay_run(database_path, sources, settings, since, until, print_notification, &printer,
                    error))
        return false;
    buf_printf(out, "\n%" PRId64 " messages from %s to %s\n", printer.messages,
               clock_format_rfc3339(since, from), clock_format_rfc3339(until, to));
    for (size_t i = 0; i < printer.tally_count; i++)
        buf_printf(out, "  %-16s %-24s %" PRId64 "\n", printer.tallies[i].receiver,
                   printer.tallies[i].rule, printer.tallies[i].messages);
    int64_t skipped = count_metric_rules(settings->rules);
    if (skipped)
        buf_printf(out,
                   "%" PRId64 " rules over metrics were left out: metrics of the past are not"
                   " kept\n",
                   skipped);
    return true;
}
