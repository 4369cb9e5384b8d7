#pragma once
/* Messages that are decided but not yet accepted. A row is written in the evaluator's transaction
 * and leaves the state `queued` only by acceptance (sent), refusal, expiry or an operator (dead).
 * A lane is one receiver and one of its targets (alertmanager: one per replica).
 *
 * Order: a message is not sent while an earlier queued one of its lane shares its dedup key or a
 * fingerprint. A resolve whose firing died is not sent but closed (dead, reason notFired).
 * Clocks: a message never tried is due at once, and none waits longer than an hour, so that a clock
 * that stepped back delays nothing.
 * Nothing is written before an attempt: a kill while a message is in flight leaves it queued, and
 * the one repeated attempt carries the same id. Delivery knows which messages are in flight. */
#include "alerts/notify/audit.h"
#include "alerts/notify/outbox_thread.h"
#include "alerts/rules/notification.h"
#include "alerts/store/database.h"

enum outbox_state { OUTBOX_QUEUED, OUTBOX_INFLIGHT, OUTBOX_SENT, OUTBOX_DEAD, OUTBOX_STATE_COUNT };
extern const char *const outbox_state_words[];

enum { OUTBOX_ID_BYTES = 27 };

/* The source of ids: 26 characters, the time in ms and 80 random bits in Crockford's base32; ever
 * rising, also when the clock steps back. One per process, evaluator only. */
struct outbox_clock {
    int64_t last_ms;
};
bool outbox_clock_start(struct database *database, struct outbox_clock *clock,
                        struct error *error) MUST_USE;
char *outbox_id(struct outbox_clock *clock, int64_t now_ms, char out[OUTBOX_ID_BYTES]);

/* One alert of a message; the members are all its alerts, not only those described in full. */
struct outbox_member {
    const char *fingerprint, *event;
    enum notification_status status; /* of this alert: a firing message may have resolved ones */
    bool has_finding;
    struct finding_id finding_id;
    uint32_t episode;
};

/* Queue a notification for every target of a receiver (targets rows, one id each, same members).
 * notification->id is ignored. expires_s: from now. Inside the evaluator's transaction. */
bool outbox_add(struct database *database, struct outbox_clock *clock,
                const struct notification *notification, size_t targets,
                const struct outbox_member *members, size_t member_count, int64_t expires_s,
                int64_t now, struct error *error) MUST_USE;

/* A message; texts in the arena of whoever read it. */
struct outbox_message {
    char id[OUTBOX_ID_BYTES];
    const char *receiver;
    int target;
    enum outbox_state state;
    const char *event, *status, *dedup_key, *notification; /* canonical JSON, without id */
    size_t notification_bytes;
    int64_t event_at, created_at, due_at, expires_at, sent_at;
    int attempts, last_status;
    const char *last_reason, *last_error; /* a word; a redacted sentence */
    const char *recipients; /* of a mail that others have taken: who is left, a line each; "" */
};

/* The first message of a lane that may be tried now; *found false when none. Marks expired ones
 * dead on the way and calls `dead` with each (may be NULL). Short transactions of its own. */
bool outbox_next(struct database *database, const char *receiver, int target, int64_t now,
                 struct arena *arena, struct outbox_message *message, bool *found,
                 void (*dead)(void *context, const struct outbox_message *message), void *context,
                 struct error *error) MUST_USE;

/* When the lane has something to do next; 0 = nothing queued. */
bool outbox_next_at(struct database *database, const char *receiver, int target, int64_t *at,
                    struct error *error) MUST_USE;

/* Write the outcome of an attempt. Own transaction each; on ERROR_TIMEOUT (locked) the caller tries
 * again before it sends anything else on this lane: an accepted message must not be sent twice. */
bool outbox_mark_sent(struct database *database, const char *id, int status, int64_t now,
                      struct error *error) MUST_USE;
/* The same, and where the thread is now, at once. */
bool outbox_mark_posted(struct database *database, const char *id, int status,
                        const struct outbox_thread *thread, int64_t now,
                        struct error *error) MUST_USE;
/* Taken by some recipients, the others are tried again. */
bool outbox_mark_partly(struct database *database, const char *id, int status,
                        const char *recipients, int64_t due_at, struct error *error) MUST_USE;
bool outbox_mark_retry(struct database *database, const char *id, int status, const char *reason,
                       const char *text, int64_t due_at, struct error *error) MUST_USE;
bool outbox_mark_dead(struct database *database, const char *id, int status, const char *reason,
                      const char *text, int64_t now, struct error *error) MUST_USE;

/* --- for operators: any thread or process with its own handle -------------------------------- */
/* by: who does it, for the audit; NULL = nobody is told. */
typedef bool outbox_visit(void *context, const struct outbox_message *message, struct error *error);
/* Newest last. receiver NULL = all; state OUTBOX_STATE_COUNT = queued and dead; after: the id of
 * the message behind which they begin, "" = all. */
bool outbox_each_after(struct database *database, const char *receiver, enum outbox_state state,
                       const char *after, outbox_visit *visit, void *context,
                       struct error *error) MUST_USE;
static inline bool outbox_each(struct database *database, const char *receiver,
                               enum outbox_state state, outbox_visit *visit, void *context,
                               struct error *error)
{
    return outbox_each_after(database, receiver, state, "", visit, context, error);
}
bool outbox_find(struct database *database, const char *id, struct arena *arena,
                 struct outbox_message *message, bool *found, struct error *error) MUST_USE;
/* Queue a dead one again with its old id and a new expiry, and the resolves that were closed for
 * its sake; ERROR_NOT_FOUND, ERROR_REQUEST. */
bool outbox_retry(struct database *database, const char *id, int64_t expires_s,
                  const struct audit_by *by, int64_t now, struct error *error) MUST_USE;
/* Dead by an operator's hand (reason dropped); a dead one is deleted. */
bool outbox_drop(struct database *database, const char *id, const struct audit_by *by, int64_t now,
                 struct error *error) MUST_USE;

/* Delete sent ones after keep_s, dead ones after 90 d; but what a lane accepted last about an alert
 * that is not over stays. Queued ones of receivers that are gone expire. In the evaluator's
 * transaction. */
bool outbox_prune(struct database *database, int64_t keep_s, int64_t now,
                  struct error *error) MUST_USE;

/* Bytes of all queued notifications: what settings.outbox_max_bytes limits. */
bool outbox_bytes(struct database *database, int64_t *bytes, struct error *error) MUST_USE;
