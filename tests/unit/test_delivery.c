#include "alerts/notify/delivery.h"

#include <stdlib.h>

#include "alerts/notify/lane.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "loopback.h"
#include "relay.h"
#include "test.h"

enum { T0 = 1763726400, DAY = 86400, RECEIVERS_MAX = 3 };

/* --- a receiver that answers as told ---------------------------------------------------------- */

enum mood { MOOD_FINE, MOOD_BUSY, MOOD_LATER, MOOD_WRONG, MOOD_GONE, MOOD_MOVED, MOOD_CUT };

struct sink {
    struct loopback *server;
    enum mood mood;
    struct buf ids, bodies; /* of accepted messages, a space behind each id */
};

static void header_of(const struct loopback_request *request, const char *name, char out[64])
{
    const char *at = strcasestr(request->head, name);
    size_t length = at ? strcspn(at + strlen(name) + 2, "\r\n") : 0;
    snprintf(out, 64, "%.*s", (int)length, at ? at + strlen(name) + 2 : "");
}

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct sink *sink = context;
    char id[64];
    switch (sink->mood) {
    case MOOD_FINE:
        header_of(request, "webhook-id", id);
        buf_printf(&sink->ids, "%s ", id);
        buf_text(&sink->bodies, request->body);
        loopback_reply(out, 204, "", "");
        break;
    case MOOD_BUSY:
        loopback_reply(out, 503, "", "busy");
        break;
    case MOOD_LATER:
        loopback_reply(out, 429, "Retry-After: 120\r\n", "slow down");
        break;
    case MOOD_WRONG:
        loopback_reply(out, 400, "", "I do not understand");
        break;
    case MOOD_GONE:
        loopback_reply(out, 410, "", "gone");
        break;
    case MOOD_MOVED:
        loopback_reply(out, 302, "Location: /elsewhere\r\n", "");
        break;
    case MOOD_CUT:
        buf_char(out, LOOPBACK_CUT);
        buf_text(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal");
        break;
    }
}

/* --- a bench ---------------------------------------------------------------------------------- */

struct bench {
    char path[4200];
    struct settings_config configs[2]; /* the second after a reload */
    size_t config_count;
    struct settings *settings;
    struct metric_store *metrics;
    struct delivery *delivery;
    struct database *database;
    struct outbox_clock clock;
    struct sink sinks[RECEIVERS_MAX];
    struct arena arena;
    struct error error;
};

static const struct family *const no_families[] = { NULL };

static struct settings *make_settings(struct bench *bench, const char *yaml)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct settings_context context = { .file = "test.yml", .families = no_families };
    struct settings_config *config = &bench->configs[bench->config_count++];
    options_default(settings_options, config, &bench->arena);
    bool read = options_read(settings_options, "test.yml", yaml, strlen(yaml), config,
                             &bench->arena, &report);
    struct settings *settings = read ? settings_create(config, &context, &report) : NULL;
    CHECK_TEXT(buf_cstr(&report.text), "");
    if (!settings)
        abort();
    return settings;
}

/* Receivers "r0", "r1" ... that are the bench's sinks. more: further keys of each. */
static void append_receivers(struct bench *bench, size_t count, const char *more, struct buf *out)
{
    buf_text(out, "route: {receiver: r0}\nreceivers:\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "- {name: r%zu%s, webhook: {url: '%s/', http: {allow_private: true}}}\n", i,
                   more, bench->sinks[i].server->url);
}

static void set_up(struct bench *bench, size_t receivers, const char *more)
{
    static int number;
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    snprintf(bench->path, sizeof bench->path, "%s/delivery%d.db", test_folder(), ++number);
    for (size_t i = 0; i < RECEIVERS_MAX; i++)
        bench->sinks[i].server = loopback_start(answer, &bench->sinks[i]);
    append_receivers(bench, receivers, more, &yaml);
    bench->settings = make_settings(bench, buf_cstr(&yaml));
    bench->metrics = metric_store_create();
    const struct database_config database = { .path = bench->path,
                                              .migrations = schema_migrations,
                                              .own = true };
    bench->database = database_open(&database, &bench->error);
    if (!bench->database)
        abort();
    const struct delivery_config config = { bench->path, bench->metrics };
    bench->delivery = delivery_create(&config, bench->settings);
}

static void tear_down(struct bench *bench)
{
    delivery_destroy(bench->delivery);
    settings_release(bench->settings);
    for (size_t i = 0; i < bench->config_count; i++)
        options_finish(settings_options, &bench->configs[i]);
    database_close(bench->database);
    metric_store_destroy(bench->metrics);
    for (size_t i = 0; i < RECEIVERS_MAX; i++) {
        loopback_stop(bench->sinks[i].server);
        buf_finish(&bench->sinks[i].ids);
        buf_finish(&bench->sinks[i].bodies);
    }
    arena_finish(&bench->arena);
}

/* Queue a page about one alert; returns the message's id. */
static const char *add(struct bench *bench, const char *receiver, const char *alert,
                       enum notification_status status, int64_t now)
{
    struct notification notification;
    struct alert one = { .rule = "R", .event = "finding.opened", .reason = "" };
    const struct outbox_member member = {
        .fingerprint = one.fingerprint, .event = "finding.opened", .status = status, .episode = 1
    };
    CHECK(notification_read("{}", 2, &bench->arena, &notification, &bench->error));
    alert_label(&one, "alertname", alert);
    alert_seal(&one);
    one.state = status == NOTIFICATION_FIRING ? ALERT_FIRING : ALERT_RESOLVED;
    notification.receiver = receiver;
    notification.event = "finding.opened";
    notification.status = status;
    notification.title = alert;
    notification.dedup_key = one.fingerprint;
    notification.event_at = now;
    notification.alerts = &one;
    notification.alert_count = 1;
    CHECK(database_begin(bench->database, &bench->error));
    CHECK(outbox_add(bench->database, &bench->clock, &notification, 1, &member, 1, DAY, now,
                     &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
    struct database_statement *statement =
        database_prepare(bench->database, "SELECT MAX(id) FROM outbox_message");
    bool row;
    CHECK(database_step(statement, &row, &bench->error) && row);
    const char *id = arena_text(&bench->arena, database_text(statement, 0));
    database_reset(statement);
    return id;
}

static int64_t run(struct bench *bench, int64_t now)
{
    int64_t next_at;
    delivery_run(bench->delivery, now, &next_at);
    return next_at;
}

static struct outbox_message find(struct bench *bench, const char *id)
{
    struct outbox_message message;
    bool found = false;
    CHECK(outbox_find(bench->database, id, &bench->arena, &message, &found, &bench->error));
    if (!found)
        abort();
    return message;
}

static double metric(struct bench *bench, const char *name, const char *const *values)
{
    for (const struct family *const *one = lane_families; *one; one++)
        if (!strcmp((*one)->name, name))
            return metric_read_values(bench->metrics, *one, values);
    return -1;
}

#define TOTAL "defender_exporter_notifications_total"
#define FAILED "defender_exporter_notifications_failed_total"

/* --- tests --------------------------------------------------------------------------------------
 */

TEST(accepted_messages_are_marked_and_counted)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    const char *first = add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    const char *second = add(&bench, "r0", "b", NOTIFICATION_FIRING, T0);
    char both[64];
    CHECK_INT(run(&bench, T0 + 3), 0);
    snprintf(both, sizeof both, "%s %s ", first, second);
    CHECK_TEXT(buf_cstr(&bench.sinks[0].ids), both);
    CHECK_INT(find(&bench, first).state, OUTBOX_SENT);
    CHECK_INT(find(&bench, first).last_status, 204);
    CHECK_INT(find(&bench, second).attempts, 1);
    CHECK_NUMBER(metric(&bench, TOTAL, METRIC_LABELS("r0", "webhook")->values), 2);
    CHECK_NUMBER(metric(&bench, FAILED, METRIC_LABELS("r0", "webhook", "serverError")->values), 0);
    CHECK_NUMBER(metric(&bench, "defender_exporter_notification_last_success_timestamp_seconds",
                        METRIC_LABELS("r0")->values),
                 T0 + 3);
    CHECK_NUMBER(metric(&bench, "defender_exporter_notification_age_seconds",
                        METRIC_LABELS("webhook")->values),
                 2);
}

TEST(a_busy_receiver_is_tried_again_with_the_same_id)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    const char *id = add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    bench.sinks[0].mood = MOOD_BUSY;
    int64_t now = T0;
    static const int64_t expected_s[] = { 5, 10, 20, 40, 80, 160, 320, 640, 900, 900 };
    for (size_t i = 0; i < ARRAY_COUNT(expected_s); i++) {
        int64_t next = run(&bench, now);
        CHECK(next >= now + expected_s[i] * 8 / 10);
        CHECK(next <= now + expected_s[i] * 12 / 10);
        CHECK_INT(run(&bench, next - 1), next); /* not before */
        now = next;
    }
    CHECK_INT(find(&bench, id).attempts, 10);
    CHECK_TEXT(find(&bench, id).last_reason, "serverError");
    CHECK_CONTAINS(find(&bench, id).last_error, "busy");
    bench.sinks[0].mood = MOOD_FINE;
    CHECK_INT(run(&bench, now), 0);
    CHECK_CONTAINS(buf_cstr(&bench.sinks[0].ids), id);
    CHECK_NUMBER(metric(&bench, FAILED, METRIC_LABELS("r0", "webhook", "serverError")->values), 10);
}

TEST(retry_after_wins_over_backoff)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    const char *id = add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    bench.sinks[0].mood = MOOD_LATER;
    CHECK_INT(run(&bench, T0), T0 + 120);
    CHECK_TEXT(find(&bench, id).last_reason, "rateLimited");
    CHECK_INT(find(&bench, id).last_status, 429);
}

TEST(a_lane_that_fails_pauses_and_keeps_the_order)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    bench.sinks[0].mood = MOOD_BUSY;
    int64_t next = run(&bench, T0);
    add(&bench, "r0", "b", NOTIFICATION_FIRING, T0 + 1);
    add(&bench, "r0", "a", NOTIFICATION_RESOLVED, T0 + 1);
    CHECK_INT(run(&bench, T0 + 1), next);
    CHECK_INT(bench.sinks[0].server->requests, 1); /* b waits, too */
    bench.sinks[0].mood = MOOD_FINE;
    CHECK_INT(run(&bench, next), 0);
    const char *first = strstr(buf_cstr(&bench.sinks[0].bodies), "\"title\":\"a\"");
    const char *second = strstr(buf_cstr(&bench.sinks[0].bodies), "\"title\":\"b\"");
    CHECK(first && second && first < second);
    CHECK(first && strstr(first + 1, "\"title\":\"a\"") > second);
}

TEST(a_dead_receiver_delays_no_other)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 2, "");
    bench.sinks[0].mood = MOOD_CUT;
    add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    const char *id = add(&bench, "r1", "a", NOTIFICATION_FIRING, T0);
    CHECK(run(&bench, T0) > T0);
    CHECK_INT(find(&bench, id).state, OUTBOX_SENT);
}

TEST(a_refused_message_dies_and_its_resolve_is_not_sent)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    static const enum mood moods[] = { MOOD_WRONG, MOOD_MOVED };
    set_up(&bench, 1, "");
    for (size_t i = 0; i < ARRAY_COUNT(moods); i++) {
        const char *alert = i ? "moved" : "wrong";
        bench.sinks[0].mood = moods[i];
        const char *firing = add(&bench, "r0", alert, NOTIFICATION_FIRING, T0);
        CHECK_INT(run(&bench, T0), 0);
        CHECK_INT(find(&bench, firing).state, OUTBOX_DEAD);
        CHECK_TEXT(find(&bench, firing).last_reason, "clientError");
        bench.sinks[0].mood = MOOD_FINE;
        const char *resolve = add(&bench, "r0", alert, NOTIFICATION_RESOLVED, T0 + 60);
        CHECK_INT(run(&bench, T0 + 60), 0);
        CHECK_INT(find(&bench, resolve).state, OUTBOX_DEAD);
        CHECK_TEXT(find(&bench, resolve).last_reason, "notFired");
    }
    CHECK_INT(bench.sinks[0].server->requests, 2); /* the redirect was not followed */
}

TEST(a_receiver_that_is_down_for_days_expires_its_messages)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    bench.sinks[0].mood = MOOD_BUSY;
    const char *first = add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    int64_t now = run(&bench, T0);
    while (now && now < T0 + 2 * DAY)
        now = run(&bench, now);
    CHECK_INT(find(&bench, first).state, OUTBOX_DEAD);
    CHECK_TEXT(find(&bench, first).last_reason, "expired");
    CHECK(find(&bench, first).attempts > 90); /* a quarter of an hour apart at most */
    CHECK_NUMBER(
        metric(&bench, FAILED, METRIC_LABELS("r0", "webhook", "contextDeadlineExceeded")->values),
        1);
    bench.sinks[0].mood = MOOD_FINE;
    const char *second = add(&bench, "r0", "b", NOTIFICATION_FIRING, T0 + 3 * DAY);
    CHECK_INT(run(&bench, T0 + 3 * DAY), 0);
    CHECK_INT(find(&bench, second).state, OUTBOX_SENT);
}

TEST(a_receiver_that_is_gone_stops_its_lane_until_a_reload)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    bench.sinks[0].mood = MOOD_GONE;
    const char *id = add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    CHECK_INT(run(&bench, T0), 0);
    bench.sinks[0].mood = MOOD_FINE;
    CHECK_INT(run(&bench, T0 + 2 * 3600), 0);
    CHECK_INT(bench.sinks[0].server->requests, 1);
    CHECK_INT(find(&bench, id).state, OUTBOX_QUEUED);
    delivery_configure(bench.delivery, bench.settings);
    CHECK_INT(run(&bench, T0 + 2 * 3600), 0);
    CHECK_INT(find(&bench, id).state, OUTBOX_SENT);
}

TEST(a_reload_with_nothing_new_ends_no_pause)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    bench.sinks[0].mood = MOOD_BUSY;
    add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    CHECK(run(&bench, T0) > T0);
    bench.sinks[0].mood = MOOD_FINE;
    add(&bench, "r0", "b", NOTIFICATION_FIRING, T0);
    delivery_configure(bench.delivery, bench.settings);
    CHECK(run(&bench, T0) > T0);
    CHECK_INT(bench.sinks[0].server->requests, 1);
}

TEST(the_rate_is_kept)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, ", rate: 0.5, burst: 3");
    for (char alert[2] = "a"; *alert < 'h'; ++*alert)
        add(&bench, "r0", alert, NOTIFICATION_FIRING, T0);
    CHECK_INT(run(&bench, T0), T0 + 2);
    CHECK_INT(bench.sinks[0].server->requests, 3);
    CHECK_INT(run(&bench, T0 + 1), T0 + 2);
    CHECK_INT(bench.sinks[0].server->requests, 3);
    CHECK_INT(run(&bench, T0 + 2), T0 + 4);
    CHECK_INT(bench.sinks[0].server->requests, 4);
    CHECK_INT(run(&bench, T0 - 3600), T0 - 3600 + 2); /* the clock stepped back: no new burst */
    CHECK_INT(bench.sinks[0].server->requests, 4);
    CHECK_INT(run(&bench, T0 + 100), 0);
    CHECK_INT(bench.sinks[0].server->requests, 7);
}

TEST(a_burst_below_one_still_lets_one_message_go)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, ", rate: 0.5, burst: 0.25");
    add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    add(&bench, "r0", "b", NOTIFICATION_FIRING, T0);
    CHECK_INT(run(&bench, T0), T0 + 2);
    CHECK_INT(bench.sinks[0].server->requests, 1);
    CHECK_INT(run(&bench, T0 + 2), 0);
    CHECK_INT(bench.sinks[0].server->requests, 2);
}

TEST(a_locked_database_never_makes_a_message_go_twice)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    const char *first = add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    const char *second = add(&bench, "r0", "b", NOTIFICATION_FIRING, T0);
    CHECK(database_begin(bench.database, &bench.error)); /* another process writes */
    CHECK_INT(run(&bench, T0), T0 + 1);
    CHECK_INT(run(&bench, T0 + 1), T0 + 2);
    CHECK_INT(bench.sinks[0].server->requests, 1); /* accepted, not yet noted: nothing else goes */
    database_rollback(bench.database);
    CHECK_INT(find(&bench, first).state, OUTBOX_QUEUED);
    CHECK_INT(run(&bench, T0 + 2), 0);
    CHECK_INT(bench.sinks[0].server->requests, 2);
    CHECK_INT(find(&bench, first).state, OUTBOX_SENT);
    CHECK_INT(find(&bench, second).state, OUTBOX_SENT);
}

TEST(a_private_target_is_refused_unless_allowed)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 1, "");
    /* as behind a name, which only a resolver can judge: an address is refused when it is read */
    struct receivers_config *receivers = bench.configs[0].receivers.items;
    receivers[0].webhook.http.allow_private = false;
    const char *id = add(&bench, "r0", "a", NOTIFICATION_FIRING, T0);
    run(&bench, T0);
    CHECK_INT(bench.sinks[0].server->requests, 0);
    CHECK(*find(&bench, id).last_error);
    CHECK(find(&bench, id).state != OUTBOX_SENT);
}

/* One recipient of two: the mail counts as accepted, the other one is counted. */
TEST(a_refused_recipient_is_counted)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    struct relay relay = { .at = "RCPT TO:<gone", .answer = "550 5.1.1 unknown\r\n" };
    char yaml[300];
    set_up(&bench, 1, "");
    relay_start(&relay);
    snprintf(yaml, sizeof yaml,
             "route: {receiver: m}\nreceivers: [{name: m, email: {smarthost: '127.0.0.1:%d', "
             "from: me@x.example, to: [gone@x.example, a@x.example], tls: never}}]\n",
             relay.port);
    struct settings *settings = make_settings(&bench, yaml);
    delivery_configure(bench.delivery, settings);
    const char *id = add(&bench, "m", "a", NOTIFICATION_FIRING, T0);
    CHECK_INT(run(&bench, T0), 0);
    CHECK_INT(find(&bench, id).state, OUTBOX_SENT);
    CHECK_NUMBER(metric(&bench, "defender_exporter_notification_recipients_refused_total",
                        METRIC_LABELS("m")->values),
                 1);
    CHECK_NUMBER(metric(&bench, FAILED, METRIC_LABELS("m", "email", "clientError")->values), 0);
    delivery_configure(bench.delivery, bench.settings); /* hangs up */
    relay_stop(&relay);
    settings_release(settings);
    buf_finish(&relay.heard);
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

/* Who is put off is tried alone, while everybody else and everything else goes on; for an hour. */
TEST(a_recipient_that_is_put_off_is_tried_alone)
{
    static const struct {
        const char *then;
        int attempts;
    } cases[] = { { "250 fine\r\n", 2 }, { "550 5.1.1 unknown\r\n", 2 }, { NULL, 14 } };
    const int64_t longest_s = 900 * 120 / 100; /* the longest pause, with all its jitter */
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(tear_down) struct bench bench = { 0 };
        struct relay relay = { .at = "RCPT TO:<later",
                               .answer = "451 4.7.1 come later\r\n",
                               .then = cases[i].then };
        char yaml[300];
        set_up(&bench, 1, "");
        relay_start(&relay);
        snprintf(yaml, sizeof yaml,
                 "route: {receiver: m}\nreceivers: [{name: m, rate: 100, burst: 100, email: "
                 "{smarthost: '127.0.0.1:%d', from: me@x.example, "
                 "to: [later@x.example, a@x.example], tls: never}}]\n",
                 relay.port);
        struct settings *settings = make_settings(&bench, yaml);
        delivery_configure(bench.delivery, settings);
        const char *id = add(&bench, "m", "a", NOTIFICATION_FIRING, T0);
        const char *end = add(&bench, "m", "a", NOTIFICATION_RESOLVED, T0);
        int64_t next = run(&bench, T0), now = T0;
        CHECK(next > T0);
        CHECK_INT(find(&bench, id).state, OUTBOX_QUEUED);
        CHECK_TEXT(find(&bench, id).recipients, "later@x.example\n");
        CHECK_INT(find(&bench, end).state, OUTBOX_QUEUED); /* it is about the same */
        const char *other = add(&bench, "m", "b", NOTIFICATION_FIRING, now);
        run(&bench, now);
        CHECK_INT(find(&bench, other).attempts, 1); /* the lane does not pause */
        for (int turn = 0; turn < 60 && find(&bench, id).state == OUTBOX_QUEUED; turn++) {
            CHECK(next > now && next <= T0 + 3600 + longest_s);
            now = next;
            next = run(&bench, now);
        }
        CHECK_INT(find(&bench, id).state, OUTBOX_SENT);
        CHECK(find(&bench, id).attempts <= cases[i].attempts);
        CHECK_INT(find(&bench, end).attempts, 1);
        delivery_configure(bench.delivery, bench.settings); /* hangs up */
        relay_stop(&relay);
        CHECK_INT(count_of(buf_cstr(&relay.heard), "RCPT TO:<a@x.example>"), 3);
        CHECK(count_of(buf_cstr(&relay.heard), "RCPT TO:<later@x.example>") >= 4);
        settings_release(settings);
        buf_finish(&relay.heard);
    }
}

TEST(lanes_come_and_go_with_the_configuration)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    set_up(&bench, 2, "");
    const char *orphan = add(&bench, "r1", "a", NOTIFICATION_FIRING, T0);
    struct settings *before = bench.settings;
    append_receivers(&bench, 1, "", &yaml);
    bench.settings = make_settings(&bench, buf_cstr(&yaml));
    delivery_configure(bench.delivery, bench.settings);
    settings_release(before);
    CHECK_INT(run(&bench, T0), 0);
    CHECK_INT(find(&bench, orphan).state, OUTBOX_QUEUED);
    delivery_emit(bench.delivery, &set);
    CHECK(set.count >= 6);
}

TEST(threads_deliver_and_stop_at_once)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, 3, "");
    const char *ids[3];
    delivery_start(bench.delivery);
    int64_t now = clock_now_s();
    ids[0] = add(&bench, "r0", "a", NOTIFICATION_FIRING, now);
    ids[1] = add(&bench, "r1", "a", NOTIFICATION_FIRING, now);
    ids[2] = add(&bench, "r2", "a", NOTIFICATION_FIRING, now);
    delivery_wake(bench.delivery);
    for (size_t i = 0; i < 3; i++) {
        int64_t deadline = clock_monotonic_ms() + 120000;
        while (find(&bench, ids[i]).state != OUTBOX_SENT && clock_monotonic_ms() < deadline)
            clock_sleep_ms(5);
        CHECK_INT(find(&bench, ids[i]).state, OUTBOX_SENT);
    }
    int64_t began = clock_monotonic_ms();
    delivery_stop(bench.delivery);
    CHECK(clock_monotonic_ms() - began < 15000);
}
