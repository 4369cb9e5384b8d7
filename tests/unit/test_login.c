#include "exporter/web/login.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/hash.h"
#include "exporter/web/password.h"
#include "test.h"

/* Of "secret", "other" and "p:w", with the least cost there is. */
#define SALT "$2y$04$abcdefghijklmnopqrstuu"
#define SECRET_HASH SALT "2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define OTHER_HASH SALT "0HtfOlPbTiymk5tcV.3TsFPDd3SYZqu"
#define COLON_HASH SALT "MjP8rcRP9jDBaf.MqHtqTjAN61Q1x0."

/* --- passwords ------------------------------------------------------------------------------ */

TEST(password_tells_hashes_from_other_texts)
{
    static const struct {
        const char *hash;
        bool right;
    } hashes[] = {
        { SECRET_HASH, true },
        { "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", true },
        { "$2b$18$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", true },
        { "$2x$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false },
        { "$2y$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false },
        { "$2y$21$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false },
        { "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr", false },
        { "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrWW", false },
        { "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WI=W", false },
        { "$2y$4$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false },
        { "doe", false },
        { "", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(hashes); i++)
        CHECK(!password_wrong(hashes[i].hash) == hashes[i].right);
}

TEST(password_matches_its_hash_alone)
{
    CHECK(password_matches(SECRET_HASH, "secret"));
    CHECK(!password_matches(SECRET_HASH, "other"));
    CHECK(!password_matches(SECRET_HASH, ""));
    CHECK(password_matches(OTHER_HASH, "other"));
}

/* --- a login -------------------------------------------------------------------------------- */

struct world {
    struct metric_store *metrics;
    struct login *login;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done;
};

static void configure(struct world *world, size_t count)
{
    static struct option_pair users[] = { { "alice", SECRET_HASH, 1 },
                                          { "bob", OTHER_HASH, 2 },
                                          { "carol", COLON_HASH, 3 } };
    login_configure(world->login, &(struct option_pairs){ users, count });
}

static void begin(struct world *world)
{
    *world = (struct world){ .metrics = metric_store_create() };
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->changed, NULL);
    world->login = login_create(world->metrics);
    configure(world, 3);
}

static void end(struct world *world)
{
    login_destroy(world->login);
    metric_store_destroy(world->metrics);
    pthread_mutex_destroy(&world->lock);
    pthread_cond_destroy(&world->changed);
}

static void on_done(void *context, struct login_ask *ask)
{
    struct world *world = context;
    (void)ask;
    pthread_mutex_lock(&world->lock);
    world->done++;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->lock);
}

static void wait_done(struct world *world, int count)
{
    pthread_mutex_lock(&world->lock);
    while (world->done < count)
        pthread_cond_wait(&world->changed, &world->lock);
    pthread_mutex_unlock(&world->lock);
}

static const char *header_of(const char *credentials, struct buf *out)
{
    buf_text(out, "Basic ");
    hash_base64(credentials, strlen(credentials), out);
    return buf_cstr(out);
}

/* Ask and wait; whether it was right, and whether that took a check. */
static bool try(struct world *world, const char *credentials, bool *checked)
{
    CLEANUP(buf_finish) struct buf header = { 0 };
    struct login_ask ask = { .done = on_done, .context = world };
    int before = world->done;
    enum login_answer answer = login_look(world->login, header_of(credentials, &header), &ask);
    *checked = answer == LOGIN_UNKNOWN && login_wait(world->login, &ask);
    if (*checked)
        wait_done(world, before + 1);
    bool right = ask.right;
    CHECK(!ask.password.length || !*checked);
    login_ask_finish(&ask);
    return right;
}

static double counted(const struct world *world, const char *outcome)
{
    return metric_read_values(world->metrics, login_families[0], METRIC_LABELS(outcome)->values);
}

TEST(login_knows_who_is_right_and_remembers_it)
{
    struct world world;
    bool checked;
    begin(&world);
    CHECK(try(&world, "alice:secret", &checked) && checked);
    CHECK(try(&world, "alice:secret", &checked) && !checked);
    CHECK(try(&world, "carol:p:w", &checked) && checked);
    CHECK(!try(&world, "alice:other", &checked) && checked);
    CHECK(try(&world, "alice:secret", &checked) && !checked);
    CHECK(!try(&world, "bob:secret", &checked) && checked);
    end(&world);
}

TEST(login_checks_every_failure_anew)
{
    struct world world;
    bool checked;
    begin(&world);
    for (int i = 0; i < 3; i++) {
        CHECK(!try(&world, "alice:wrong", &checked) && checked);
        CHECK(!try(&world, "nobody:secret", &checked) && checked);
        CHECK(!try(&world, "", &checked) && !checked);
    }
    CHECK_NUMBER(counted(&world, "refused"), 6);
    CHECK_NUMBER(counted(&world, "accepted"), 0);
    end(&world);
}

/* A name and a password are two texts: no other pair that joins to the same is remembered. */
TEST(login_remembers_a_pair_and_not_its_letters)
{
    struct world world;
    bool checked;
    begin(&world);
    CHECK(try(&world, "carol:p:w", &checked) && checked);
    CHECK(!try(&world, "carol:p::w", &checked) && checked);
    CHECK(!try(&world, "bob:p:w", &checked) && checked);
    CHECK(!try(&world, "carol:p", &checked) && checked);
    end(&world);
}

TEST(login_forgets_when_users_change)
{
    struct world world;
    bool checked;
    begin(&world);
    CHECK(try(&world, "carol:p:w", &checked) && checked);
    configure(&world, 2);
    CHECK(!try(&world, "carol:p:w", &checked) && checked);
    configure(&world, 3);
    CHECK(try(&world, "carol:p:w", &checked) && checked);
    CHECK(try(&world, "carol:p:w", &checked) && !checked);
    configure(&world, 0);
    CHECK(!try(&world, "carol:p:w", &checked));
    end(&world);
}

TEST(login_refuses_what_is_no_basic_header)
{
    static const char *const headers[] = {
        NULL,
        "",
        "Basic",
        "Basic ",
        "Bearer YWxpY2U6c2VjcmV0",
        "Basic !!!",
        "Basic YWxpY2U=",
        "YWxpY2U6c2VjcmV0",
        "Basic YWxpY2U6c2VjcmV0AA==", /* a NUL at the end */
    };
    struct world world;
    begin(&world);
    for (size_t i = 0; i < ARRAY_COUNT(headers); i++) {
        struct login_ask ask = { .done = on_done, .context = &world };
        CHECK_INT(login_look(world.login, headers[i], &ask), LOGIN_WRONG);
        login_ask_finish(&ask);
    }
    struct login_ask ask = { .done = on_done, .context = &world };
    CHECK_INT(login_look(world.login, "bAsIc YWxpY2U6c2VjcmV0", &ask), LOGIN_UNKNOWN);
    CHECK(login_wait(world.login, &ask));
    wait_done(&world, 1);
    CHECK(ask.right);
    CHECK_TEXT(buf_cstr(&ask.user), "alice");
    login_ask_finish(&ask);
    end(&world);
}

/* The first check waits in its callback, so the rest must queue. */
static void on_done_slowly(void *context, struct login_ask *ask)
{
    struct world *world = context;
    pthread_mutex_lock(&world->lock);
    world->done++;
    pthread_cond_broadcast(&world->changed);
    while (world->done < 1000 && ask->user.length == 5)
        pthread_cond_wait(&world->changed, &world->lock);
    pthread_mutex_unlock(&world->lock);
}

static bool ask_for(struct world *world, const char *credentials, struct login_ask *ask)
{
    CLEANUP(buf_finish) struct buf header = { 0 };
    ask->done = on_done_slowly;
    ask->context = world;
    CHECK_INT(login_look(world->login, header_of(credentials, &header), ask), LOGIN_UNKNOWN);
    return login_wait(world->login, ask);
}

static void let_go(struct world *world)
{
    pthread_mutex_lock(&world->lock);
    world->done = 1000;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->lock);
}

TEST(login_lets_only_so_many_wait)
{
    struct world world;
    struct login_ask asks[LOGIN_WAITING_MAX + 2] = { 0 };
    begin(&world);
    CHECK(ask_for(&world, "alice:wrong", &asks[0]));
    wait_done(&world, 1);
    for (size_t i = 1; i <= LOGIN_WAITING_MAX; i++)
        CHECK(ask_for(&world, "bob:other", &asks[i]));
    CHECK(!ask_for(&world, "bob:other", &asks[LOGIN_WAITING_MAX + 1]));
    let_go(&world);
    wait_done(&world, 1000 + LOGIN_WAITING_MAX);
    /* the same credentials were checked once */
    CHECK_NUMBER(counted(&world, "accepted"), 1);
    CHECK_NUMBER(counted(&world, "remembered"), LOGIN_WAITING_MAX - 1);
    CHECK_NUMBER(counted(&world, "busy"), 1);
    for (size_t i = 0; i < ARRAY_COUNT(asks); i++)
        login_ask_finish(&asks[i]);
    end(&world);
}

TEST(login_lets_fewer_of_one_peer_wait)
{
    struct world world;
    struct login_ask asks[LOGIN_WAITING_PEER_MAX + 4] = { 0 };
    begin(&world);
    CHECK(ask_for(&world, "alice:wrong", &asks[0]));
    wait_done(&world, 1);
    for (size_t i = 1; i < ARRAY_COUNT(asks); i++)
        asks[i].peer = i <= LOGIN_WAITING_PEER_MAX + 1 ? 7 : i - LOGIN_WAITING_PEER_MAX - 2;
    for (size_t i = 1; i < ARRAY_COUNT(asks); i++)
        CHECK(ask_for(&world, "bob:other", &asks[i]) == (i != LOGIN_WAITING_PEER_MAX + 1));
    let_go(&world);
    wait_done(&world, 1000 + LOGIN_WAITING_PEER_MAX + 2);
    for (size_t i = 0; i < ARRAY_COUNT(asks); i++)
        login_ask_finish(&asks[i]);
    end(&world);
}

/* Whoever waits hears of the end, and nobody waits after it. */
TEST(login_stops)
{
    struct world world;
    struct login_ask asks[3] = { 0 };
    begin(&world);
    CHECK(ask_for(&world, "alice:wrong", &asks[0]));
    wait_done(&world, 1);
    CHECK(ask_for(&world, "bob:other", &asks[1]));
    let_go(&world);
    login_stop(world.login);
    wait_done(&world, 1001);
    CHECK(!ask_for(&world, "carol:p:w", &asks[2]));
    for (size_t i = 0; i < ARRAY_COUNT(asks); i++)
        login_ask_finish(&asks[i]);
    end(&world);
}
