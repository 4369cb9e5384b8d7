#include "alerts/notify/audit.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/store/rows.h"
#include "core/log.h"
#include "core/memory.h"

const char *const audit_action_words[] = {
    [AUDIT_SILENCE_CREATED] = "silence_created", [AUDIT_SILENCE_CHANGED] = "silence_changed",
    [AUDIT_SILENCE_EXPIRED] = "silence_expired", [AUDIT_OUTBOX_RETRIED] = "outbox_retried",
    [AUDIT_OUTBOX_DROPPED] = "outbox_dropped",   [AUDIT_RELOAD] = "reload",
    [AUDIT_RELOAD_FAILED] = "reload_failed",     [AUDIT_ACTION_COUNT] = NULL,
};

/* For people. */
static const char *const sentences[AUDIT_ACTION_COUNT] = {
    [AUDIT_SILENCE_CREATED] = "silence created",
    [AUDIT_SILENCE_CHANGED] = "silence changed",
    [AUDIT_SILENCE_EXPIRED] = "silence ended",
    [AUDIT_OUTBOX_RETRIED] = "message queued again",
    [AUDIT_OUTBOX_DROPPED] = "message dropped",
    [AUDIT_RELOAD] = "configuration reloaded",
    [AUDIT_RELOAD_FAILED] = "reload of the configuration refused",
};

/* clang-format off */
static const struct family_1 events_total = {
    .name = "defender_exporter_audit_events_total", .type = METRIC_COUNTER,
    .help = "What people did to silences, messages and the configuration.",
    LABELS("action"),
};
const struct family *const audit_families[] = { &events_total.family, NULL };

static const struct row_field fields[] = {
    ROW_INTEGER(struct audit_event, number,  "number"),
    ROW_WORD   (struct audit_event, action,  "action", audit_action_words, AUDIT_RELOAD),
    ROW_INTEGER(struct audit_event, at,      "at"),
    ROW_TEXT   (struct audit_event, author,  "author"),
    ROW_TEXT   (struct audit_event, peer,    "peer"),
    ROW_TEXT   (struct audit_event, subject, "subject"),
    ROW_TEXT   (struct audit_event, detail,  "detail"),
    { 0 },
};
/* clang-format on */
static const struct rows_table rows = { "audit_event", 1, fields };

bool audit_add(struct database *database, enum audit_action action, const struct audit_by *by,
               const char *subject, const char *detail, int64_t now, struct error *error)
{
    if (!by)
        return true;
    struct audit_event event = { .action = action,
                                 .at = now,
                                 .author = by->author,
                                 .peer = by->peer,
                                 .subject = subject,
                                 .detail = detail };
    struct database_statement *last =
        database_prepare(database, "SELECT COALESCE(MAX(number), 0) FROM audit_event");
    if (!database_get_integer(last, &event.number, error))
        return false;
    event.number++;
    return rows_insert(database, &rows, &event, error) || error_wrap(error, "noting who acted");
}

bool audit_add_alone(struct database *database, enum audit_action action, const struct audit_by *by,
                     const char *subject, const char *detail, int64_t now, struct error *error)
{
    if (!database_begin(database, error))
        return false;
    if (!audit_add(database, action, by, subject, detail, now, error)) {
        database_rollback(database);
        return false;
    }
    return database_commit(database, error);
}

static bool forget(struct database *database, int64_t last, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM audit_event WHERE number <= $1");
    database_bind(statement, last);
    return database_run(statement, error);
}

bool audit_take(struct database *database, struct audit_list *list, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &rows, " ORDER BY number LIMIT $1");
    database_bind(statement, AUDIT_TAKE_MAX);
    for (bool found;;) {
        struct audit_event event = { 0 };
        if (!rows_next(statement, &rows, &list->arena, &event, &found, error))
            return error_wrap(error, "reading who acted");
        if (!found)
            break;
        MEMORY_GROW(list->events, list->count, list->capacity);
        list->events[list->count++] = event;
    }
    return !list->count || forget(database, list->events[list->count - 1].number, error);
}

void audit_list_finish(struct audit_list *list)
{
    free(list->events);
    arena_finish(&list->arena);
    *list = (struct audit_list){ 0 };
}

void audit_print(const struct audit_event *event, struct buf *out)
{
    buf_text(out, sentences[event->action]);
    if (*event->author)
        buf_printf(out, " by %s (%s)", event->author, event->peer);
    else
        buf_printf(out, " from %s", event->peer);
    if (*event->detail)
        buf_printf(out, ": %s", event->detail);
    else if (*event->subject)
        buf_printf(out, ": %s", event->subject);
}

void audit_note(struct metric_store *metrics, const struct audit_event *event)
{
    metric_count(metrics, &events_total, 1, METRIC_LABELS(audit_action_words[event->action]));
    log_info(MSG(sentences[event->action]), TEXT("author", event->author),
             TEXT("peer", event->peer), TEXT("subject", event->subject),
             TEXT("detail", event->detail), INT("at", event->at));
}

void audit_declare(struct metric_store *metrics)
{
    for (int i = 0; i < AUDIT_ACTION_COUNT; i++)
        metric_declare(metrics, &events_total, METRIC_LABELS(audit_action_words[i]));
}
