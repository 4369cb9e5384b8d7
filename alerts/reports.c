#include "alerts/reports.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/notify/notice.h"
#include "alerts/report_notice.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "collectors/collector.h"

enum { WAIT_S = 900, CLOCK_WRONG_S = 86400, LATE_INTERVALS = 3, KEY_BYTES = 96 };

#define PREFIX "report."

/* --- what is kept ----------------------------------------------------------------------------- */

struct kept {
    int64_t due_at;     /* 0 = nothing is kept */
    int64_t owed_at;    /* since when it is due and waits for data; 0 = it does not */
    int64_t decided_at; /* when due_at was */
    uint64_t schedule;
};

static bool get(struct database *database, const char *name, struct kept *kept, struct error *error)
{
    char key[KEY_BYTES], text[KEY_BYTES];
    snprintf(key, sizeof key, PREFIX "%s", name);
    if (!schema_get(database, key, text, sizeof text, error))
        return false;
    if (sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNx64, &kept->due_at, &kept->owed_at,
               &kept->decided_at, &kept->schedule) != 4)
        *kept = (struct kept){ 0 };
    return true;
}

static bool put(struct database *database, const char *name, const struct kept *kept,
                struct error *error)
{
    char key[KEY_BYTES], text[KEY_BYTES];
    snprintf(key, sizeof key, PREFIX "%s", name);
    snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " %016" PRIx64, kept->due_at,
             kept->owed_at, kept->decided_at, kept->schedule);
    return schema_put(database, key, text, error);
}

static bool is_planned(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->report_count; i++)
        if (!strcmp(settings->reports[i].config->name, name))
            return true;
    return false;
}

/* A report that comes back into the settings later owes nothing. */
static bool forget(const struct group_context *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys keys;
    struct database_statement *statement = database_prepare(
        context->database, "SELECT key FROM store WHERE key >= 'report.' AND key < 'report/'");
    if (!rows_read_keys(statement, &arena, &keys, error))
        return false;
    for (size_t i = 0; i < keys.count; i++) {
        if (is_planned(context->settings, keys.keys[i] + strlen(PREFIX)))
            continue;
        statement = database_prepare(context->database, "DELETE FROM store WHERE key = $1");
        database_bind(statement, keys.keys[i]);
        if (!database_run(statement, error))
            return false;
    }
    return true;
}

/* --- one report ------------------------------------------------------------------------------- */

static bool queue(const struct group_context *context, const struct report_plan *plan,
                  const struct view_report *report, int64_t due_at, const char *name,
                  struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    const struct receivers_config *receiver = settings_receiver(context->settings, name);
    report_notice_make(context->settings, plan, name, report, due_at, &arena, &notification);
    return notice_queue(context, receiver, &notification, error);
}

static bool send(const struct group_context *context, struct snapshot *snapshot,
                 const struct report_plan *plan, int64_t due_at, struct error *error)
{
    const struct report_plan_config *config = plan->config;
    CLEANUP(view_report_finish) struct view_report report = { 0 };
    int64_t since = schedule_before(plan->schedule, due_at, config->since_ms / 1000);
    struct view *view = view_create(snapshot, context->notifications->ledger, NULL,
                                    context->settings->ledger.due_soon_s, context->now);
    view_arrange(view);
    bool ok = view_report_make(view, context->database, since, context->now,
                               (enum report_by)config->by, &report, error);
    for (size_t i = 0; ok && i < config->receivers.count; i++)
        ok = queue(context, plan, &report, due_at, config->receivers.texts[i], error);
    view_release(view);
    return ok || error_wrap(error, "report %s", config->name);
}

/* Whether a source will soon be asked that was not yet, or not for long: not one that fails, which
 * is asked more and more seldom, nor one that is asked only when somebody wants to know. */
static bool is_asking(const struct snapshot *snapshot, int64_t now)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source_status *status = &snapshot->status[i];
        int64_t late_s = LATE_INTERVALS * status->interval_ms / 1000;
        int64_t last_at = status->started_at > status->last_success_at ? status->started_at
                                                                       : status->last_success_at;
        bool late = status->success && late_s && now - last_at > late_s;
        if (status->enabled && snapshot->sources->sources[i].collector->role != COLLECTOR_ANSWERS &&
            (!status->attempted || late))
            return true;
    }
    return false;
}

/* Whether what is due now waits: owed_at is since when. */
static bool waits(const struct snapshot *snapshot, int64_t now, struct kept *kept)
{
    if (!is_asking(snapshot, now))
        return false;
    if (!kept->owed_at || kept->owed_at > now)
        kept->owed_at = now;
    return now < kept->owed_at + WAIT_S;
}

static bool advance(const struct group_context *context, struct snapshot *snapshot,
                    const struct report_plan *plan, int64_t *next_at, struct error *error)
{
    const char *name = plan->config->name;
    int64_t now = context->now;
    struct kept kept;
    if (!get(context->database, name, &kept, error))
        return false;
    bool known = kept.due_at && kept.decided_at - now <= CLOCK_WRONG_S;
    bool due = known && kept.due_at <= now;
    if (due && waits(snapshot, now, &kept)) {
        *next_at = kept.owed_at + WAIT_S;
        return put(context->database, name, &kept, error);
    }
    if (due && !send(context, snapshot, plan, kept.due_at, error))
        return false;
    if (due || !known || kept.schedule != plan->schedule_hash)
        kept = (struct kept){ schedule_next_at(plan->schedule, now), 0, now, plan->schedule_hash };
    *next_at = kept.due_at;
    return put(context->database, name, &kept, error);
}

bool reports_advance(const struct group_context *context, struct snapshot *snapshot,
                     int64_t *next_at, struct error *error)
{
    *next_at = 0;
    if (!forget(context, error))
        return false;
    for (size_t i = 0; i < context->settings->report_count; i++) {
        int64_t at;
        if (!advance(context, snapshot, &context->settings->reports[i], &at, error))
            return false;
        *next_at = !*next_at || at < *next_at ? at : *next_at;
    }
    return true;
}
