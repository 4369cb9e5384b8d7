#pragma once
/* Who logs in: names and bcrypt hashes, checked on a thread of its own, one at a time, as a check
 * takes long by design. How long it takes does not tell whether the user exists. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/metric.h"
#include "core/options.h"

enum { LOGIN_WAITING_MAX = 32, LOGIN_WAITING_PEER_MAX = 8 };

/* One request to log in, in the memory of who asks. */
struct login_ask {
    struct login_ask *next;
    struct buf user, password; /* the password is wiped when it was checked */
    bool right;
    uint64_t peer; /* whose; at most LOGIN_WAITING_PEER_MAX of one wait. 0 = any number */
    void (*done)(void *context, struct login_ask *ask); /* on the login's thread */
    void *context;
};

enum login_answer {
    LOGIN_RIGHT,   /* remembered: ask->user logged in */
    LOGIN_WRONG,   /* no credentials, or none that could be right */
    LOGIN_UNKNOWN, /* has to be checked: see login_wait */
};

struct login;

/* Nobody can log in before login_configure. */
struct login *login_create(struct metric_store *metrics);

/* Check nothing any more: whoever waits is told wrong, a check under way is waited for. */
void login_stop(struct login *login);
void login_destroy(struct login *login); /* NULL is fine; stops it */

/* From now on these users; copied. Nobody is remembered as logged in. */
void login_configure(struct login *login, const struct option_pairs *users);

/* authorization: the value of the request's header, or NULL. ask: zeroed but for peer, done and
 * context; give it back with login_ask_finish. */
enum login_answer login_look(struct login *login, const char *authorization,
                             struct login_ask *ask) MUST_USE;

/* Have credentials checked; ask->done follows, perhaps before this returns, and ask->right says how
 * it ended. False: too many wait already, or the login has stopped; nothing follows. */
bool login_wait(struct login *login, struct login_ask *ask) MUST_USE;

/* Wipe and free. Takes a zeroed one. */
void login_ask_finish(struct login_ask *ask);

extern const struct family *const login_families[];
