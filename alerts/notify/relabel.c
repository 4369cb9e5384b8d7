/* What a receiver was told last is what the outbox has. */
#include "alerts/notify/relabel.h"

#include <string.h>

/* The newest message to the receiver about an alert; NULL = none. */
static bool find_page(struct database *database, const char *receiver, const char *fingerprint,
                      struct arena *arena, const char **page, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT m.page FROM outbox_member b JOIN outbox_message m ON m.id = b.message_id"
                  " WHERE b.fingerprint = $1 AND m.receiver = $2 AND m.target = 0"
                  " ORDER BY m.id DESC LIMIT 1");
    database_bind(statement, fingerprint, receiver);
    *page = NULL;
    return database_get_text(statement, arena, page, error) ||
           error_wrap(error, "reading the outbox");
}

/* The alert as a message said that it fires; NULL = it did not. */
static const struct alert *find_firing(const struct notification *told, const char *fingerprint)
{
    for (size_t i = 0; i < told->alert_count; i++)
        if (told->alerts[i].state == ALERT_FIRING &&
            !strcmp(told->alerts[i].fingerprint, fingerprint))
            return &told->alerts[i];
    return NULL;
}

static bool end_one(struct database *database, const char *receiver, const struct alert *alert,
                    int64_t now, struct arena *arena, struct alert *ended, bool *found,
                    struct error *error)
{
    const char *page;
    struct notification told;
    struct error reason;
    *found = false;
    if (!find_page(database, receiver, alert->fingerprint, arena, &page, error))
        return false;
    if (!page || !notification_read(page, strlen(page), arena, &told, &reason))
        return true;
    const struct alert *before = find_firing(&told, alert->fingerprint);
    *found = before && !alert_same_labels(before, alert);
    if (!*found)
        return true;
    *ended = *before;
    ended->state = ALERT_RESOLVED;
    ended->ends_at = now;
    ended->reason = ALERT_RELABELLED;
    return true;
}

bool relabel_end(struct database *database, struct notification *notification, int64_t now,
                 struct arena *arena, struct error *error)
{
    size_t count = notification->alert_count;
    struct alert *all = arena_alloc(arena, (2 * count + 1) * sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = notification->alerts[i];
    for (size_t i = 0; i < notification->alert_count; i++) {
        bool found;
        if (!end_one(database, notification->receiver, &all[i], now, arena, &all[count], &found,
                     error))
            return false;
        count += found;
        notification->resolved_count += found;
    }
    notification->alerts = all;
    notification->alert_count = count;
    return true;
}
