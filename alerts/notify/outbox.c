#include "alerts/notify/outbox.h"

#include <string.h>

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
    bool row = false;
    if (!database_step(statement, &row, error))
        return error_wrap(error, "reading the outbox");
    clock->last_ms = row ? time_of(database_text(statement, 0)) : 0;
    database_reset(statement);
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

static bool add_message(struct database *database, const char *id,
                        const struct notification *notification, size_t target,
                        const struct buf *json, int64_t expires_s, int64_t now, struct error *error)
{
    struct hash_sha256 hash;
    char hex[2 * sizeof hash.bytes + 1];
    hash_sha256(json->data, json->length, &hash);
    struct database_statement *statement = database_prepare(
        database, "INSERT INTO outbox_message (id, receiver, target, event, status, dedup_key,"
                  " page_hash, page_bytes, state, event_at, created_at, due_at, expires_at,"
                  " sent_at, attempts, last_status, last_reason, last_error, page) VALUES"
                  " ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, $10, $10, $11,"
                  " 0, 0, 0, '', '', $12)");
    database_bind_text(statement, 1, id);
    database_bind_text(statement, 2, notification->receiver);
    database_bind_integer(statement, 3, (int64_t)target);
    database_bind_text(statement, 4, notification->event);
    database_bind_text(statement, 5, notification_status_words[notification->status]);
    database_bind_text(statement, 6, notification->dedup_key);
    database_bind_text(statement, 7, hash_hex(hash.bytes, sizeof hash.bytes, hex));
    database_bind_integer(statement, 8, (int64_t)json->length);
    database_bind_integer(statement, 9, notification->event_at);
    database_bind_integer(statement, 10, now);
    database_bind_integer(statement, 11, now + expires_s);
    database_bind_text(statement, 12, buf_cstr(json));
    return database_run(statement, error);
}

static bool add_member(struct database *database, const char *id,
                       const struct outbox_member *member, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "INSERT INTO outbox_member (message_id, fingerprint, finding_id, episode, event,"
                  " status) VALUES ($1, $2, $3, $4, $5, $6)");
    database_bind_text(statement, 1, id);
    database_bind_text(statement, 2, member->fingerprint);
    database_bind_blob(statement, 3, member->has_finding ? member->finding_id.bytes : NULL,
                       sizeof member->finding_id.bytes);
    database_bind_integer(statement, 4, member->episode);
    database_bind_text(statement, 5, member->event);
    database_bind_text(statement, 6, notification_status_words[member->status]);
    return database_run(statement, error);
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

#define COLUMNS                                                                                    \
    "m.id, m.receiver, m.target, m.event, m.status, m.dedup_key, m.page_bytes, m.state,"           \
    " m.event_at, m.created_at, m.due_at, m.expires_at, m.sent_at, m.attempts, m.last_status,"     \
    " m.last_reason, m.last_error, m.page"

static enum outbox_state state_of(const char *word)
{
    int state = 0;
    while (state < OUTBOX_DEAD && strcmp(outbox_state_words[state], word) != 0)
        state++;
    return (enum outbox_state)state;
}

/* The current row of a statement over COLUMNS. */
static void read_message(struct database_statement *row, struct arena *arena,
                         struct outbox_message *message)
{
    *message = (struct outbox_message){
        .receiver = arena_text(arena, database_text(row, 1)),
        .target = (int)database_integer(row, 2),
        .event = arena_text(arena, database_text(row, 3)),
        .status = arena_text(arena, database_text(row, 4)),
        .dedup_key = arena_text(arena, database_text(row, 5)),
        .notification_bytes = (size_t)database_integer(row, 6),
        .state = state_of(database_text(row, 7)),
        .event_at = database_integer(row, 8),
        .created_at = database_integer(row, 9),
        .due_at = database_integer(row, 10),
        .expires_at = database_integer(row, 11),
        .sent_at = database_integer(row, 12),
        .attempts = (int)database_integer(row, 13),
        .last_status = (int)database_integer(row, 14),
        .last_reason = arena_text(arena, database_text(row, 15)),
        .last_error = arena_text(arena, database_text(row, 16)),
        .notification = arena_text(arena, database_text(row, 17)),
    };
    strncpy(message->id, database_text(row, 0), sizeof message->id - 1);
}

/* The only row, or none. */
static bool read_one(struct database_statement *statement, struct arena *arena,
                     struct outbox_message *message, bool *found, struct error *error)
{
    if (!database_step(statement, found, error))
        return error_wrap(error, "reading the outbox");
    if (*found)
        read_message(statement, arena, message);
    database_reset(statement);
    return true;
}

bool outbox_find(struct database *database, const char *id, struct arena *arena,
                 struct outbox_message *message, bool *found, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT " COLUMNS " FROM outbox_message m WHERE m.id = $1");
    database_bind_text(statement, 1, id);
    return read_one(statement, arena, message, found, error);
}

bool outbox_each(struct database *database, const char *receiver, enum outbox_state state,
                 outbox_visit *visit, void *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct outbox_message message;
    bool open = state == OUTBOX_STATE_COUNT;
    struct database_statement *statement = database_prepare(
        database, open ? "SELECT " COLUMNS " FROM outbox_message m WHERE m.state <> 'sent'"
                         " AND ($1 IS NULL OR m.receiver = $1) ORDER BY m.id"
                       : "SELECT " COLUMNS " FROM outbox_message m WHERE"
                         " ($1 IS NULL OR m.receiver = $1) AND m.state = $2 ORDER BY m.id");
    database_bind_text(statement, 1, receiver);
    if (!open)
        database_bind_text(statement, 2, outbox_state_words[state]);
    for (bool row = true;;) {
        if (!database_step(statement, &row, error))
            return error_wrap(error, "reading the outbox");
        if (!row)
            return true;
        arena_reset(&arena);
        read_message(statement, &arena, &message);
        if (!visit(context, &message, error))
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
    struct database_statement *statement = database_prepare(
        database, "SELECT " COLUMNS " FROM outbox_message m WHERE m.receiver = $1"
                  " AND m.target = $2 AND m.state = 'queued' AND (m.expires_at <= $3 OR"
                  " ((m.attempts = 0 OR m.due_at <= $3 OR m.due_at > $3 + " WAIT_MAX_S ")"
                  " AND NOT " BLOCKED ")) ORDER BY m.id LIMIT 1");
    database_bind_text(statement, 1, receiver);
    database_bind_integer(statement, 2, target);
    database_bind_integer(statement, 3, now);
    return read_one(statement, arena, message, found, error);
}

bool outbox_accepted(struct database *database, const char *receiver, int target,
                     const char *fingerprint, bool *accepted, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT a.status FROM outbox_member a JOIN outbox_message m"
                  " ON m.id = a.message_id WHERE a.fingerprint = $1 AND m.receiver = $2"
                  " AND m.target = $3 AND m.state = 'sent' ORDER BY m.id DESC LIMIT 1");
    database_bind_text(statement, 1, fingerprint);
    database_bind_text(statement, 2, receiver);
    database_bind_integer(statement, 3, target);
    bool row = false;
    if (!database_step(statement, &row, error))
        return error_wrap(error, "reading the outbox");
    *accepted =
        row && !strcmp(database_text(statement, 0), notification_status_words[NOTIFICATION_FIRING]);
    database_reset(statement);
    return true;
}

/* Whether the lane accepted the firing of any alert that this message resolves. */
static bool firing_was_accepted(struct database *database, const struct outbox_message *message,
                                bool *accepted, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT EXISTS (SELECT 1 FROM outbox_member r WHERE r.message_id = $1"
                  " AND 'firing' = (SELECT a.status FROM outbox_member a JOIN outbox_message m"
                  " ON m.id = a.message_id WHERE a.fingerprint = r.fingerprint"
                  " AND m.receiver = $2 AND m.target = $3 AND m.state = 'sent'"
                  " ORDER BY m.id DESC LIMIT 1))");
    database_bind_text(statement, 1, message->id);
    database_bind_text(statement, 2, message->receiver);
    database_bind_integer(statement, 3, message->target);
    bool row = false;
    if (!database_step(statement, &row, error))
        return error_wrap(error, "reading the outbox");
    *accepted = row && database_integer(statement, 0);
    database_reset(statement);
    return true;
}

/* Why a message is not to be tried any more; NULL = it is. */
static bool verdict_of(struct database *database, const struct outbox_message *message, int64_t now,
                       const char **reason, struct error *error)
{
    bool accepted = true;
    *reason = message->expires_at <= now ? "expired" : NULL;
    if (*reason || strcmp(message->status, notification_status_words[NOTIFICATION_RESOLVED]) != 0)
        return true;
    if (!firing_was_accepted(database, message, &accepted, error))
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
    database_bind_text(statement, 1, receiver);
    database_bind_integer(statement, 2, target);
    bool row = false;
    if (!database_step(statement, &row, error))
        return error_wrap(error, "reading the outbox");
    *at = row ? database_integer(statement, 0) : 0;
    database_reset(statement);
    return true;
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

bool outbox_mark_sent(struct database *database, const char *id, int status, int64_t now,
                      struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE outbox_message SET state = 'sent', sent_at = $1, last_status = $2,"
                  " attempts = attempts + 1, last_reason = '', last_error = ''"
                  " WHERE id = $3 AND state <> 'sent'");
    database_bind_integer(statement, 1, now);
    database_bind_integer(statement, 2, status);
    database_bind_text(statement, 3, id);
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
    database_bind_integer(statement, 1, at);
    database_bind_integer(statement, 2, status);
    database_bind_text(statement, 3, reason);
    database_bind_text(statement, 4, cut);
    database_bind_text(statement, 5, id);
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

/* Its state, for what an operator may do with it. */
static bool state_by_id(struct database *database, const char *id, enum outbox_state *state,
                        struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT state FROM outbox_message WHERE id = $1");
    database_bind_text(statement, 1, id);
    bool row = false;
    if (!database_step(statement, &row, error))
        return error_wrap(error, "reading the outbox");
    if (!row)
        return error_set(error, ERROR_NOT_FOUND, "no message %s", id);
    *state = state_of(database_text(statement, 0));
    database_reset(statement);
    return true;
}

bool outbox_retry(struct database *database, const char *id, int64_t expires_s, int64_t now,
                  struct error *error)
{
    enum outbox_state state = OUTBOX_QUEUED;
    if (!state_by_id(database, id, &state, error))
        return false;
    if (state != OUTBOX_DEAD)
        return error_set(error, ERROR_REQUEST, "message %s is %s, only a dead one can be retried",
                         id, outbox_state_words[state]);
    struct database_statement *statement = database_prepare(
        database, "UPDATE outbox_message SET state = 'queued', due_at = $1, expires_at = $2,"
                  " sent_at = 0, attempts = 0 WHERE state = 'dead' AND (id = $3 OR"
                  " (last_reason = 'notFired' AND id > $3 AND EXISTS (SELECT 1"
                  " FROM outbox_message f JOIN outbox_member a ON a.message_id = f.id"
                  " JOIN outbox_member b ON b.fingerprint = a.fingerprint WHERE f.id = $3"
                  " AND f.receiver = outbox_message.receiver AND f.target = outbox_message.target"
                  " AND b.message_id = outbox_message.id)))");
    database_bind_integer(statement, 1, now);
    database_bind_integer(statement, 2, now + expires_s);
    database_bind_text(statement, 3, id);
    return run_alone(database, statement, NULL, error);
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
    if (!database_begin(database, error))
        return false;
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM outbox_message WHERE id = $1 AND state = 'dead'");
    database_bind_text(statement, 1, id);
    if (!database_run(statement, error) || !delete_members(database, error)) {
        database_rollback(database);
        return false;
    }
    return database_commit(database, error);
}

bool outbox_drop(struct database *database, const char *id, int64_t now, struct error *error)
{
    enum outbox_state state = OUTBOX_QUEUED;
    if (!state_by_id(database, id, &state, error))
        return false;
    if (state == OUTBOX_SENT)
        return error_set(error, ERROR_REQUEST, "message %s was accepted already", id);
    if (state == OUTBOX_DEAD)
        return delete_message(database, id, error);
    return outbox_mark_dead(database, id, 0, "dropped", "", now, error);
}

/* --- housekeeping --------------------------------------------------------------------------- */

/* Kept: what a lane accepted last about an alert that is not over. */
static bool delete_sent(struct database *database, int64_t before, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database,
        "DELETE FROM outbox_message WHERE state = 'sent' AND sent_at < $1 AND NOT EXISTS"
        " (SELECT 1 FROM outbox_member a WHERE a.message_id = outbox_message.id"
        " AND (EXISTS (SELECT 1 FROM active_alert t WHERE t.fingerprint = a.fingerprint)"
        " OR EXISTS (SELECT 1 FROM outbox_member b JOIN outbox_message q ON q.id = b.message_id"
        " WHERE b.fingerprint = a.fingerprint AND q.state = 'queued'))"
        " AND NOT EXISTS (SELECT 1 FROM outbox_member c JOIN outbox_message n"
        " ON n.id = c.message_id WHERE c.fingerprint = a.fingerprint AND n.state = 'sent'"
        " AND n.receiver = outbox_message.receiver AND n.target = outbox_message.target"
        " AND n.id > outbox_message.id))");
    database_bind_integer(statement, 1, before);
    return database_run(statement, error);
}

static bool run_at(struct database *database, const char *sql, int64_t at, struct error *error)
{
    struct database_statement *statement = database_prepare(database, sql);
    database_bind_integer(statement, 1, at);
    return database_run(statement, error);
}

bool outbox_prune(struct database *database, int64_t keep_s, int64_t now, struct error *error)
{
    /* The lanes expire their own: what is an hour over has no lane. */
    bool ok = run_at(database,
                     "UPDATE outbox_message SET state = 'dead', sent_at = expires_at,"
                     " last_reason = 'expired' WHERE state = 'queued' AND expires_at <= $1 - 3600",
                     now, error) &&
              delete_sent(database, now - keep_s, error);
    int64_t deleted = ok ? database_changes(database) : 0;
    ok = ok && run_at(database, "DELETE FROM outbox_message WHERE state = 'dead' AND sent_at < $1",
                      now - KEEP_DEAD_S, error);
    deleted += ok ? database_changes(database) : 0;
    if (ok && deleted)
        ok = delete_members(database, error);
    return ok || error_wrap(error, "pruning the outbox");
}

bool outbox_bytes(struct database *database, int64_t *count, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT SUM(page_bytes) FROM outbox_message WHERE state <> 'sent'"
                  " AND state = 'queued'"); /* the first condition names the index */
    bool row = false;
    if (!database_step(statement, &row, error))
        return error_wrap(error, "measuring the outbox");
    *count = row ? database_integer(statement, 0) : 0;
    database_reset(statement);
    return true;
}
