#include "alerts/notify/outbox_list.h"

#include <math.h>
#include <string.h>

#include "alerts/store/rows.h"

#define LAST_ID "~" /* behind every id */

/* A message without what is long. */
/* clang-format off */
#define FIELDS(prefix) \
    ROW_CHARS  (struct outbox_message, id, prefix "id"), \
    ROW_TEXT   (struct outbox_message, receiver, prefix "receiver"), \
    ROW_INTEGER(struct outbox_message, target, prefix "target"), \
    ROW_WORD   (struct outbox_message, state, prefix "state", outbox_state_words, OUTBOX_DEAD), \
    ROW_INTEGER(struct outbox_message, created_at, prefix "created_at"), \
    ROW_INTEGER(struct outbox_message, due_at, prefix "due_at"), \
    ROW_INTEGER(struct outbox_message, expires_at, prefix "expires_at"), \
    ROW_INTEGER(struct outbox_message, sent_at, prefix "sent_at"), \
    ROW_INTEGER(struct outbox_message, attempts, prefix "attempts"), \
    ROW_INTEGER(struct outbox_message, last_status, prefix "last_status"), \
    ROW_TEXT   (struct outbox_message, last_reason, prefix "last_reason"), \
    ROW_TEXT   (struct outbox_message, last_error, prefix "last_error")

static const struct row_field listed_fields[] = {
    FIELDS(""),
    ROW_TEXT(struct outbox_message, event, "event"),
    ROW_TEXT(struct outbox_message, status, "status"),
    { 0 }
};
static const struct row_field about_fields[] = {
    FIELDS("m."),
    ROW_TEXT(struct outbox_message, event, "a.event"),
    ROW_TEXT(struct outbox_message, status, "a.status"),
    { 0 }
};
static const struct row_field lane_fields[] = {
    ROW_TEXT   (struct outbox_message, receiver, "receiver"),
    ROW_INTEGER(struct outbox_message, target, "target"),
    { 0 }
};
static const struct row_field member_fields[] = {
    ROW_TEXT   (struct outbox_member, fingerprint, "fingerprint"),
    ROW_BYTES  (struct outbox_member, finding_id.bytes, "finding_id", has_finding),
    ROW_INTEGER(struct outbox_member, episode, "episode"),
    ROW_TEXT   (struct outbox_member, event, "event"),
    ROW_WORD   (struct outbox_member, status, "status", notification_status_words,
                NOTIFICATION_FIRING),
    { 0 }
};
/* clang-format on */
static const struct rows_table listed_rows = { "outbox_message", 0, listed_fields };
static const struct rows_table about_rows = {
    "outbox_member a JOIN outbox_message m ON m.id = a.message_id", 0, about_fields
};
static const struct rows_table lane_rows = { "outbox_message", 0, lane_fields };
static const struct rows_table member_rows = { "outbox_member", 0, member_fields };

/* Visit every row of a statement over messages; texts live until the visitor returns. */
static bool each(struct database_statement *statement, const struct rows_table *table,
                 outbox_list_visit *visit, void *context, struct error *error)
{
    for (bool found;;) {
        struct outbox_message message = { .notification = "", .recipients = "", .dedup_key = "" };
        if (!rows_next(statement, table, NULL, &message, &found, error))
            return error_wrap(error, "reading the outbox");
        if (!found)
            return true;
        if (!visit(context, &message, error)) {
            database_reset(statement);
            return false;
        }
    }
}

/* --- lanes ------------------------------------------------------------------------------------ */

/* Of a lane: how many are in this state. */
static bool count(struct database *database, const char *receiver, int target,
                  enum outbox_state state, int64_t *number, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT COUNT(*) FROM outbox_message WHERE receiver = $1"
                                   " AND target = $2 AND state = $3");
    database_bind(statement, receiver, target, outbox_state_words[state]);
    return database_get_integer(statement, number, error);
}

/* A message that was queued again has an old id: the last of some is the last success. */
static bool find_sent(struct database *database, const char *receiver, int target, int64_t *sent_at,
                      struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT MAX(sent_at) FROM (SELECT sent_at FROM outbox_message"
                                   " WHERE receiver = $1 AND target = $2 AND state = 'sent'"
                                   " ORDER BY id DESC LIMIT 1000)");
    database_bind(statement, receiver, target);
    return database_get_integer(statement, sent_at, error);
}

static bool find_oldest(struct database *database, const char *receiver, int target,
                        struct arena *arena, struct outbox_message *oldest, struct error *error)
{
    bool found;
    struct database_statement *statement = rows_select(
        database, &listed_rows,
        " WHERE receiver = $1 AND target = $2 AND state = 'queued' ORDER BY id LIMIT 1");
    database_bind(statement, receiver, target);
    return rows_one(statement, &listed_rows, arena, oldest, &found, error);
}

bool outbox_list_lane(struct database *database, const char *receiver, int target,
                      struct arena *arena, struct outbox_list_lane *lane, struct error *error)
{
    *lane = (struct outbox_list_lane){ .receiver = receiver, .target = target };
    if (!count(database, receiver, target, OUTBOX_QUEUED, &lane->waiting, error) ||
        !count(database, receiver, target, OUTBOX_DEAD, &lane->dead, error) ||
        !count(database, receiver, target, OUTBOX_SENT, &lane->sent, error) ||
        !find_sent(database, receiver, target, &lane->sent_at, error) ||
        !find_oldest(database, receiver, target, arena, &lane->oldest, error))
        return error_wrap(error, "reading the outbox");
    return true;
}

bool outbox_list_open(struct database *database, outbox_list_visit *visit, void *context,
                      struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &lane_rows,
                    " WHERE state <> 'sent' GROUP BY receiver, target ORDER BY receiver, target");
    return each(statement, &lane_rows, visit, context, error);
}

int64_t outbox_list_done_at(const struct outbox_list_lane *lane, double rate, double burst,
                            int64_t now)
{
    const struct outbox_message *oldest = &lane->oldest;
    double rest = (double)lane->waiting - (burst < 1 ? 1 : burst);
    int64_t from = oldest->attempts && oldest->due_at > now ? oldest->due_at : now;
    if (!lane->waiting)
        return 0;
    return rest > 0 && rate > 0 ? from + (int64_t)ceil(rest / rate) : from;
}

/* --- messages --------------------------------------------------------------------------------- */

bool outbox_list_each(struct database *database, const struct outbox_list *list,
                      outbox_list_visit *visit, void *context, struct error *error)
{
    const char *before = list->before ? list->before : LAST_ID;
    bool sent = list->state == OUTBOX_SENT;
    /* those that wait or died have an index of their own, and are few */
    struct database_statement *statement =
        rows_select(database, &listed_rows,
                    sent ? " WHERE ($1 IS NULL OR receiver = $1) AND state = $2 AND id < $3"
                           " ORDER BY id DESC LIMIT $4"
                         : " WHERE ($1 IS NULL OR receiver = $1) AND state <> 'sent' AND state = $2"
                           " AND +id < $3 ORDER BY +id DESC LIMIT $4");
    database_bind(statement, list->receiver, outbox_state_words[list->state], before, list->limit);
    return each(statement, &listed_rows, visit, context, error);
}

bool outbox_list_title(struct database *database, const char *id, struct arena *arena,
                       const char **title, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT CASE WHEN JSON_VALID(page) THEN JSON_EXTRACT(page, '$.title') END"
                  " FROM outbox_message WHERE id = $1");
    database_bind(statement, id);
    if (!database_get_text(statement, arena, title, error))
        return error_wrap(error, "reading the outbox");
    *title = *title ? *title : "";
    return true;
}

bool outbox_list_about(struct database *database, const char *fingerprint, const char *receiver,
                       int64_t limit, outbox_list_visit *visit, void *context, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &about_rows,
                    " WHERE a.fingerprint = $1 AND ($2 IS NULL OR m.receiver = $2)"
                    " ORDER BY m.id DESC LIMIT $3");
    database_bind(statement, fingerprint, receiver, limit);
    return each(statement, &about_rows, visit, context, error);
}

bool outbox_list_members(struct database *database, const char *id, int64_t limit,
                         outbox_list_member *visit, void *context, struct error *error)
{
    struct database_statement *statement = rows_select(
        database, &member_rows, " WHERE message_id = $1 ORDER BY fingerprint, event LIMIT $2");
    database_bind(statement, id, limit);
    for (bool found;;) {
        struct outbox_member member = { 0 };
        if (!rows_next(statement, &member_rows, NULL, &member, &found, error))
            return error_wrap(error, "reading the outbox");
        if (!found)
            return true;
        if (!visit(context, &member, error)) {
            database_reset(statement);
            return false;
        }
    }
}
