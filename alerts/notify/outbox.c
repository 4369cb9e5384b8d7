#include "alerts/notify/outbox.h"

#include <string.h>

#include "alerts/notify/outbox_told.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "core/buf.h"
#include "core/hash.h"

/* No message waits longer: Retry-After is obeyed up to an hour. */
#define WAIT_MAX_S "3600"

enum { KEEP_DEAD_S = 90 * 86400, ERROR_TEXT_BYTES = 256 };

const char *const outbox_state_words[] = { "queued", "inflight", "sent", "dead", NULL };

/* --- ids ------------------------------------------------------------------------------------ */

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's base32 */

/* The time in an id, in ms. */
static int64_t time_of(const char *id)
{
    int64_t value = 0;
    for (int i = 0; i < 10 && id[i]; i++) {
        const char *digit = strchr(digits, id[i]);
        value = value * 32 + (digit ? digit - digits : 0);
    }
    return value;
}

bool outbox_clock_start(struct database *database, struct outbox_clock *clock, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT MAX(id) FROM outbox_message");
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const char *last = NULL;
    if (!database_get_text(statement, &arena, &last, error))
        return error_wrap(error, "reading the outbox");
    clock->last_ms = last ? time_of(last) : 0;
    return true;
}

char *outbox_id(struct outbox_clock *clock, int64_t now_ms, char out[OUTBOX_ID_BYTES])
{
    uint8_t random[16];
    hash_random(random, sizeof random);
    clock->last_ms = now_ms > clock->last_ms ? now_ms : clock->last_ms + 1;
    for (int i = 0; i < 10; i++)
        out[i] = digits[clock->last_ms >> (5 * (9 - i)) & 31];
    for (int i = 0; i < 16; i++)
        out[10 + i] = digits[random[i] & 31];
    out[26] = 0;
    return out;
}

/* --- adding --------------------------------------------------------------------------------- */

/* A message as it is kept, with what nobody reads. */
struct kept {
    struct outbox_message message;
    const char *hash; /* of the notification */
};

/* clang-format off */
static const struct row_field kept_fields[] = {
    ROW_CHARS  (struct kept, message.id, "id"),
    ROW_TEXT   (struct kept, message.receiver, "receiver"),
    ROW_INTEGER(struct kept, message.target, "target"),
    ROW_TEXT   (struct kept, message.event, "event"),
    ROW_TEXT   (struct kept, message.status, "status"),
    ROW_TEXT   (struct kept, message.dedup_key, "dedup_key"),
    ROW_TEXT   (struct kept, hash, "page_hash"),
    ROW_INTEGER(struct kept, message.notification_bytes, "page_bytes"),
    ROW_WORD   (struct kept, message.state, "state", outbox_state_words, OUTBOX_DEAD),
    ROW_INTEGER(struct kept, message.event_at, "event_at"),
    ROW_INTEGER(struct kept, message.created_at, "created_at"),
    ROW_INTEGER(struct kept, message.due_at, "due_at"),
    ROW_INTEGER(struct kept, message.expires_at, "expires_at"),
    ROW_INTEGER(struct kept, message.sent_at, "sent_at"),
    ROW_INTEGER(struct kept, message.attempts, "attempts"),
    ROW_INTEGER(struct kept, message.last_status, "last_status"),
    ROW_TEXT   (struct kept, message.last_reason, "last_reason"),
    ROW_TEXT   (struct kept, message.last_error, "last_error"),
    ROW_TEXT   (struct kept, message.recipients, "recipients"),
    ROW_TEXT   (struct kept, message.notification, "page"),
    { 0 }
};
struct kept_member {
    const char *message_id;
    struct outbox_member is;
};
static const struct row_field member_fields[] = {
    ROW_TEXT   (struct kept_member, message_id, "message_id"),
    ROW_TEXT   (struct kept_member, is.fingerprint, "fingerprint"),
    ROW_BYTES  (struct kept_member, is.finding_id.bytes, "finding_id", is.has_finding),
    ROW_INTEGER(struct kept_member, is.episode, "episode"),
    ROW_TEXT   (struct kept_member, is.event, "event"),
    ROW_WORD   (struct kept_member, is.status, "status", notification_status_words,
                NOTIFICATION_FIRING),
    { 0 }
};
/* clang-format on */
static const struct rows_table kept_rows = { "outbox_message", 1, kept_fields };
static const struct rows_table member_rows = { "outbox_member", 1, member_fields };

static bool add_message(struct database *database, const char *id,
                        const struct notification *notification, size_t target,
                        const struct buf *json, int64_t expires_s, int64_t now, struct error *error)
{
    struct hash_sha256 hash;
    char hex[2 * sizeof hash.bytes + 1];
    hash_sha256(json->data, json->length, &hash);
    struct kept kept = {
        .message = {
            .receiver = notification->receiver,
            .target = (int)target,
            .state = OUTBOX_QUEUED,
            .event = notification->event,
            .status = notification_status_words[notification->status],
            .dedup_key = notification->dedup_key,
            .notification = buf_cstr(json),
            .notification_bytes = json->length,
            .event_at = notification->event_at,
            .created_at = now,
            .due_at = now,
            .expires_at = now + expires_s,
            .last_reason = "",
            .last_error = "",
            .recipients = "",
        },
        .hash = hash_hex(hash.bytes, sizeof hash.bytes, hex),
    };
    memcpy(kept.message.id, id, OUTBOX_ID_BYTES);
    return rows_insert(database, &kept_rows, &kept, error);
}

static bool add_member(struct database *database, const char *id,
                       const struct outbox_member *member, struct error *error)
{
    const struct kept_member kept = { id, *member };
    return rows_insert(database, &member_rows, &kept, error);
}

bool outbox_add(struct database *database, struct outbox_clock *clock,
                const struct notification *notification, size_t targets,
                const struct outbox_member *members, size_t member_count, int64_t expires_s,
                int64_t now, struct error *error)
{
    CLEANUP(buf_finish) struct buf json = { 0 };
    notification_write(notification, &json);
    for (size_t target = 0; target < targets; target++) {
        char id[OUTBOX_ID_BYTES];
        outbox_id(clock, now * 1000, id);
        bool ok = add_message(database, id, notification, target, &json, expires_s, now, error);
        for (size_t i = 0; ok && i < member_count; i++)
            ok = add_member(database, id, &members[i], error);
        if (!ok)
            return error_wrap(error, "queueing for %s", notification->receiver);
    }
    return true;
}

/* --- reading -------------------------------------------------------------------------------- */

/* The only row, or none. */
static bool read_one(struct database_statement *statement, struct arena *arena,
                     struct outbox_message *message, bool *found, struct error *error)
{
    struct kept kept = { 0 };
    if (!rows_one(statement, &kept_rows, arena, &kept, found, error))
        return error_wrap(error, "reading the outbox");
    *message = kept.message;
    return true;
}

bool outbox_find(struct database *database, const char *id, struct arena *arena,
                 struct outbox_message *message, bool *found, struct error *error)
{
    struct database_statement *statement = rows_select(database, &kept_rows, " WHERE id = $1");
    database_bind(statement, id);
    return read_one(statement, arena, message, found, error);
}

/* Each is a key and a range of it, so that who goes on reads nothing again. */
#define BEHIND " WHERE ($1 IS NULL OR receiver = $1) AND id > $2 AND "

bool outbox_each_after(struct database *database, const char *receiver, enum outbox_state state,
                       const char *after, outbox_visit *visit, void *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct kept kept;
    const char *word = state == OUTBOX_STATE_COUNT ? NULL : outbox_state_words[state];
    struct database_statement *statement = rows_select(
        database, &kept_rows,
        state == OUTBOX_SENT ? BEHIND "+state = $3 ORDER BY id"
                             : BEHIND "state <> 'sent' AND ($3 IS NULL OR state = $3) ORDER BY id");
    database_bind(statement, receiver, after, word);
    for (bool found = true;;) {
        arena_reset(&arena);
        if (!rows_next(statement, &kept_rows, &arena, &kept, &found, error))
            return error_wrap(error, "reading the outbox");
        if (!found)
            return true;
        if (!visit(context, &kept.message, error))
            break;
    }
    database_reset(statement);
    return false;
}

/* --- what a lane may try -------------------------------------------------------------------- */

/* An earlier queued message of the lane says something about the same. */
#define BLOCKED                                                                                    \
    "(EXISTS (SELECT 1 FROM outbox_message e WHERE e.receiver = m.receiver"                        \
    " AND e.target = m.target AND e.dedup_key = m.dedup_key AND e.state = 'queued'"                \
    " AND e.id < m.id)"                                                                            \
    " OR EXISTS (SELECT 1 FROM outbox_member a JOIN outbox_member b"                               \
    " ON b.fingerprint = a.fingerprint JOIN outbox_message e ON e.id = b.message_id"               \
    " WHERE a.message_id = m.id AND b.message_id < m.id AND e.receiver = m.receiver"               \
    " AND e.target = m.target AND e.state = 'queued'))"

/* The oldest of the lane that is over its time, or may be tried. */
static bool next_of_lane(struct database *database, const char *receiver, int target, int64_t now,
                         struct arena *arena, struct outbox_message *message, bool *found,
                         struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &kept_rows,
                    " m WHERE m.receiver = $1 AND m.target = $2 AND m.state = 'queued' AND"
                    " (m.expires_at <= $3 OR ((m.attempts = 0 OR m.due_at <= $3 OR"
                    " m.due_at > $3 + " WAIT_MAX_S ") AND NOT " BLOCKED ")) ORDER BY m.id LIMIT 1");
    database_bind(statement, receiver, target, now);
    return read_one(statement, arena, message, found, error);
}

/* Why a message is not to be tried any more; NULL = it is. */
static bool verdict_of(struct database *database, const struct outbox_message *message, int64_t now,
                       const char **reason, struct error *error)
{
    bool accepted = true;
    *reason = message->expires_at <= now ? "expired" : NULL;
    if (*reason || strcmp(message->status, notification_status_words[NOTIFICATION_RESOLVED]) != 0)
        return true;
    if (!outbox_told_any(database, message, &accepted, error))
        return false;
    *reason = accepted ? NULL : "notFired";
    return true;
}

bool outbox_next(struct database *database, const char *receiver, int target, int64_t now,
                 struct arena *arena, struct outbox_message *message, bool *found,
                 void (*dead)(void *context, const struct outbox_message *message), void *context,
                 struct error *error)
{
    for (;;) {
        const char *reason = NULL;
        if (!next_of_lane(database, receiver, target, now, arena, message, found, error))
            return false;
        if (!*found)
            return true;
        if (!verdict_of(database, message, now, &reason, error))
            return false;
        if (!reason)
            return true;
        if (!outbox_mark_dead(database, message->id, message->last_status, reason,
                              message->last_error, now, error))
            return false;
        message->state = OUTBOX_DEAD;
        message->last_reason = reason;
        if (dead)
            dead(context, message);
    }
}

bool outbox_next_at(struct database *database, const char *receiver, int target, int64_t *at,
                    struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT MIN(CASE WHEN m.due_at < m.expires_at THEN m.due_at ELSE m.expires_at"
                  " END) FROM outbox_message m WHERE m.receiver = $1 AND m.target = $2"
                  " AND m.state = 'queued' AND NOT " BLOCKED);
    database_bind(statement, receiver, target);
    return database_get_integer(statement, at, error) || error_wrap(error, "reading the outbox");
}

/* --- what became of it ---------------------------------------------------------------------- */

/* Run one changing statement in a transaction of its own. changed: rows, may be NULL. */
static bool run_alone(struct database *database, struct database_statement *statement,
                      int64_t *changed, struct error *error)
{
    if (!database_begin(database, error))
        return false;
    if (!database_run(statement, error)) {
        database_rollback(database);
        return false;
    }
    if (changed)
        *changed = database_changes(database);
    return database_commit(database, error);
}

static struct database_statement *mark_sent(struct database *database, const char *id, int status,
                                            int64_t now)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE outbox_message SET state = 'sent', sent_at = $1, last_status = $2,"
                  " attempts = attempts + 1, last_reason = '', last_error = ''"
                  " WHERE id = $3 AND state <> 'sent'");
    database_bind(statement, now, status, id);
    return statement;
}

bool outbox_mark_sent(struct database *database, const char *id, int status, int64_t now,
                      struct error *error)
{
    return run_alone(database, mark_sent(database, id, status, now), NULL, error) ||
           error_wrap(error, "noting %s", id);
}

bool outbox_mark_posted(struct database *database, const char *id, int status,
                        const struct outbox_thread *thread, int64_t now, struct error *error)
{
    if (!database_begin(database, error))
        return error_wrap(error, "noting %s", id);
    if (!database_run(mark_sent(database, id, status, now), error) ||
        !outbox_thread_put(database, thread, error)) {
        database_rollback(database);
        return error_wrap(error, "noting %s", id);
    }
    return database_commit(database, error) || error_wrap(error, "noting %s", id);
}

bool outbox_mark_partly(struct database *database, const char *id, int status,
                        const char *recipients, int64_t due_at, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE outbox_message SET due_at = $1, last_status = $2, recipients = $3,"
                  " attempts = attempts + 1 WHERE id = $4 AND state = 'queued'");
    database_bind(statement, due_at, status, recipients, id);
    return run_alone(database, statement, NULL, error) || error_wrap(error, "noting %s", id);
}

/* What became of a failed attempt; at: due_at of a queued one, sent_at of a dead one. */
static bool mark_failed(struct database *database, const char *sql, const char *id, int status,
                        const char *reason, const char *text, int64_t at, struct error *error)
{
    char cut[ERROR_TEXT_BYTES];
    strncpy(cut, text, sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    struct database_statement *statement = database_prepare(database, sql);
    database_bind(statement, at, status, reason, cut, id);
    return run_alone(database, statement, NULL, error) || error_wrap(error, "noting %s", id);
}

bool outbox_mark_retry(struct database *database, const char *id, int status, const char *reason,
                       const char *text, int64_t due_at, struct error *error)
{
    return mark_failed(database,
                       "UPDATE outbox_message SET due_at = $1, last_status = $2, last_reason = $3,"
                       " last_error = $4, attempts = attempts + 1"
                       " WHERE id = $5 AND state = 'queued'",
                       id, status, reason, text, due_at, error);
}

bool outbox_mark_dead(struct database *database, const char *id, int status, const char *reason,
                      const char *text, int64_t now, struct error *error)
{
    return mark_failed(database,
                       "UPDATE outbox_message SET state = 'dead', sent_at = $1, last_status = $2,"
                       " last_reason = $3, last_error = $4 WHERE id = $5 AND state = 'queued'",
                       id, status, reason, text, now, error);
}

/* --- operators ------------------------------------------------------------------------------ */

/* What an operator does to one message, in a transaction. */
struct act {
    const char *id;
    const struct audit_by *by;
    struct outbox_message message;
    int64_t expires_s, now;
    struct arena arena;
};

static bool find_message(struct database *database, struct act *act, struct error *error)
{
    bool found;
    return outbox_find(database, act->id, &act->arena, &act->message, &found, error) &&
           (found || error_set(error, ERROR_NOT_FOUND, "no message %s", act->id));
}

static bool note(struct database *database, const struct act *act, enum audit_action action,
                 struct error *error)
{
    CLEANUP(buf_finish) struct buf detail = { 0 };
    buf_printf(&detail, "%s of %s for %s", act->id, act->message.event, act->message.receiver);
    return audit_add(database, action, act->by, act->id, buf_cstr(&detail), act->now, error);
}

static bool retry(struct database *database, struct act *act, struct error *error)
{
    if (!find_message(database, act, error))
        return false;
    if (act->message.state != OUTBOX_DEAD)
        return error_set(error, ERROR_REQUEST, "message %s is %s, only a dead one can be retried",
                         act->id, outbox_state_words[act->message.state]);
    struct database_statement *statement = database_prepare(
        database, "UPDATE outbox_message SET state = 'queued', due_at = $1, expires_at = $2,"
                  " sent_at = 0, attempts = 0 WHERE state = 'dead' AND (id = $3 OR"
                  " (last_reason = 'notFired' AND id > $3 AND EXISTS (SELECT 1"
                  " FROM outbox_message f JOIN outbox_member a ON a.message_id = f.id"
                  " JOIN outbox_member b ON b.fingerprint = a.fingerprint WHERE f.id = $3"
                  " AND f.receiver = outbox_message.receiver AND f.target = outbox_message.target"
                  " AND b.message_id = outbox_message.id)))");
    database_bind(statement, act->now, act->now + act->expires_s, act->id);
    return database_run(statement, error) && note(database, act, AUDIT_OUTBOX_RETRIED, error);
}

static bool delete_members(struct database *database, struct error *error)
{
    return database_run(database_prepare(database,
                                         "DELETE FROM outbox_member WHERE NOT EXISTS"
                                         " (SELECT 1 FROM outbox_message WHERE id = message_id)"),
                        error);
}

static bool delete_message(struct database *database, const char *id, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM outbox_message WHERE id = $1 AND state = 'dead'");
    database_bind(statement, id);
    return database_run(statement, error) && delete_members(database, error);
}

static bool give_up(struct database *database, const struct act *act, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE outbox_message SET state = 'dead', sent_at = $1, last_status = 0,"
                  " last_reason = 'dropped', last_error = '' WHERE id = $2 AND state = 'queued'");
    database_bind(statement, act->now, act->id);
    return database_run(statement, error);
}

static bool drop(struct database *database, struct act *act, struct error *error)
{
    if (!find_message(database, act, error))
        return false;
    if (act->message.state == OUTBOX_SENT)
        return error_set(error, ERROR_REQUEST, "message %s was accepted already", act->id);
    bool ok = act->message.state == OUTBOX_DEAD ? delete_message(database, act->id, error)
                                                : give_up(database, act, error);
    return ok && note(database, act, AUDIT_OUTBOX_DROPPED, error);
}

static bool act_alone(struct database *database,
                      bool (*function)(struct database *, struct act *, struct error *),
                      struct act *act, struct error *error)
{
    bool begun = database_begin(database, error);
    bool ok = begun && function(database, act, error);
    if (ok)
        ok = database_commit(database, error);
    else if (begun)
        database_rollback(database);
    arena_finish(&act->arena);
    return ok;
}

bool outbox_retry(struct database *database, const char *id, int64_t expires_s,
                  const struct audit_by *by, int64_t now, struct error *error)
{
    struct act act = { .id = id, .by = by, .expires_s = expires_s, .now = now };
    return act_alone(database, retry, &act, error);
}

bool outbox_drop(struct database *database, const char *id, const struct audit_by *by, int64_t now,
                 struct error *error)
{
    struct act act = { .id = id, .by = by, .now = now };
    return act_alone(database, drop, &act, error);
}

/* --- housekeeping --------------------------------------------------------------------------- */

/* Delete the messages of these ids, and what they are about. */
static bool delete_each(struct database *database, struct database_statement *ids,
                        struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys keys;
    if (!rows_read_keys(ids, &arena, &keys, error))
        return false;
    for (size_t i = 0; i < keys.count; i++) {
        struct database_statement *members =
            database_prepare(database, "DELETE FROM outbox_member WHERE message_id = $1");
        database_bind(members, keys.keys[i]);
        if (!database_run(members, error))
            return false;
        struct database_statement *message =
            database_prepare(database, "DELETE FROM outbox_message WHERE id = $1");
        database_bind(message, keys.keys[i]);
        if (!database_run(message, error))
            return false;
    }
    return true;
}

/* Kept: what a lane accepted last about an alert that is not over. */
static bool delete_sent(struct database *database, int64_t before, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database,
        "SELECT id FROM outbox_message WHERE state = 'sent' AND sent_at < $1 AND NOT EXISTS"
        " (SELECT 1 FROM outbox_member a WHERE a.message_id = outbox_message.id"
        " AND (EXISTS (SELECT 1 FROM active_alert t WHERE t.fingerprint = a.fingerprint)"
        " OR EXISTS (SELECT 1 FROM outbox_member b JOIN outbox_message q ON q.id = b.message_id"
        " WHERE b.fingerprint = a.fingerprint AND q.state = 'queued'))"
        " AND NOT EXISTS (SELECT 1 FROM outbox_member c JOIN outbox_message n"
        " ON n.id = c.message_id WHERE c.fingerprint = a.fingerprint AND n.state = 'sent'"
        " AND n.receiver = outbox_message.receiver AND n.target = outbox_message.target"
        " AND n.id > outbox_message.id)) LIMIT $2");
    database_bind(statement, before, SCHEMA_PRUNE_ROWS);
    return delete_each(database, statement, error);
}

static bool delete_dead(struct database *database, int64_t before, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT id FROM outbox_message WHERE state <> 'sent' AND state = 'dead'"
                  " AND sent_at < $1 LIMIT $2");
    database_bind(statement, before, SCHEMA_PRUNE_ROWS);
    return delete_each(database, statement, error);
}

/* The lanes expire their own: what is an hour over has no lane. */
static bool expire(struct database *database, int64_t now, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE outbox_message SET state = 'dead', sent_at = expires_at,"
                  " last_reason = 'expired' WHERE id IN (SELECT id FROM outbox_message"
                  " WHERE state <> 'sent' AND state = 'queued' AND expires_at <= $1 - 3600"
                  " LIMIT $2)");
    database_bind(statement, now, SCHEMA_PRUNE_ROWS);
    return database_run(statement, error);
}

bool outbox_prune(struct database *database, int64_t keep_s, int64_t now, struct error *error)
{
    return (expire(database, now, error) && delete_sent(database, now - keep_s, error) &&
            delete_dead(database, now - KEEP_DEAD_S, error) &&
            outbox_thread_prune(database, error)) ||
           error_wrap(error, "pruning the outbox");
}

bool outbox_bytes(struct database *database, int64_t *count, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT SUM(page_bytes) FROM outbox_message WHERE state <> 'sent'"
                  " AND state = 'queued'"); /* the first condition names the index */
    return database_get_integer(statement, count, error) ||
           error_wrap(error, "measuring the outbox");
}
