#include "alerts/notify/refresh.h"

#include <string.h>

#include "alerts/notify/outbox.h"
#include "alerts/store/rows.h"

/* Newest message about an alert the lane accepted; $2 receiver, $3 target. */
#define LATEST(fingerprint)                                                                        \
    "(SELECT m.id FROM outbox_member b JOIN outbox_message m ON m.id = b.message_id"               \
    " WHERE b.fingerprint = " fingerprint " AND m.receiver = $2 AND m.target = $3"                 \
    " AND m.state = 'sent' ORDER BY m.id DESC LIMIT 1)"

/* Messages that are the latest word on an alert; each once. */
static bool find_messages(struct database *database, const char *receiver, int target,
                          int64_t since, struct arena *arena, struct rows_keys *ids,
                          struct error *error)
{
    struct database_statement *statement = database_prepare(
        database,
        "SELECT DISTINCT d.id FROM (SELECT CASE WHEN t.state = 'firing'"
        " OR t.resolved_at > $1 THEN " LATEST(
            "t.fingerprint") " ELSE NULL END AS id"
                             " FROM active_alert t WHERE t.state IN ('firing', 'resolved')) d"
                             " WHERE d.id IS NOT NULL ORDER BY d.id");
    database_bind(statement, since, receiver, target);
    return rows_read_keys(statement, arena, ids, error);
}

/* Whether an alert is still as this message says. */
static bool stands(struct database *database, const struct outbox_message *message,
                   const struct alert *alert, int64_t since, bool *result, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT 1 FROM active_alert t WHERE t.fingerprint = $1"
                  " AND " LATEST("$1") " = $4 AND t.state = $5"
                                       " AND (t.state = 'firing' OR t.resolved_at > $6)");
    int64_t any = 0;
    database_bind(statement, alert->fingerprint, message->receiver, message->target, message->id,
                  alert_state_words[alert->state], since);
    if (!database_get_integer(statement, &any, error))
        return false;
    *result = any;
    return true;
}

/* Leave in the notification what still stands. */
static bool keep_standing(struct database *database, const struct outbox_message *message,
                          int64_t since, struct arena *arena, struct notification *notification,
                          struct error *error)
{
    struct alert *kept = arena_alloc(arena, notification->alert_count * sizeof *kept);
    size_t count = 0;
    notification->firing_count = notification->resolved_count = 0;
    for (size_t i = 0; i < notification->alert_count; i++) {
        bool as_told;
        if (!stands(database, message, &notification->alerts[i], since, &as_told, error))
            return false;
        if (!as_told)
            continue;
        kept[count++] = notification->alerts[i];
        *(notification->alerts[i].state == ALERT_RESOLVED ? &notification->resolved_count
                                                          : &notification->firing_count) += 1;
    }
    notification->alerts = kept;
    notification->alert_count = count;
    notification->left_out_count = 0;
    notification->repeat = true;
    return true;
}

bool refresh_each(struct database *database, const char *receiver, int target, int64_t since,
                  refresh_visit *visit, void *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena kept = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys ids;
    bool ok = find_messages(database, receiver, target, since, &kept, &ids, error);
    for (size_t i = 0; ok && i < ids.count; i++) {
        struct outbox_message message;
        struct notification notification;
        bool found = false;
        arena_reset(&arena);
        ok = outbox_find(database, ids.keys[i], &arena, &message, &found, error);
        if (!ok || !found)
            continue;
        ok = notification_read(message.notification, message.notification_bytes, &arena,
                               &notification, error) &&
             keep_standing(database, &message, since, &arena, &notification, error);
        notification.id = message.id;
        if (ok && notification.alert_count)
            ok = visit(context, &notification, error);
    }
    return ok || error_wrap(error, "telling %s again", receiver);
}
