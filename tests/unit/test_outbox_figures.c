#include "alerts/notify/outbox_figures.h"

#include <stdio.h>
#include <stdlib.h>

#include "alerts/notify/outbox.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "test.h"

enum { T0 = 1763726400, DAY = 86400, MINUTE = 60, RECEIVERS = 3, STEPS = 600, ALERTS = 6 };

static const char messages[] = "defender_exporter_outbox_messages";
static const char oldest[] = "defender_exporter_outbox_oldest_timestamp_seconds";
static const char bytes[] = "defender_exporter_outbox_bytes";

/* Two handles: what decides and delivers, and another process. */
struct bench {
    char path[4200];
    struct database *database, *other;
    struct outbox_figures *figures;
    struct outbox_clock clock;
    struct arena arena;
    struct error error;
};

static struct database *open_database(struct bench *bench, bool own)
{
    const struct database_config config = { .path = bench->path,
                                            .migrations = schema_migrations,
                                            .own = own };
    struct database *database = database_open(&config, &bench->error);
    if (!database)
        abort();
    return database;
}

static void set_up(struct bench *bench)
{
    static int number;
    *bench = (struct bench){ 0 };
    snprintf(bench->path, sizeof bench->path, "%s/figures%d.db", test_folder(), ++number);
    bench->database = open_database(bench, true);
    bench->other = open_database(bench, false);
    bench->figures = outbox_figures_create(bench->path);
}

static void tear_down(struct bench *bench)
{
    outbox_figures_destroy(bench->figures);
    database_close(bench->other);
    database_close(bench->database);
    arena_finish(&bench->arena);
}

static void add(struct bench *bench, const char *receiver, const char *alert,
                enum notification_status status, int64_t now)
{
    struct notification notification;
    const struct outbox_member member = {
        .fingerprint = alert, .event = "finding.opened", .status = status, .episode = 1
    };
    CHECK(notification_read("{}", 2, &bench->arena, &notification, &bench->error));
    notification.receiver = receiver;
    notification.event = "finding.opened";
    notification.title = alert;
    notification.status = status;
    notification.dedup_key = alert;
    notification.event_at = now;
    CHECK(database_begin(bench->database, &bench->error));
    CHECK(outbox_add(bench->database, &bench->clock, &notification, 1, &member, 1, DAY, now,
                     &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
}

static bool take(struct bench *bench, const char *receiver, int64_t now,
                 struct outbox_message *message)
{
    bool found = false;
    CHECK(outbox_next(bench->database, receiver, 0, now, &bench->arena, message, &found, NULL, NULL,
                      &bench->error));
    return found;
}

static void count(struct bench *bench)
{
    CHECK(outbox_figures_count(bench->figures, &bench->error));
    CHECK_TEXT(bench->error.message, "");
}

/* -1 = not told. */
static double value_in(const struct metric_set *set, const char *family, const char *receiver,
                       const char *state)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        if (!strcmp(sample->family->name, family) &&
            (!receiver || !strcmp(sample->values[0], receiver)) &&
            (!state || !strcmp(sample->values[1], state)))
            return sample->value;
    }
    return -1;
}

static double value(struct bench *bench, const char *family, const char *receiver,
                    const char *state)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    outbox_figures_emit(bench->figures, &set);
    metric_set_sort(&set);
    CHECK_INT(set.duplicates, 0);
    return value_in(&set, family, receiver, state);
}

TEST(figures_have_zeros_and_tell_of_receivers_that_are_gone)
{
    CLEANUP(tear_down) struct bench bench;
    set_up(&bench);
    struct outbox_message first;
    int64_t size = 0;
    outbox_figures_configure(bench.figures, (const char *const[]){ "team", "idle", NULL }, 1000);
    add(&bench, "team", "a", NOTIFICATION_FIRING, T0);
    add(&bench, "team", "b", NOTIFICATION_FIRING, T0 + 5);
    add(&bench, "team", "c", NOTIFICATION_FIRING, T0 + 6);
    add(&bench, "gone", "d", NOTIFICATION_FIRING, T0);
    CHECK(take(&bench, "team", T0, &first));
    CHECK(outbox_drop(bench.database, first.id, NULL, T0, &bench.error));
    outbox_figures_inflight(bench.figures, "team", 1);
    count(&bench);
    CHECK_NUMBER(value(&bench, messages, "team", "queued"), 1);
    CHECK_NUMBER(value(&bench, messages, "team", "inflight"), 1);
    CHECK_NUMBER(value(&bench, messages, "team", "dead"), 1);
    CHECK_NUMBER(value(&bench, messages, "idle", "queued"), 0);
    CHECK_NUMBER(value(&bench, messages, "gone", "queued"), 1);
    CHECK_NUMBER(value(&bench, oldest, "team", NULL), T0 + 5);
    CHECK_NUMBER(value(&bench, oldest, "idle", NULL), -1);
    CHECK(outbox_bytes(bench.database, &size, &bench.error));
    CHECK(size > 0);
    CHECK_NUMBER(value(&bench, bytes, NULL, NULL), (double)size);
    CHECK_NUMBER(value(&bench, "defender_exporter_outbox_max_bytes", NULL, NULL), 1000);

    /* A reload takes one away and brings another; what flies goes on. */
    outbox_figures_configure(bench.figures, (const char *const[]){ "new", "team", NULL }, 0);
    outbox_figures_inflight(bench.figures, "idle", -1);
    CHECK_NUMBER(value(&bench, messages, "idle", "queued"), -1);
    CHECK_NUMBER(value(&bench, messages, "new", "dead"), 0);
    CHECK_NUMBER(value(&bench, messages, "team", "inflight"), 1);
}

TEST(telling_asks_no_database)
{
    CLEANUP(tear_down) struct bench bench;
    set_up(&bench);
    outbox_figures_configure(bench.figures, (const char *const[]){ "team", NULL }, 0);
    add(&bench, "team", "a", NOTIFICATION_FIRING, T0);
    CHECK_NUMBER(value(&bench, messages, "team", "queued"), -1); /* not counted yet */
    count(&bench);
    add(&bench, "team", "b", NOTIFICATION_FIRING, T0 + 1);
    CHECK(database_run(database_prepare(bench.database, "BEGIN EXCLUSIVE"), &bench.error));
    CHECK_NUMBER(value(&bench, messages, "team", "queued"), 1);
    CHECK(database_run(database_prepare(bench.database, "ROLLBACK"), &bench.error));
    count(&bench);
    CHECK_NUMBER(value(&bench, messages, "team", "queued"), 2);
}

TEST(a_file_that_cannot_be_read_leaves_the_figures_out)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    struct error error;
    struct outbox_figures *figures = outbox_figures_create("/nowhere/at/all.db");
    CHECK(!outbox_figures_count(figures, &error));
    CHECK_CONTAINS(error.message, "/nowhere/at/all.db");
    outbox_figures_emit(figures, &set);
    CHECK_INT(set.count, 0);
    outbox_figures_destroy(figures);
    outbox_figures_destroy(NULL);
}

/* --- a model ---------------------------------------------------------------------------------- */

static const char *const receivers[RECEIVERS + 1] = { "team", "idle", "gone", NULL };
enum { CONFIGURED = 2 };

struct expected {
    int64_t queued[RECEIVERS], dead[RECEIVERS], oldest_at[RECEIVERS], bytes;
};

static bool expect(void *context, const struct outbox_message *message, struct error *error)
{
    struct expected *expected = context;
    size_t i = 0;
    (void)error;
    while (strcmp(receivers[i], message->receiver) != 0)
        i++;
    expected->dead[i] += message->state == OUTBOX_DEAD;
    if (message->state != OUTBOX_QUEUED)
        return true;
    if (!expected->queued[i]++ || message->created_at < expected->oldest_at[i])
        expected->oldest_at[i] = message->created_at;
    expected->bytes += (int64_t)message->notification_bytes;
    return true;
}

static void compare(struct bench *bench, const int64_t *inflight)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    struct expected expected = { 0 };
    CHECK(outbox_each(bench->database, NULL, OUTBOX_STATE_COUNT, expect, &expected, &bench->error));
    outbox_figures_emit(bench->figures, &set);
    metric_set_sort(&set);
    CHECK_INT(set.duplicates, 0);
    for (size_t i = 0; i < RECEIVERS; i++) {
        int64_t queued = expected.queued[i], dead = expected.dead[i];
        bool told = i < CONFIGURED || queued || dead;
        int64_t waiting = queued > inflight[i] ? queued - inflight[i] : 0;
        CHECK_NUMBER(value_in(&set, messages, receivers[i], "queued"), told ? (double)waiting : -1);
        CHECK_NUMBER(value_in(&set, messages, receivers[i], "inflight"),
                     told ? (double)inflight[i] : -1);
        CHECK_NUMBER(value_in(&set, messages, receivers[i], "dead"), told ? (double)dead : -1);
        CHECK_NUMBER(value_in(&set, oldest, receivers[i], NULL),
                     queued ? (double)expected.oldest_at[i] : -1);
    }
    CHECK_NUMBER(value_in(&set, bytes, NULL, NULL), (double)expected.bytes);
}

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % below;
}

/* What a lane does with its next message. */
static void attempt(struct bench *bench, const char *receiver, unsigned outcome, int64_t now)
{
    struct outbox_message message;
    if (!take(bench, receiver, now, &message))
        return;
    bool ok = outcome == 0 ? outbox_mark_retry(bench->database, message.id, 503, "serverError",
                                               "busy", now + MINUTE, &bench->error)
              : outcome == 1
                  ? outbox_mark_dead(bench->database, message.id, 400, "clientError", "no", now,
                                     &bench->error)
                  : outbox_mark_sent(bench->database, message.id, 200, now, &bench->error);
    CHECK(ok);
}

/* What an operator does in another process to the first message that is queued or dead. */
static bool first_open(void *context, const struct outbox_message *message, struct error *error)
{
    (void)error;
    memcpy(context, message->id, OUTBOX_ID_BYTES);
    return false;
}

static void operate(struct bench *bench, bool retry, int64_t now)
{
    char id[OUTBOX_ID_BYTES];
    enum outbox_state state = retry ? OUTBOX_DEAD : OUTBOX_STATE_COUNT;
    if (outbox_each(bench->other, NULL, state, first_open, id, &bench->error))
        return;
    CHECK(retry ? outbox_retry(bench->other, id, DAY, NULL, now, &bench->error)
                : outbox_drop(bench->other, id, NULL, now, &bench->error));
}

static void prune(struct bench *bench, int64_t now)
{
    CHECK(database_begin(bench->database, &bench->error));
    CHECK(outbox_prune(bench->database, DAY, now, &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
}

TEST(figures_equal_a_recount_after_whatever_happened)
{
    static const char *const alerts[ALERTS] = { "a", "b", "c", "d", "e", "f" };
    CLEANUP(tear_down) struct bench bench;
    int64_t now = T0, inflight[RECEIVERS] = { 0 };
    uint64_t state = 42;
    set_up(&bench);
    outbox_figures_configure(bench.figures, (const char *const[]){ "team", "idle", NULL }, 0);
    for (int step = 0; step < STEPS; step++) {
        unsigned what = draw(&state, 12), who = draw(&state, RECEIVERS);
        now += what == 11 ? DAY / 2 : (int64_t)draw(&state, MINUTE) - MINUTE / 4;
        if (what < 4)
            add(&bench, receivers[who], alerts[draw(&state, ALERTS)],
                (enum notification_status)draw(&state, 2), now);
        else if (what < 7)
            attempt(&bench, receivers[who], draw(&state, 4), now);
        else if (what < 9)
            operate(&bench, what == 7, now);
        else if (what == 9)
            prune(&bench, now);
        else if (what == 10 && who < CONFIGURED) {
            int64_t delta = inflight[who] ? -1 : 1;
            outbox_figures_inflight(bench.figures, receivers[who], delta);
            inflight[who] += delta;
        }
        count(&bench);
        compare(&bench, inflight);
        arena_reset(&bench.arena);
    }
}

/* --- its thread ------------------------------------------------------------------------------- */

static void wait_for_queued(struct bench *bench, double queued)
{
    int64_t deadline = clock_monotonic_ms() + 20000;
    while (value(bench, messages, "team", "queued") != queued && clock_monotonic_ms() < deadline)
        clock_sleep_ms(2);
    CHECK_NUMBER(value(bench, messages, "team", "queued"), queued);
}

TEST(the_thread_sees_what_anybody_commits)
{
    CLEANUP(tear_down) struct bench bench;
    struct outbox_message message;
    set_up(&bench);
    outbox_figures_configure(bench.figures, (const char *const[]){ "team", NULL }, 0);
    outbox_figures_wake(bench.figures); /* not started: nothing happens */
    outbox_figures_start(bench.figures);
    wait_for_queued(&bench, 0);
    add(&bench, "team", "a", NOTIFICATION_FIRING, T0);
    outbox_figures_wake(bench.figures);
    wait_for_queued(&bench, 1);
    CHECK(take(&bench, "team", T0, &message));
    CHECK(outbox_drop(bench.other, message.id, NULL, T0, &bench.error)); /* and tells nobody */
    wait_for_queued(&bench, 0);
    outbox_figures_stop(bench.figures);
}
