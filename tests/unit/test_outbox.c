#include "alerts/notify/outbox.h"

#include "alerts/notify/outbox_told.h"

#include <stdio.h>
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

/* Queue a page about one alert for each target. */
static void add_for(struct bench *bench, const char *receiver, size_t targets, const char *alert,
                    enum notification_status status, int64_t now)
{
    static const char *const events[] = { "finding.opened", "finding.resolved" };
    struct notification notification;
    const struct outbox_member member = {
        .fingerprint = alert, .event = events[status], .status = status, .episode = 1
    };
    CHECK(notification_read("{}", 2, &bench->arena, &notification, &bench->error));
    notification.receiver = receiver;
    notification.event = events[status];
    notification.status = status;
    notification.dedup_key = arena_text(&bench->arena, alert);
    notification.event_at = now;
    CHECK(database_begin(bench->database, &bench->error));
    CHECK(outbox_add(bench->database, &bench->clock, &notification, targets, &member, 1, DAY, now,
                     &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
}

static void add(struct bench *bench, const char *alert, enum notification_status status,
                int64_t now)
{
    add_for(bench, "team", 1, alert, status, now);
}

/* The message a lane would try now; its id is "" when there is none. */
static struct outbox_message take_of(struct bench *bench, const char *receiver, int target,
                                     int64_t now)
{
    struct outbox_message message;
    bool found = false;
    CHECK(outbox_next(bench->database, receiver, target, now, &bench->arena, &message, &found, NULL,
                      NULL, &bench->error));
    return found ? message : (struct outbox_message){ .event = "", .dedup_key = "" };
}

static struct outbox_message take(struct bench *bench, int64_t now)
{
    return take_of(bench, "team", 0, now);
}

static struct outbox_message find(struct bench *bench, const char *id)
{
    struct outbox_message message;
    bool found = false;
    CHECK(outbox_find(bench->database, id, &bench->arena, &message, &found, &bench->error));
    return found ? message : (struct outbox_message){ .last_reason = "", .last_error = "" };
}

static void sent(struct bench *bench, const char *id, int64_t now)
{
    CHECK(outbox_mark_sent(bench->database, id, 200, now, &bench->error));
}

static void retry(struct bench *bench, const char *id, int64_t due_at)
{
    CHECK(
        outbox_mark_retry(bench->database, id, 503, "serverError", "busy", due_at, &bench->error));
}

static bool accepted(struct bench *bench, const char *alert)
{
    bool result = false;
    struct alert of = { .episode = 1 };
    snprintf(of.fingerprint, sizeof of.fingerprint, "%s", alert);
    CHECK(outbox_told(bench->database, "team", 0, &of, &result, &bench->error));
    return result;
}

static int64_t next_at(struct bench *bench)
{
    int64_t at = -1;
    CHECK(outbox_next_at(bench->database, "team", 0, &at, &bench->error));
    return at;
}

/* --- ids ------------------------------------------------------------------------------------ */

TEST(ids_rise_even_when_the_clock_steps_back)
{
    struct outbox_clock clock = { 0 };
    char before[OUTBOX_ID_BYTES] = "", id[OUTBOX_ID_BYTES];
    static const int64_t times_ms[] = { 1763726400000, 1763726400000, 1763726400500,
                                        1763726000000, 1763726400501, 1 };
    for (size_t i = 0; i < ARRAY_COUNT(times_ms); i++) {
        outbox_id(&clock, times_ms[i], id);
        CHECK_INT(strlen(id), 26);
        CHECK(strcmp(before, id) < 0);
        CHECK(!strpbrk(id, ".ILOU"));
        memcpy(before, id, sizeof before);
    }
    CHECK_INT(clock.last_ms, 1763726400503);
}

TEST(ids_rise_over_a_restart_with_an_older_clock)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    struct outbox_clock later = { 0 };
    char id[OUTBOX_ID_BYTES];
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    struct outbox_message message = take(&bench, T0);
    CHECK(outbox_clock_start(bench.database, &later, &bench.error));
    CHECK_INT(later.last_ms, (int64_t)T0 * 1000);
    CHECK(strcmp(message.id, outbox_id(&later, (int64_t)(T0 - DAY) * 1000, id)) < 0);
}

/* --- order ---------------------------------------------------------------------------------- */

TEST(oldest_message_goes_first_and_is_told_in_full)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    add(&bench, "b", NOTIFICATION_FIRING, T0);
    struct outbox_message message = take(&bench, T0);
    CHECK_TEXT(message.dedup_key, "a");
    CHECK_TEXT(message.receiver, "team");
    CHECK_TEXT(message.event, "finding.opened");
    CHECK_TEXT(message.status, "firing");
    CHECK_INT(message.state, OUTBOX_QUEUED);
    CHECK_INT(message.expires_at, T0 + DAY);
    CHECK_INT(message.attempts, 0);
    CHECK_INT(strlen(message.notification), message.notification_bytes);
    CHECK(!strstr(message.notification, message.id));
    CHECK_TEXT(take(&bench, T0).id, message.id); /* taking writes nothing */
    sent(&bench, message.id, T0);
    CHECK_TEXT(take(&bench, T0).dedup_key, "b");
}

TEST(a_resolve_waits_for_its_firing_but_others_do_not)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    add(&bench, "a", NOTIFICATION_RESOLVED, T0);
    add(&bench, "b", NOTIFICATION_FIRING, T0);
    struct outbox_message firing = take(&bench, T0);
    retry(&bench, firing.id, T0 + 5);
    CHECK_TEXT(take(&bench, T0 + 1).dedup_key, "b");
    CHECK_INT(next_at(&bench), T0); /* b may go */
    sent(&bench, take(&bench, T0 + 1).id, T0 + 1);
    CHECK_TEXT(take(&bench, T0 + 1).id, "");
    CHECK_INT(next_at(&bench), T0 + 5);
    CHECK_TEXT(take(&bench, T0 + 5).id, firing.id);
    sent(&bench, firing.id, T0 + 5);
    CHECK_TEXT(take(&bench, T0 + 5).status, "resolved");
}

TEST(lanes_do_not_wait_for_each_other)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add_for(&bench, "cluster", 2, "a", NOTIFICATION_FIRING, T0);
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    struct outbox_message first = take_of(&bench, "cluster", 0, T0);
    struct outbox_message second = take_of(&bench, "cluster", 1, T0);
    CHECK(strcmp(first.id, second.id) != 0);
    retry(&bench, first.id, T0 + 900);
    CHECK_TEXT(take_of(&bench, "cluster", 0, T0).id, "");
    CHECK_TEXT(take_of(&bench, "cluster", 1, T0).id, second.id);
    CHECK_TEXT(take(&bench, T0).dedup_key, "a");
    CHECK_TEXT(take_of(&bench, "cluster", 2, T0).id, "");
}

TEST(a_clock_that_stepped_back_holds_nothing_up)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    struct outbox_message message = take(&bench, T0 - 1800); /* never tried: at once */
    CHECK_TEXT(message.dedup_key, "a");
    retry(&bench, message.id, T0 + 5);
    CHECK_TEXT(take(&bench, T0 - 1800).id, "");
    CHECK_TEXT(take(&bench, T0 - 7200).dedup_key, "a"); /* no more than an hour */
}

/* --- ends ----------------------------------------------------------------------------------- */

TEST(expired_messages_die_and_their_resolves_are_closed)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    struct outbox_message firing = take(&bench, T0);
    add(&bench, "a", NOTIFICATION_RESOLVED, T0 + 3600);
    retry(&bench, firing.id, T0 + DAY + 60);
    CHECK_INT(next_at(&bench), T0 + DAY);
    CHECK_TEXT(take(&bench, T0 + DAY - 1).id, "");
    CHECK_TEXT(take(&bench, T0 + DAY).id, "");
    firing = find(&bench, firing.id);
    CHECK_INT(firing.state, OUTBOX_DEAD);
    CHECK_TEXT(firing.last_reason, "expired");
    CHECK_TEXT(firing.last_error, "busy");
    CHECK_INT(next_at(&bench), 0);
}

static void count_dead(void *context, const struct outbox_message *message)
{
    int *count = context;
    CHECK_INT(message->state, OUTBOX_DEAD);
    ++*count;
}

TEST(a_resolve_is_closed_when_its_firing_was_refused)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    int dead = 0;
    bool found = true;
    struct outbox_message message;
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    struct outbox_message firing = take(&bench, T0);
    add(&bench, "a", NOTIFICATION_RESOLVED, T0 + 1);
    CHECK(outbox_mark_dead(bench.database, firing.id, 404, "clientError", "no_service", T0,
                           &bench.error));
    CHECK(outbox_next(bench.database, "team", 0, T0 + 1, &bench.arena, &message, &found, count_dead,
                      &dead, &bench.error));
    CHECK(!found);
    CHECK_INT(dead, 1);

    /* The operator queues the firing again: both go out, in order, under the old ids. */
    CHECK(outbox_retry(bench.database, firing.id, DAY, NULL, T0 + 10, &bench.error));
    CHECK_TEXT(take(&bench, T0 + 10).id, firing.id);
    CHECK_INT(take(&bench, T0 + 10).expires_at, T0 + 10 + DAY);
    sent(&bench, firing.id, T0 + 10);
    CHECK_TEXT(take(&bench, T0 + 10).status, "resolved");
}

TEST(what_a_lane_accepted_last_decides)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    CHECK(!accepted(&bench, "a"));
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    CHECK(!accepted(&bench, "a"));
    sent(&bench, take(&bench, T0).id, T0);
    CHECK(accepted(&bench, "a"));
    CHECK(!accepted(&bench, "b"));
    add(&bench, "a", NOTIFICATION_FIRING, T0 + 1); /* a repeat that is refused changes nothing */
    CHECK(outbox_mark_dead(bench.database, take(&bench, T0 + 1).id, 400, "clientError", "", T0 + 1,
                           &bench.error));
    CHECK(accepted(&bench, "a"));
    add(&bench, "a", NOTIFICATION_RESOLVED, T0 + 2);
    sent(&bench, take(&bench, T0 + 2).id, T0 + 2);
    CHECK(!accepted(&bench, "a"));
    add(&bench, "a", NOTIFICATION_RESOLVED, T0 + 3); /* nothing to resolve any more */
    CHECK_TEXT(take(&bench, T0 + 3).id, "");
}

TEST(an_end_is_told_where_the_alert_moved_to)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add_for(&bench, "chat", 1, "a", NOTIFICATION_FIRING, T0);
    CHECK(accepted(&bench, "a")); /* it waits there, and will be told */
    sent(&bench, take_of(&bench, "chat", 0, T0).id, T0);
    add(&bench, "a", NOTIFICATION_RESOLVED, T0 + 1);
    struct outbox_message end = take(&bench, T0 + 1);
    CHECK_TEXT(end.event, "finding.resolved");
    CHECK(accepted(&bench, "a"));

    add_for(&bench, "chat", 1, "a", NOTIFICATION_RESOLVED, T0 + 2); /* told of it there */
    CHECK(!accepted(&bench, "a"));
    CHECK_TEXT(take(&bench, T0 + 2).id, "");
    CHECK_TEXT(find(&bench, end.id).last_reason, "notFired");

    add_for(&bench, "chat", 1, "b", NOTIFICATION_FIRING, T0 + 3); /* who did not take it, has it */
    add(&bench, "b", NOTIFICATION_FIRING, T0 + 3);                /* from nobody else */
    CHECK(outbox_mark_dead(bench.database, take(&bench, T0 + 3).id, 400, "clientError", "", T0 + 3,
                           &bench.error));
    CHECK(!accepted(&bench, "b"));
}

TEST(attempts_are_counted_and_explained)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    const char *id = arena_text(&bench.arena, take(&bench, T0).id);
    char longer[400];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    retry(&bench, id, T0 + 5);
    CHECK(outbox_mark_retry(bench.database, id, 500, "serverError", longer, T0 + 15, &bench.error));
    struct outbox_message message = find(&bench, id);
    CHECK_INT(message.attempts, 2);
    CHECK_INT(message.last_status, 500);
    CHECK_TEXT(message.last_reason, "serverError");
    CHECK_INT(strlen(message.last_error), 255);
    CHECK_INT(message.due_at, T0 + 15);
    sent(&bench, id, T0 + 15);
    message = find(&bench, id);
    CHECK_INT(message.attempts, 3);
    CHECK_TEXT(message.last_error, "");
    CHECK_INT(message.sent_at, T0 + 15);
    retry(&bench, id, T0 + 99); /* too late: accepted is accepted */
    CHECK_INT(find(&bench, id).state, OUTBOX_SENT);
}

/* --- operators ------------------------------------------------------------------------------ */

TEST(operators_drop_and_retry)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    const char *id = arena_text(&bench.arena, take(&bench, T0).id);
    CHECK(!outbox_retry(bench.database, id, DAY, NULL, T0, &bench.error));
    CHECK_INT(bench.error.code, ERROR_REQUEST);
    CHECK(!outbox_drop(bench.database, "nobody", NULL, T0, &bench.error));
    CHECK_INT(bench.error.code, ERROR_NOT_FOUND);
    CHECK(outbox_drop(bench.database, id, NULL, T0, &bench.error));
    CHECK_INT(find(&bench, id).state, OUTBOX_DEAD);
    CHECK_TEXT(find(&bench, id).last_reason, "dropped");
    CHECK(outbox_retry(bench.database, id, DAY, NULL, T0, &bench.error));
    CHECK_TEXT(take(&bench, T0).id, id);
    CHECK(outbox_drop(bench.database, id, NULL, T0, &bench.error));
    CHECK(outbox_drop(bench.database, id, NULL, T0, &bench.error)); /* a dead one is deleted */
    CHECK_TEXT(find(&bench, id).id, "");
    struct database_statement *statement =
        database_prepare(bench.database, "SELECT COUNT(*) FROM outbox_member");
    bool row;
    CHECK(database_step(statement, &row, &bench.error) && row);
    CHECK_INT(database_integer(statement, 0), 0); /* what it was about goes with it */
    database_reset(statement);
    add(&bench, "b", NOTIFICATION_FIRING, T0);
    id = arena_text(&bench.arena, take(&bench, T0).id);
    sent(&bench, id, T0);
    CHECK(!outbox_drop(bench.database, id, NULL, T0, &bench.error));
    CHECK_INT(bench.error.code, ERROR_REQUEST);
}

static bool collect(void *context, const struct outbox_message *message, struct error *error)
{
    struct buf *out = context;
    (void)error;
    buf_printf(out, "%s:%s:%s ", message->receiver, message->dedup_key,
               outbox_state_words[message->state]);
    return true;
}

TEST(messages_are_listed_by_receiver_and_state)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    CLEANUP(buf_finish) struct buf out = { 0 };
    add(&bench, "a", NOTIFICATION_FIRING, T0);
    add(&bench, "b", NOTIFICATION_FIRING, T0);
    add(&bench, "c", NOTIFICATION_FIRING, T0);
    add_for(&bench, "other", 1, "d", NOTIFICATION_FIRING, T0);
    sent(&bench, take(&bench, T0).id, T0);
    CHECK(outbox_drop(bench.database, take(&bench, T0).id, NULL, T0, &bench.error));
    CHECK(outbox_each(bench.database, NULL, OUTBOX_STATE_COUNT, collect, &out, &bench.error));
    CHECK_TEXT(buf_cstr(&out), "team:b:dead team:c:queued other:d:queued ");
    buf_reset(&out);
    CHECK(outbox_each(bench.database, "team", OUTBOX_SENT, collect, &out, &bench.error));
    CHECK_TEXT(buf_cstr(&out), "team:a:sent ");
}

/* The id of the one that a list begins with. */
static bool take_first(void *context, const struct outbox_message *message, struct error *error)
{
    memcpy(context, message->id, OUTBOX_ID_BYTES);
    return error_set(error, ERROR_LIMIT, "one is enough");
}

TEST(a_list_goes_on_behind_a_message)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    CLEANUP(buf_finish) struct buf out = { 0 };
    static const char *const keys[] = { "a", "b", "c", "d" };
    char after[OUTBOX_ID_BYTES] = "";
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        add(&bench, keys[i], NOTIFICATION_FIRING, T0);
    CHECK(!outbox_each_after(bench.database, NULL, OUTBOX_QUEUED, "", take_first, after,
                             &bench.error));
    sent(&bench, take(&bench, T0).id, T0); /* it is over meanwhile */
    CHECK(outbox_each_after(bench.database, NULL, OUTBOX_STATE_COUNT, after, collect, &out,
                            &bench.error));
    CHECK_TEXT(buf_cstr(&out), "team:b:queued team:c:queued team:d:queued ");
    buf_reset(&out);
    CHECK(!outbox_each_after(bench.database, "team", OUTBOX_QUEUED, after, take_first, after,
                             &bench.error));
    CHECK(outbox_each_after(bench.database, "team", OUTBOX_QUEUED, after, collect, &out,
                            &bench.error));
    CHECK_TEXT(buf_cstr(&out), "team:c:queued team:d:queued ");
    buf_reset(&out);
    CHECK(outbox_each_after(bench.database, NULL, OUTBOX_SENT, "", collect, &out, &bench.error));
    CHECK_TEXT(buf_cstr(&out), "team:a:sent ");
}

/* --- housekeeping --------------------------------------------------------------------------- */

static void prune(struct bench *bench, int64_t now)
{
    CHECK(database_begin(bench->database, &bench->error));
    CHECK(outbox_prune(bench->database, 30 * DAY, now, &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
}

static void put_active(struct bench *bench, const char *alert)
{
    struct database_statement *statement = database_prepare(
        bench->database,
        "INSERT INTO active_alert (fingerprint, rule, state, episode, event, risk,"
        " subscription_id, alert, value, active_at, fired_at, cleared_at,"
        " resolved_at, flaps, flapped_at, held_at, due_at) VALUES ($1, 'R', 'firing', 1,"
        " 'finding.opened', 0, '', '{}', 0, 0, 0, 0, 0, 0, 0, 0, 0)");
    CHECK(database_begin(bench->database, &bench->error));
    database_bind(statement, alert);
    CHECK(database_run(statement, &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
}

TEST(what_was_told_last_of_a_firing_alert_is_kept)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    const char *ids[3];
    put_active(&bench, "a");
    for (int i = 0; i < 2; i++) {
        add(&bench, "a", NOTIFICATION_FIRING, T0 + i);
        ids[i] = arena_text(&bench.arena, take(&bench, T0 + i).id);
        sent(&bench, ids[i], T0 + i);
    }
    add(&bench, "b", NOTIFICATION_FIRING, T0 + 2);
    ids[2] = arena_text(&bench.arena, take(&bench, T0 + 2).id);
    sent(&bench, ids[2], T0 + 2);
    prune(&bench, T0 + 20 * DAY);
    CHECK_TEXT(find(&bench, ids[0]).id, ids[0]);
    prune(&bench, T0 + 40 * DAY);
    CHECK_TEXT(find(&bench, ids[0]).id, "");
    CHECK_TEXT(find(&bench, ids[1]).id, ids[1]);
    CHECK_TEXT(find(&bench, ids[2]).id, "");
    CHECK(accepted(&bench, "a")); /* so that its resolve may go, months later */
    CHECK(!accepted(&bench, "b"));
}

TEST(dead_ones_go_after_ninety_days_and_orphans_expire)
{
    CLEANUP(bench_finish) struct bench bench = bench_create();
    add_for(&bench, "gone", 1, "a", NOTIFICATION_FIRING, T0);
    const char *id = arena_text(&bench.arena, take_of(&bench, "gone", 0, T0).id);
    prune(&bench, T0 + DAY);
    CHECK_INT(find(&bench, id).state, OUTBOX_QUEUED);
    prune(&bench, T0 + DAY + 3600);
    CHECK_INT(find(&bench, id).state, OUTBOX_DEAD);
    CHECK_TEXT(find(&bench, id).last_reason, "expired");
    prune(&bench, T0 + 90 * DAY);
    CHECK_INT(find(&bench, id).state, OUTBOX_DEAD);
    prune(&bench, T0 + 92 * DAY);
    CHECK_TEXT(find(&bench, id).id, "");
}
