#include "exporter/web/login.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/secret.h"
#include "core/worker.h"
#include "exporter/web/password.h"

enum { HASH_BYTES = 61 };

static const struct family_1 logins_total = {
    .name = "defender_exporter_http_logins_total",
    .type = METRIC_COUNTER,
    .help = "Requests with credentials: remembered, accepted or refused by a check, or turned away "
            "because too many waited.",
    LABELS("outcome"),
};
const struct family *const login_families[] = { &logins_total.family, NULL };

enum outcome { REMEMBERED, ACCEPTED, REFUSED, BUSY, OUTCOMES };
static const char *const outcome_words[OUTCOMES] = { "remembered", "accepted", "refused", "busy" };

struct user {
    const char *name;
    char hash[HASH_BYTES];
    bool remembered; /* a password was right since they were configured: */
    struct hash_sha256 digest;
};

struct login {
    struct metric_store *metrics;
    uint8_t key[32]; /* of digests; of this process alone */
    pthread_mutex_t lock;
    struct user *users;
    size_t user_count;
    struct hash_sha256 salt; /* what a name nobody has is checked against depends on it */
    uint64_t generation;     /* of the users */
    struct login_ask *first, **last;
    size_t waiting;
    struct arena arena; /* of the users */
    struct worker *worker;
};

static void count(const struct login *login, enum outcome outcome)
{
    metric_count(login->metrics, &logins_total, 1, METRIC_LABELS(outcome_words[outcome]));
}

/* --- credentials ---------------------------------------------------------------------------- */

static void wipe(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->capacity);
    buf_finish(buf);
}

void login_ask_finish(struct login_ask *ask)
{
    wipe(&ask->password);
    buf_finish(&ask->user);
}

/* "Basic dXNlcjpwYXNz" (RFC 7617). */
static bool read_credentials(const char *authorization, struct login_ask *ask)
{
    static const char scheme[] = "Basic ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return false;
    authorization += sizeof scheme - 1;
    authorization += strspn(authorization, " ");
    struct buf text = { 0 };
    bool ok = hash_unbase64(authorization, &text) && text.data &&
              strlen(text.data) == text.length && strchr(text.data, ':');
    if (ok) {
        size_t length = strcspn(text.data, ":");
        buf_append(&ask->user, text.data, length);
        buf_reserve(&ask->password, text.length - length); /* so that no copy of it is left */
        buf_text(&ask->password, text.data + length + 1);
    }
    wipe(&text);
    return ok;
}

/* What is remembered of a right password: of no use to who reads it. The caller has the lock. */
static struct hash_sha256 digest_of(const struct login *login, const struct login_ask *ask)
{
    struct hash_sha256 digest;
    hash_hmac_sha256(login->key, sizeof login->key, buf_cstr(&ask->password), ask->password.length,
                     &digest);
    return digest;
}

static bool equal(const struct hash_sha256 *left, const struct hash_sha256 *right)
{
    unsigned char differ = 0;
    for (size_t i = 0; i < sizeof left->bytes; i++)
        differ |= left->bytes[i] ^ right->bytes[i];
    return !differ;
}

/* --- users ---------------------------------------------------------------------------------- */

/* NULL when there is none of that name; every name is looked at. The caller has the lock. */
static struct user *find_user(const struct login *login, const char *name)
{
    struct user *found = NULL;
    for (size_t i = 0; i < login->user_count; i++)
        if (secret_equal(login->users[i].name, name))
            found = &login->users[i];
    return found;
}

/* Whose hash a name that nobody has is checked against: always the same one's for a name, so that
 * its cost tells nothing, also where costs differ. The caller has the lock. */
static const struct user *stand_in(const struct login *login, const char *name)
{
    struct hash_sha256 digest;
    uint64_t number;
    hash_hmac_sha256(login->salt.bytes, sizeof login->salt.bytes, name, strlen(name), &digest);
    memcpy(&number, digest.bytes, sizeof number);
    return &login->users[number % login->user_count];
}

/* The caller has the lock. */
static bool is_remembered(const struct login *login, const struct login_ask *ask)
{
    const struct user *user = find_user(login, buf_cstr(&ask->user));
    struct hash_sha256 digest = digest_of(login, ask);
    return user && user->remembered && equal(&user->digest, &digest);
}

void login_configure(struct login *login, const struct option_pairs *users)
{
    pthread_mutex_lock(&login->lock);
    arena_reset(&login->arena);
    login->generation++;
    login->user_count = users->count;
    login->users = arena_zalloc(&login->arena, (users->count + 1) * sizeof *login->users);
    CLEANUP(buf_finish) struct buf hashes = { 0 };
    for (size_t i = 0; i < users->count; i++) {
        struct user *user = &login->users[i];
        user->name = arena_text(&login->arena, users->pairs[i].name);
        strncpy(user->hash, users->pairs[i].value, HASH_BYTES - 1);
        buf_text(&hashes, user->hash);
    }
    hash_sha256(buf_cstr(&hashes), hashes.length, &login->salt);
    pthread_mutex_unlock(&login->lock);
}

/* --- the thread ----------------------------------------------------------------------------- */

static struct login_ask *next_ask(struct login *login)
{
    pthread_mutex_lock(&login->lock);
    struct login_ask *ask = login->first;
    if (ask) {
        login->first = ask->next;
        login->waiting--;
        if (!login->first)
            login->last = &login->first;
    }
    pthread_mutex_unlock(&login->lock);
    return ask;
}

/* Remember a right password, unless the users are others by now. The caller has the lock. */
static void remember(struct login *login, uint64_t generation, const struct login_ask *ask)
{
    struct user *user = find_user(login, buf_cstr(&ask->user));
    if (!user || generation != login->generation)
        return;
    user->digest = digest_of(login, ask);
    user->remembered = true;
}

/* Another may have had the same credentials checked meanwhile. */
static void check(struct login *login, struct login_ask *ask)
{
    char hash[HASH_BYTES] = "";
    pthread_mutex_lock(&login->lock);
    uint64_t generation = login->generation;
    bool done = is_remembered(login, ask);
    const struct user *user = find_user(login, buf_cstr(&ask->user));
    const struct user *other = login->user_count ? stand_in(login, buf_cstr(&ask->user)) : NULL;
    const struct user *against = user ? user : other;
    bool exists = user != NULL;
    if (against)
        memcpy(hash, against->hash, sizeof hash);
    pthread_mutex_unlock(&login->lock);
    bool matches = !done && *hash && password_matches(hash, buf_cstr(&ask->password));
    ask->right = done || (matches && exists);
    if (matches && exists) {
        pthread_mutex_lock(&login->lock);
        remember(login, generation, ask);
        pthread_mutex_unlock(&login->lock);
    }
    explicit_bzero(hash, sizeof hash);
    wipe(&ask->password);
    count(login, done ? REMEMBERED : ask->right ? ACCEPTED : REFUSED);
}

static int64_t tick(void *context)
{
    struct login *login = context;
    struct login_ask *ask = next_ask(login);
    if (!ask)
        return -1;
    check(login, ask);
    ask->done(ask->context, ask);
    return 0;
}

enum login_answer login_look(struct login *login, const char *authorization, struct login_ask *ask)
{
    if (!read_credentials(authorization, ask))
        return LOGIN_WRONG;
    pthread_mutex_lock(&login->lock);
    ask->right = is_remembered(login, ask);
    pthread_mutex_unlock(&login->lock);
    if (ask->right)
        count(login, REMEMBERED);
    return ask->right ? LOGIN_RIGHT : LOGIN_UNKNOWN;
}

/* So that one peer's guesses do not keep the others out. The caller has the lock. */
static bool has_room(const struct login *login, uint64_t peer)
{
    size_t same = 0;
    for (const struct login_ask *one = login->first; one; one = one->next)
        same += peer && one->peer == peer;
    return login->worker && login->waiting < LOGIN_WAITING_MAX && same < LOGIN_WAITING_PEER_MAX;
}

bool login_wait(struct login *login, struct login_ask *ask)
{
    pthread_mutex_lock(&login->lock);
    bool room = has_room(login, ask->peer);
    if (room) {
        ask->next = NULL;
        *login->last = ask;
        login->last = &ask->next;
        login->waiting++;
        worker_wake(login->worker);
    }
    pthread_mutex_unlock(&login->lock);
    if (!room)
        count(login, BUSY);
    return room;
}

struct login *login_create(struct metric_store *metrics)
{
    struct login *login = MEMORY_NEW(struct login);
    login->metrics = metrics;
    login->last = &login->first;
    pthread_mutex_init(&login->lock, NULL);
    hash_random(login->key, sizeof login->key);
    for (size_t i = 0; i < OUTCOMES; i++)
        metric_declare(metrics, &logins_total, METRIC_LABELS(outcome_words[i]));
    login->worker = worker_start("login", tick, NULL, login, -1);
    return login;
}

void login_stop(struct login *login)
{
    pthread_mutex_lock(&login->lock);
    struct worker *worker = login->worker;
    login->worker = NULL;
    pthread_mutex_unlock(&login->lock);
    worker_stop(worker);
    struct login_ask *ask;
    while ((ask = next_ask(login))) {
        wipe(&ask->password);
        ask->done(ask->context, ask);
    }
}

void login_destroy(struct login *login)
{
    if (!login)
        return;
    login_stop(login);
    explicit_bzero(login->key, sizeof login->key);
    arena_finish(&login->arena);
    pthread_mutex_destroy(&login->lock);
    free(login);
}
