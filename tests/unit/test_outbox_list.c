/* The outbox as people look at it. */
#include "alerts/notify/outbox_list.h"

#include <stdlib.h>

#include "alerts/store/schema.h"
#include "test.h"

enum { T0 = 1763726400, DAY = 86400 };

struct bench {
    struct database *database;
    struct outbox_clock clock;
    struct arena arena;
    struct error error;
};

static void bench_finish(struct bench *bench)
{
    database_close(bench->database);
    arena_finish(&bench->arena);
}

static struct bench bench_create(void)
{
    struct bench bench = { 0 };
    const struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    bench.database = database_open(&config, &bench.error);
    if (!bench.database)
        abort();
    CHECK(outbox_clock_start(bench.database, &bench.clock, &bench.error));
    return bench;
}

static void add(struct bench *bench, const char *receiver, size_t targets, const char *alert,
                int64_t now)
{
    struct notification notification;
    const struct outbox_member member = { .fingerprint = alert,
                                          .event = "finding.opened",
                                          .has_finding = true,
                                          .finding_id = { { 1, 2, 3 } },
                                          .episode = 1 };
    CHECK(notification_read("{}", 2, &bench->arena, &notification, &bench->error));
    notification.receiver = receiver;
    notification.event = "finding.opened";
    notification.title = arena_text(&bench->arena, alert);
    notification.dedup_key = arena_text(&bench->arena, alert);
    CHECK(database_begin(bench->database, &bench->error));
    CHECK(outbox_add(bench->database, &bench->clock, &notification, targets, &member, 1, DAY, now,
                     &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
}

/* The id of the message a lane would try now. */
static char *next_of(struct bench *bench, const char *receiver, int target, int64_t now)
{
    struct outbox_message message;
    bool found;
    CHECK(outbox_next(bench->database, receiver, target, now, &bench->arena, &message, &found, NULL,
                      NULL, &bench->error));
    return arena_text(&bench->arena, found ? message.id : "");
}

/* Titles in the order they are visited, and what they are about. */
struct told {
    struct bench *bench;
    struct buf *out;
};

static bool tell(void *context, const struct outbox_message *message, struct error *error)
{
    struct told *told = context;
    const char *title = "";
    bool ok = !*message->id || outbox_list_title(told->bench->database, message->id,
                                                 &told->bench->arena, &title, error);
    buf_printf(told->out, "%s/%d:%s ", message->receiver, message->target, title);
    return ok;
}

static bool tell_member(void *context, const struct outbox_member *member, struct error *error)
{
    struct told *told = context;
    char id[17];
    (void)error;
    buf_printf(told->out, "%s %s %s ", member->fingerprint, member->event,
               finding_id_text(&member->finding_id, id));
    return true;
}

/* A lane that is down for a minute, one that has sent and one that gave up. */
static void fill(struct bench *bench)
{
    for (int i = 0; i < 3; i++) {
        const char *alert = (const char *const[]){ "a", "b", "c" }[i];
        add(bench, "down", 1, alert, T0 + i);
        add(bench, "up", 2, alert, T0 + i);
    }
    CHECK(outbox_mark_retry(bench->database, next_of(bench, "down", 0, T0), 503, "serverError",
                            "away", T0 + 60, &bench->error));
    for (int i = 0; i < 2; i++)
        CHECK(outbox_mark_sent(bench->database, next_of(bench, "up", 0, T0 + i), 200, T0 + 10 + i,
                               &bench->error));
    CHECK(outbox_mark_dead(bench->database, next_of(bench, "up", 1, T0), 400, "clientError", "no",
                           T0 + 20, &bench->error));
}

TEST(lanes_are_counted)
{
    static const struct {
        const char *receiver;
        int target;
        int64_t waiting, dead, sent, sent_at;
        const char *last_error;
    } rows[] = {
        { "down", 0, 3, 0, 0, 0, "away" },
        { "up", 0, 1, 0, 2, T0 + 11, "" },
        { "up", 1, 2, 1, 0, 0, "" },
        { "nobody", 0, 0, 0, 0, 0, NULL },
    };
    CLEANUP(bench_finish) struct bench bench = bench_create();
    fill(&bench);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct outbox_list_lane lane;
        CHECK(outbox_list_lane(bench.database, rows[i].receiver, rows[i].target, &bench.arena,
                               &lane, &bench.error));
        CHECK_INT(lane.waiting, rows[i].waiting);
        CHECK_INT(lane.dead, rows[i].dead);
        CHECK_INT(lane.sent, rows[i].sent);
        CHECK_INT(lane.sent_at, rows[i].sent_at);
        CHECK(!rows[i].last_error == !*lane.oldest.id);
        if (rows[i].last_error)
            CHECK_TEXT(lane.oldest.last_error, rows[i].last_error);
    }
}

TEST(what_was_queued_again_and_accepted_is_the_last_success)
{
    struct outbox_list_lane lane;
    CLEANUP(bench_finish) struct bench bench = bench_create();
    fill(&bench);
    char *dead = arena_text(&bench.arena, next_of(&bench, "down", 0, T0 + 99));
    CHECK(outbox_mark_dead(bench.database, dead, 400, "clientError", "no", T0, &bench.error));
    CHECK(outbox_mark_sent(bench.database, next_of(&bench, "down", 0, T0 + 99), 200, T0 + 100,
                           &bench.error));
    CHECK(outbox_retry(bench.database, dead, DAY, NULL, T0 + 200, &bench.error));
    CHECK(outbox_mark_sent(bench.database, dead, 200, T0 + 201, &bench.error));
    CHECK(outbox_list_lane(bench.database, "down", 0, &bench.arena, &lane, &bench.error));
    CHECK_INT(lane.sent_at, T0 + 201);
}

TEST(when_all_is_sent)
{
    static const struct {
        int64_t waiting;
        int attempts;
        int64_t due_at;
        double rate, burst;
        int64_t wanted;
    } rows[] = {
        { 0, 0, 0, 1, 1, 0 },
        { 1, 0, T0, 1, 1, T0 },
        { 11, 0, T0, 1, 1, T0 + 10 },
        { 11, 0, T0, 0.5, 5, T0 + 12 },
        { 11, 3, T0 + 60, 1, 1, T0 + 70 },
        { 11, 3, T0 - 60, 1, 1, T0 + 10 }, /* its time has come */
        { 11, 0, T0 + 60, 1, 1, T0 + 10 }, /* never tried: at once */
        { 11, 0, T0, 0, 1, T0 },           /* no pace at all */
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct outbox_list_lane lane = {
            .waiting = rows[i].waiting,
            .oldest = { .attempts = rows[i].attempts, .due_at = rows[i].due_at },
        };
        CHECK_INT(outbox_list_done_at(&lane, rows[i].rate, rows[i].burst, T0), rows[i].wanted);
    }
}

TEST(messages_are_listed_newest_first_and_piece_by_piece)
{
    static const struct {
        const char *receiver;
        enum outbox_state state;
        int64_t limit;
        const char *wanted;
    } rows[] = {
        { NULL, OUTBOX_SENT, 9, "up/0:b up/0:a " },
        { NULL, OUTBOX_SENT, 1, "up/0:b " },
        { NULL, OUTBOX_DEAD, 9, "up/1:a " },
        { "down", OUTBOX_QUEUED, 9, "down/0:c down/0:b down/0:a " },
        { NULL, OUTBOX_QUEUED, 4, "up/1:c up/0:c down/0:c up/1:b " },
        { "nobody", OUTBOX_QUEUED, 9, "" },
    };
    CLEANUP(bench_finish) struct bench bench = bench_create();
    fill(&bench);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        struct told told = { &bench, &out };
        const struct outbox_list list = { rows[i].receiver, rows[i].state, NULL, rows[i].limit };
        CHECK(outbox_list_each(bench.database, &list, tell, &told, &bench.error));
        CHECK_TEXT(buf_cstr(&out), rows[i].wanted);
    }
    CLEANUP(buf_finish) struct buf rest = { 0 };
    struct told told = { &bench, &rest };
    const struct outbox_list list = { "down", OUTBOX_QUEUED, next_of(&bench, "down", 0, T0 + 2),
                                      9 };
    CHECK(outbox_list_each(bench.database, &list, tell, &told, &bench.error));
    CHECK_TEXT(buf_cstr(&rest), "down/0:a "); /* the next is b: a waits for its time */
}

TEST(what_is_known_of_an_alert_and_of_a_message)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct told told = { &bench, &out };
    fill(&bench);
    CHECK(outbox_list_about(bench.database, "a", NULL, 9, tell, &told, &bench.error));
    CHECK_TEXT(buf_cstr(&out), "up/1:a up/0:a down/0:a ");
    buf_reset(&out);
    CHECK(outbox_list_about(bench.database, "a", "up", 1, tell, &told, &bench.error));
    CHECK_TEXT(buf_cstr(&out), "up/1:a ");
    buf_reset(&out);
    CHECK(outbox_list_open(bench.database, tell, &told, &bench.error));
    CHECK_TEXT(buf_cstr(&out), "down/0: up/0: up/1: ");
    buf_reset(&out);
    CHECK(outbox_list_members(bench.database, next_of(&bench, "down", 0, T0 + 2), 9, tell_member,
                              &told, &bench.error));
    CHECK_TEXT(buf_cstr(&out), "b finding.opened 0102030000000000 ");
}
