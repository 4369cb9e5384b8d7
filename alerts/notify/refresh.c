#include "alerts/notify/refresh.h"

#include <stdio.h>

#include "alerts/store/rows.h"
#include "core/log.h"

enum {
    RESOLVED_S = 900, /* resolved alerts are sent again so long */
    PAUSE_S = 2       /* before the rest of a round */
};

/* Newest message about an alert the lane accepted; $2 receiver, $3 target. */
#define LATEST(fingerprint)                                                                        \
    "(SELECT m.id FROM outbox_member b JOIN outbox_message m ON m.id = b.message_id"               \
    " WHERE b.fingerprint = " fingerprint " AND m.receiver = $2 AND m.target = $3"                 \
    " AND m.state = 'sent' ORDER BY m.id DESC LIMIT 1)"

/* Messages behind `after` that are the latest word on an alert; each once. */
static bool find_messages(const struct refresh_lane *lane, int64_t since, const char *after,
                          struct arena *arena, struct rows_keys *ids, struct error *error)
{
    struct database_statement *statement = database_prepare(
        lane->database,
        "SELECT DISTINCT d.id FROM (SELECT CASE WHEN t.state = 'firing'"
        " OR t.resolved_at > $1 THEN " LATEST(
            "t.fingerprint") " ELSE NULL END AS id"
                             " FROM active_alert t WHERE t.state IN ('firing', 'resolved')) d"
                             " WHERE d.id > $4 ORDER BY d.id");
    database_bind(statement, since, lane->receiver, lane->target, after);
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

/* What a message still says. found: false when that is nothing. */
static bool read_message(const struct refresh_lane *lane, int64_t since, const char *id,
                         struct arena *arena, struct notification *notification, bool *found,
                         struct error *error)
{
    struct outbox_message message;
    *found = false;
    if (!outbox_find(lane->database, id, arena, &message, found, error))
        return false;
    if (!*found)
        return true;
    if (!notification_read(message.notification, message.notification_bytes, arena, notification,
                           error) ||
        !keep_standing(lane->database, &message, since, arena, notification, error))
        return false;
    notification->id = arena_text(arena, message.id);
    *found = notification->alert_count;
    return true;
}

bool refresh_each(const struct refresh_lane *lane, int64_t since, char after[OUTBOX_ID_BYTES],
                  refresh_visit *visit, void *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena kept = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys ids;
    bool all = find_messages(lane, since, after, &kept, &ids, error);
    if (!all)
        return error_wrap(error, "telling %s again", lane->receiver);
    for (size_t i = 0; i < ids.count; i++) {
        struct notification notification;
        struct error failure = { 0 };
        bool found;
        arena_reset(&arena);
        snprintf(after, OUTBOX_ID_BYTES, "%s", ids.keys[i]);
        bool read = read_message(lane, since, ids.keys[i], &arena, &notification, &found, &failure);
        if (read && (!found || visit(context, &notification, &failure)))
            continue;
        all = false;
        *error = failure;
        error_wrap(error, "telling %s again", lane->receiver);
        if (read && error_is_transient(&failure))
            return false;
    }
    *after = 0;
    return all;
}

void refresh_run(const struct refresh_lane *lane, struct refresh_round *round, int64_t now,
                 refresh_visit *visit, void *context)
{
    struct error error = { 0 };
    if (round->due_at > now && round->due_at <= now + lane->refresh_s)
        return;
    bool whole = !*round->after;
    if (whole)
        round->began_at = now;
    bool all = refresh_each(lane, now - RESOLVED_S, round->after, visit, context, &error);
    if (!all && !round->failing)
        log_warn(MSG("cannot tell again what still fires"), TEXT("receiver", lane->receiver),
                 ERR(&error));
    else if (all && whole && round->failing)
        log_info(MSG("telling again what still fires"), TEXT("receiver", lane->receiver));
    round->failing = !all || (round->failing && !whole);
    int64_t pause_s = error.retry_after_s > PAUSE_S ? error.retry_after_s : PAUSE_S;
    int64_t next_at = *round->after ? now + pause_s : round->began_at + lane->refresh_s;
    if (next_at > now + lane->refresh_s)
        next_at = now + lane->refresh_s;
    round->due_at = next_at < now + PAUSE_S ? now + PAUSE_S : next_at;
}
