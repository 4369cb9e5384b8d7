#pragma once
/* Silences, persisted: matchers, from, until, who, why. Any thread with its own database handle;
 * the writers open their own transaction. The caller wakes the evaluator afterwards. */
#include "alerts/notify/audit.h"
#include "alerts/notify/silence_cache.h"
#include "alerts/rules/alert.h"
#include "alerts/store/database.h"
#include "alerts/text/match_index.h"

enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED };
extern const char *const silence_state_words[];

struct silence {
    char id[37]; /* UUID; "" = a new one */
    struct match_list matchers;
    int64_t starts_at, ends_at, updated_at;
    const char *created_by, *comment;
    struct silence_matchers *compiled; /* of a list: what the matchers are part of */
};
struct silence_list {
    struct silence *silences; /* active, pending, expired; soonest to end first */
    size_t count;
    size_t compiled_bytes;       /* of all expressions */
    struct match_index *index;   /* of those that had not expired, by place */
    struct match_budget *budget; /* for silence_find; NULL = any time */
    struct arena arena;
    struct silence_memo *memo; /* of the cache it was read with; NULL = none */
    uint64_t generation;       /* those that were active when it was read, in order ... */
    int64_t read_at, until_at; /* ... and are until then; 0 = for ever */
};

/* Whether it can be kept at all. ERROR_REQUEST: no matcher, all matchers match the empty text, ends
 * before it starts or in the past. */
bool silence_check(const struct silence *silence, int64_t now, struct error *error) MUST_USE;

/* Check a silence and keep it; id is filled when it was empty. A silence that is known is changed
 * when only its end or comment differ, else it expires and a new one is made (as Alertmanager
 * does).
 * by: who does it, for the audit; NULL = nobody is told.
 * ERROR_REQUEST: as silence_check, or 5,000 silences that have not expired. Of those that have, the
 * last 5,000 are kept. */
bool silence_put(struct database *database, struct silence *silence, const struct audit_by *by,
                 int64_t now, struct error *error) MUST_USE;

/* End a silence now; ERROR_NOT_FOUND. */
bool silence_expire(struct database *database, const char *id, const struct audit_by *by,
                    int64_t now, struct error *error) MUST_USE;

/* Read all silences but those that expired more than five days ago. One whose matchers cannot be
 * read, or are more than memory is given for, is left out and noted in database_unreadable. cache:
 * keeps what was compiled; may be NULL.
 */
bool silence_load(struct database *database, struct silence_cache *cache, int64_t now,
                  struct silence_list *list, struct error *error) MUST_USE;
void silence_list_finish(struct silence_list *list);

/* Index a list that was made by hand; its matchers stay where they are. */
void silence_list_index(struct silence_list *list, int64_t now);

/* Delete what expired more than five days ago. Evaluator, inside its transaction. */
bool silence_prune(struct database *database, int64_t now, struct error *error) MUST_USE;

enum silence_state silence_state(const struct silence *silence, int64_t now);

/* The active silence that surely covers these labels, or NULL. With the budget spent, silences with
 * regular expressions cover nothing. */
const struct silence *silence_find(const struct silence_list *list, const struct alert *alert,
                                   int64_t now);

/* The silence that covered these labels and has ended, the last one of them; NULL = none of the
 * last hundred. */
const struct silence *silence_ended(const struct silence_list *list, const struct alert *alert,
                                    int64_t now);

/* The next instant one begins or ends; 0 = none. */
int64_t silence_next_at(const struct silence_list *list, int64_t now);
