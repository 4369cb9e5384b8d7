#include "alerts/notify/outbox_thread.h"

#include <stdio.h>

#include "alerts/store/rows.h"
#include "alerts/store/schema.h"

/* clang-format off */
static const struct row_field fields[] = {
    ROW_TEXT   (struct outbox_thread, receiver, "receiver"),
    ROW_INTEGER(struct outbox_thread, target, "target"),
    ROW_CHARS  (struct outbox_thread, dedup_key, "dedup_key"),
    ROW_CHARS  (struct outbox_thread, is.channel, "channel"),
    ROW_CHARS  (struct outbox_thread, is.ts, "ts"),
    ROW_CHARS  (struct outbox_thread, is.trying, "trying"),
    ROW_INTEGER(struct outbox_thread, is.trying_at, "trying_at"),
    { 0 }
};
/* clang-format on */
static const struct rows_table rows = { "outbox_thread", 3, fields };

bool outbox_thread_find(struct database *database, const char *receiver, int target,
                        const char *dedup_key, struct outbox_thread *thread, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    bool found;
    struct database_statement *statement =
        rows_select(database, &rows, " WHERE receiver = $1 AND target = $2 AND dedup_key = $3");
    *thread = (struct outbox_thread){ 0 };
    database_bind(statement, receiver, target, dedup_key);
    if (!rows_one(statement, &rows, &arena, thread, &found, error))
        return error_wrap(error, "reading a thread");
    thread->receiver = receiver;
    thread->target = target;
    snprintf(thread->dedup_key, sizeof thread->dedup_key, "%s", dedup_key);
    return true;
}

bool outbox_thread_put(struct database *database, const struct outbox_thread *thread,
                       struct error *error)
{
    return rows_upsert(database, &rows, thread, error) || error_wrap(error, "keeping a thread");
}

bool outbox_thread_save(struct database *database, const struct outbox_thread *thread,
                        struct error *error)
{
    if (!database_begin(database, error))
        return false;
    if (!outbox_thread_put(database, thread, error)) {
        database_rollback(database);
        return false;
    }
    return database_commit(database, error);
}

bool outbox_thread_prune(struct database *database, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database,
        "DELETE FROM outbox_thread WHERE (receiver, target, dedup_key) IN"
        " (SELECT t.receiver, t.target, t.dedup_key FROM outbox_thread t WHERE NOT EXISTS"
        " (SELECT 1 FROM outbox_message m WHERE m.receiver = t.receiver AND m.target = t.target"
        " AND m.dedup_key = t.dedup_key) LIMIT $1)");
    database_bind(statement, SCHEMA_PRUNE_ROWS);
    return database_run(statement, error);
}
