#pragma once
/* What people did: silences made, changed and ended, messages queued again and given up,
 * configurations read anew. A row is written in the transaction of the act, by whichever process
 * acts; the evaluator takes it in one of its own, which queues the message about it. After the
 * commit it is counted and logged: each act once, over kills and restarts. */
#include "alerts/store/database.h"
#include "core/metric.h"

enum audit_action {
    AUDIT_SILENCE_CREATED,
    AUDIT_SILENCE_CHANGED,
    AUDIT_SILENCE_EXPIRED,
    AUDIT_OUTBOX_RETRIED,
    AUDIT_OUTBOX_DROPPED,
    AUDIT_RELOAD,
    AUDIT_RELOAD_FAILED,
    AUDIT_ACTION_COUNT
};
extern const char *const audit_action_words[]; /* the label `action` */

#define AUDIT_COMMAND_LINE "command line"
#define AUDIT_SIGNAL "signal"

/* Who acts. */
struct audit_by {
    const char *author; /* as he calls himself; "" = he does not say */
    const char *peer;   /* the user who logged in, else his address, "unix socket", ... */
};

struct audit_event {
    int64_t number; /* in the order they were written */
    enum audit_action action;
    int64_t at;
    const char *author, *peer;
    const char *subject; /* id of the silence or message, file of the configuration; or "" */
    const char *detail;  /* one line; "" = nothing more is known */
};
struct audit_list {
    struct audit_event *events; /* oldest first */
    size_t count, capacity;
    struct arena arena;
};
void audit_list_finish(struct audit_list *list);

/* Write down an act inside its transaction. by: NULL = nobody's, nothing is written. */
bool audit_add(struct database *database, enum audit_action action, const struct audit_by *by,
               const char *subject, const char *detail, int64_t now, struct error *error) MUST_USE;

/* The same in a transaction of its own. */
bool audit_add_alone(struct database *database, enum audit_action action, const struct audit_by *by,
                     const char *subject, const char *detail, int64_t now,
                     struct error *error) MUST_USE;

enum { AUDIT_TAKE_MAX = 1000 };

/* Read what was written and delete it, at most so many. list: zeroed. In a transaction. */
bool audit_take(struct database *database, struct audit_list *list, struct error *error) MUST_USE;

/* Append an act as a sentence: "silence created by alice (10.0.0.7): {a="b"} ...". */
void audit_print(const struct audit_event *event, struct buf *out);

/* Count it and log it. */
void audit_note(struct metric_store *metrics, const struct audit_event *event);

/* Counters exist from the first scrape. */
void audit_declare(struct metric_store *metrics);

extern const struct family *const audit_families[];
