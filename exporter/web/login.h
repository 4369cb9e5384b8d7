#pragma once
/* Who signs in: names and bcrypt hashes, checked on a thread of its own, one at a time, as a check
 * takes long by design. How long it takes does not tell whether the user exists. Any thread. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/metric.h"
#include "core/options.h"

enum { LOGIN_WAITING_MAX = 32 };

/* One request to sign in, in the memory of who asks. */
struct login_ask {
    struct login_ask *next;
    struct buf user, password; /* the password is wiped when it was checked */
    bool right;
    void (*done)(void *context, struct login_ask *ask); /* on the login's thread */
    void *context;
};

enum login_answer {
    LOGIN_RIGHT,   /* ask->user signed in */
    LOGIN_WRONG,   /* no credentials, or none that could be right */
    LOGIN_WAITING, /* ask->done follows, also before this returns: ask->right says how it ended */
    LOGIN_FULL,    /* too many wait already */
};

struct login;

/* Nobody can sign in before login_configure. */
struct login *login_create(struct metric_store *metrics);

/* Whoever waits is told wrong. A check under way is waited for. NULL is fine. */
void login_destroy(struct login *login);

/* From now on these users; copied. Nobody is remembered as signed in. */
void login_configure(struct login *login, const struct option_pairs *users);

/* authorization: the value of the request's header, or NULL. ask: zeroed but for done and context,
 * alive until done was called; give it back with login_ask_finish. */
enum login_answer login_check(struct login *login, const char *authorization,
                              struct login_ask *ask) MUST_USE;

/* Wipe and free. Takes a zeroed one. */
void login_ask_finish(struct login_ask *ask);

extern const struct family *const login_families[];
