/* Threads at Slack: one post for each message whatever gets lost, and what its errors mean. */
#include "alerts/receivers/slack_bot.h"

#include <stdlib.h>

#include "alerts/notify/delivery.h"
#include "alerts/notify/outbox.h"
#include "alerts/store/schema.h"
#include "loopback.h"
#include "notification_fixture.h"
#include "test.h"

enum { T0 = 1763726400, DAY = 86400, POSTS_MAX = 32 };
#define CHANNEL "C0123456789"

/* --- a small Slack ---------------------------------------------------------------------------- */

struct post {
    char ts[32], thread[32], id[64], text[128];
    bool is_heard, is_deleted;
    int edits;
};

/* It forgets nothing and knows no second try: what arrives twice is there twice. */
struct slack {
    struct loopback *server;
    struct post posts[POSTS_MAX];
    int count;
    struct buf calls;    /* the methods in order, a blank behind each */
    const char *refuses; /* this method ... */
    const char *answer;  /* ... with this error, NULL = by no answer after it was done */
    int status;          /* ... and this status; 0 = 200 */
};

static void take(char *kept, size_t bytes, const char *text)
{
    snprintf(kept, bytes, "%s", text ? text : "");
}

static struct post *find_post(struct slack *slack, const char *ts)
{
    for (int i = 0; ts && i < slack->count; i++)
        if (!strcmp(slack->posts[i].ts, ts) && !slack->posts[i].is_deleted)
            return &slack->posts[i];
    return NULL;
}

/* An error, or NULL. */
static const char *post_message(struct slack *slack, const struct json *body)
{
    const char *thread = json_text(json_get(body, "thread_ts"));
    struct post *post = &slack->posts[slack->count];
    if (strcmp(json_text(json_get(body, "channel")), CHANNEL) != 0)
        return "channel_not_found";
    if (thread && !find_post(slack, thread))
        return "thread_not_found";
    *post = (struct post){ .is_heard = json_bool(json_get(body, "reply_broadcast"), !thread) };
    snprintf(post->ts, sizeof post->ts, "%d.%06d", T0, ++slack->count);
    take(post->thread, sizeof post->thread, thread);
    take(post->text, sizeof post->text, json_text(json_get(body, "text")));
    take(post->id, sizeof post->id, json_text(json_path(body, "metadata.event_payload.id")));
    return NULL;
}

static const char *update(struct slack *slack, const struct json *body)
{
    struct post *post = find_post(slack, json_text(json_get(body, "ts")));
    if (!post || strcmp(json_text(json_get(body, "channel")), CHANNEL) != 0)
        return "message_not_found";
    take(post->text, sizeof post->text, json_text(json_get(body, "text")));
    post->edits++;
    return NULL;
}

/* Replies are no part of the channel, and ids are told only to who asks for them. */
static void put_messages(struct slack *slack, const char *path, struct json_writer *writer)
{
    const char *thread = strstr(path, "&ts=");
    bool with_ids = strstr(path, "include_all_metadata=true");
    json_open(writer, "messages", '[');
    for (int i = slack->count - 1; i >= 0; i--) {
        const struct post *post = &slack->posts[i];
        if (post->is_deleted || strcmp(post->thread, thread ? thread + 4 : "") != 0)
            continue;
        json_open(writer, NULL, '{');
        json_add_text(writer, "ts", post->ts);
        json_open(writer, "metadata", '{');
        json_open(writer, "event_payload", '{');
        if (with_ids)
            json_add_text(writer, "id", post->id);
        json_close(writer, '}');
        json_close(writer, '}');
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct slack *slack = context;
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct json_writer writer = { .out = &text };
    struct error error;
    char method[40];
    snprintf(method, sizeof method, "%.*s", (int)strcspn(request->path + 1, "?"),
             request->path + 1);
    buf_printf(&slack->calls, "%s ", strrchr(method, '.') + 1);
    bool refuses = slack->refuses && strstr(method, slack->refuses);
    struct json *body = json_parse(request->body, strlen(request->body), &error);
    const char *wrong = refuses ? slack->answer : NULL;
    CHECK(strcasestr(request->head, "Authorization: Bearer xoxb-1\r\n"));
    if (!wrong && !strcmp(method, "chat.postMessage"))
        wrong = post_message(slack, body);
    else if (!wrong && !strcmp(method, "chat.update"))
        wrong = update(slack, body);
    json_open(&writer, NULL, '{');
    json_add_bool(&writer, "ok", !wrong);
    if (wrong)
        json_add_text(&writer, "error", wrong);
    else if (!strncmp(method, "conversations.", 14))
        put_messages(slack, request->path, &writer);
    else
        json_add_text(&writer, "ts", slack->count ? slack->posts[slack->count - 1].ts : "");
    json_add_text(&writer, "channel", CHANNEL);
    json_close(&writer, '}');
    json_free(body);
    if (refuses && !slack->answer) {
        buf_char(out, LOOPBACK_CUT);
        buf_text(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok");
        return;
    }
    bool has_status = refuses && slack->status;
    loopback_reply(out, has_status ? slack->status : 200, has_status ? "Retry-After: 30\r\n" : "",
                   buf_cstr(&text));
}

/* --- a bench ---------------------------------------------------------------------------------- */

struct bench {
    char path[4200];
    struct settings_config config;
    struct settings *settings;
    struct metric_store *metrics;
    struct delivery *delivery;
    struct database *database;
    struct outbox_clock clock;
    struct slack slack;
    struct arena arena;
    struct error error;
};

static void make_settings(struct bench *bench)
{
    static const struct family *const no_families[] = { NULL };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    struct settings_context context = { .file = "test.yml", .families = no_families };
    buf_printf(&yaml,
               "route: {receiver: chat}\nreceivers:\n- {name: chat, rate: 100, burst: 100,\n"
               "   slack: {bot_token: xoxb-1, channel: " CHANNEL ", api_url: '%s',\n"
               "   http: {allow_private: true}}}\n",
               bench->slack.server->url);
    options_default(settings_options, &bench->config, &bench->arena);
    CHECK(options_read(settings_options, "test.yml", buf_cstr(&yaml), yaml.length, &bench->config,
                       &bench->arena, &report));
    bench->settings = settings_create(&bench->config, &context, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    if (!bench->settings)
        abort();
}

static void start(struct bench *bench)
{
    const struct delivery_config config = { bench->path, bench->metrics };
    bench->delivery = delivery_create(&config, bench->settings);
}

static void set_up(struct bench *bench)
{
    static int number;
    snprintf(bench->path, sizeof bench->path, "%s/slack%d.db", test_folder(), ++number);
    bench->slack.server = loopback_start(answer, &bench->slack);
    make_settings(bench);
    bench->metrics = metric_store_create();
    const struct database_config database = { .path = bench->path,
                                              .migrations = schema_migrations,
                                              .own = true };
    bench->database = database_open(&database, &bench->error);
    if (!bench->database)
        abort();
    start(bench);
}

static void tear_down(struct bench *bench)
{
    delivery_destroy(bench->delivery);
    settings_release(bench->settings);
    options_finish(settings_options, &bench->config);
    database_close(bench->database);
    metric_store_destroy(bench->metrics);
    loopback_stop(bench->slack.server);
    buf_finish(&bench->slack.calls);
    arena_finish(&bench->arena);
}
#define BENCH CLEANUP(tear_down) struct bench

/* Queue a message under this key; what resolves says of the same alert that it ended. */
static void say(struct bench *bench, const char *key, const char *title, bool resolves)
{
    struct notification notification;
    struct alert one = { .rule = "R", .reason = "" };
    const char *event = resolves ? "finding.resolved" : "finding.opened";
    const struct outbox_member member = { .fingerprint = one.fingerprint,
                                          .event = event,
                                          .status = resolves ? NOTIFICATION_RESOLVED
                                                             : NOTIFICATION_FIRING,
                                          .episode = 1 };
    CHECK(notification_read("{}", 2, &bench->arena, &notification, &bench->error));
    alert_label(&one, "alertname", key);
    alert_seal(&one);
    one.state = resolves ? ALERT_RESOLVED : ALERT_FIRING;
    notification.receiver = "chat";
    notification.event = event;
    notification.status = member.status;
    notification.title = title;
    notification.dedup_key = key;
    notification.alerts = &one;
    notification.alert_count = 1;
    CHECK(database_begin(bench->database, &bench->error));
    CHECK(outbox_add(bench->database, &bench->clock, &notification, 1, &member, 1, DAY, T0,
                     &bench->error));
    CHECK(database_commit(bench->database, &bench->error));
}

static int64_t run(struct bench *bench, int64_t now)
{
    int64_t next_at;
    delivery_run(bench->delivery, now, &next_at);
    return next_at;
}

/* What Slack was asked since. */
static const char *calls(struct bench *bench)
{
    const char *text = arena_text(&bench->arena, buf_cstr(&bench->slack.calls));
    buf_reset(&bench->slack.calls);
    return text;
}

static int64_t count(struct bench *bench, const char *sql)
{
    int64_t number = -1;
    CHECK(database_get_integer(database_prepare(bench->database, sql), &number, &bench->error));
    return number;
}

static int64_t sent(struct bench *bench)
{
    return count(bench, "SELECT COUNT(*) FROM outbox_message WHERE state = 'sent'");
}

/* --- threads ---------------------------------------------------------------------------------- */

TEST(later_states_edit_the_first_message_and_reply_below_it)
{
    BENCH bench = { 0 };
    set_up(&bench);
    const struct post *posts = bench.slack.posts;
    say(&bench, "a", "a is open", false);
    CHECK_INT(run(&bench, T0), 0);
    CHECK_TEXT(calls(&bench), "postMessage ");
    say(&bench, "a", "a and b are open", false);
    say(&bench, "other", "another", false);
    CHECK_INT(run(&bench, T0 + 1), 0);
    CHECK_TEXT(calls(&bench), "update postMessage postMessage ");
    say(&bench, "a", "Fixed: a", true);
    CHECK_INT(run(&bench, T0 + 2), 0);
    CHECK_INT(bench.slack.count, 4);
    CHECK_TEXT(posts[0].text, "Fixed: a");
    CHECK_INT(posts[0].edits, 2);
    CHECK_TEXT(posts[1].text, "a and b are open");
    CHECK_TEXT(posts[1].thread, posts[0].ts);
    CHECK(posts[1].is_heard); /* somebody else is affected */
    CHECK_TEXT(posts[2].thread, "");
    CHECK_TEXT(posts[3].thread, posts[0].ts);
    CHECK(!posts[3].is_heard); /* it ended */
    CHECK_INT(sent(&bench), 4);
}

TEST(a_lost_answer_posts_nothing_twice)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    bench.slack.refuses = "postMessage";
    int64_t next = run(&bench, T0);
    CHECK_INT(bench.slack.count, 1); /* it arrived all the same */
    CHECK_INT(sent(&bench), 0);
    bench.slack.refuses = "history";
    next = run(&bench, next); /* nobody can say yet */
    CHECK_INT(sent(&bench), 0);
    bench.slack.refuses = NULL;
    CHECK_INT(run(&bench, next), 0);
    CHECK_INT(bench.slack.count, 1);
    CHECK_INT(sent(&bench), 1);
    CHECK_TEXT(calls(&bench), "postMessage history history ");

    say(&bench, "a", "second", false);
    bench.slack.refuses = "postMessage";
    next = run(&bench, T0 + 1000);
    bench.slack.refuses = NULL;
    CHECK_INT(run(&bench, next), 0);
    CHECK_INT(bench.slack.count, 2); /* the reply, too, once */
    CHECK_INT(sent(&bench), 2);
    CHECK_TEXT(calls(&bench), "update postMessage replies ");
    CHECK_INT(count(&bench, "SELECT COUNT(*) FROM outbox_thread WHERE trying <> ''"), 0);
}

TEST(a_restart_goes_on_in_the_thread)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    bench.slack.refuses = "postMessage";
    run(&bench, T0);
    delivery_destroy(bench.delivery); /* the program ends before it knows */
    start(&bench);
    bench.slack.refuses = NULL;
    CHECK_INT(run(&bench, T0 + 3600), 0);
    CHECK_INT(bench.slack.count, 1);
    delivery_destroy(bench.delivery);
    start(&bench);
    say(&bench, "a", "second", false);
    CHECK_INT(run(&bench, T0 + 3601), 0);
    CHECK_INT(bench.slack.count, 2);
    CHECK_TEXT(bench.slack.posts[1].thread, bench.slack.posts[0].ts);
}

/* A kill at the worst instant: Slack has it, the database does not know. */
TEST(a_kill_after_the_post_posts_nothing_twice)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    CHECK_INT(run(&bench, T0), 0);
    CHECK(database_run(database_prepare(bench.database, "UPDATE outbox_thread SET ts = '',"
                                                        " trying = (SELECT MAX(id) FROM"
                                                        " outbox_message)"),
                       &bench.error));
    CHECK(database_run(database_prepare(bench.database, "UPDATE outbox_message SET state ="
                                                        " 'queued', sent_at = 0, attempts = 0"),
                       &bench.error));
    CHECK_INT(run(&bench, T0 + 1), 0);
    CHECK_INT(bench.slack.count, 1);
    CHECK_INT(sent(&bench), 1);
    CHECK_TEXT(calls(&bench), "postMessage history ");
}

TEST(what_did_not_arrive_is_posted)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    bench.slack.refuses = "postMessage";
    bench.slack.answer = "fatal_error"; /* may have been done, was not */
    int64_t next = run(&bench, T0);
    CHECK_INT(bench.slack.count, 0);
    bench.slack.refuses = "history";
    bench.slack.answer = "missing_scope"; /* we may not look: better twice than never */
    CHECK_INT(run(&bench, next), 0);
    CHECK_INT(bench.slack.count, 1);
    CHECK_TEXT(calls(&bench), "postMessage history postMessage ");
}

TEST(what_was_refused_for_sure_is_not_looked_for)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    bench.slack.refuses = "postMessage";
    bench.slack.answer = "ratelimited";
    bench.slack.status = 429;
    CHECK_INT(run(&bench, T0), T0 + 30);
    bench.slack.refuses = NULL;
    CHECK_INT(run(&bench, T0 + 30), 0);
    CHECK_TEXT(calls(&bench), "postMessage postMessage ");
    CHECK_INT(bench.slack.count, 1);
}

TEST(a_deleted_message_is_posted_anew)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    run(&bench, T0);
    bench.slack.posts[0].is_deleted = true;
    say(&bench, "a", "second", false);
    CHECK_INT(run(&bench, T0 + 1), 0);
    say(&bench, "a", "third", false);
    CHECK_INT(run(&bench, T0 + 2), 0);
    CHECK_TEXT(calls(&bench), "postMessage update postMessage update postMessage ");
    CHECK_TEXT(bench.slack.posts[1].thread, "");
    CHECK_TEXT(bench.slack.posts[2].thread, bench.slack.posts[1].ts);
    CHECK_INT(sent(&bench), 3);
}

TEST(what_may_not_be_edited_still_gets_its_reply)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    run(&bench, T0);
    bench.slack.refuses = "update";
    bench.slack.answer = "edit_window_closed";
    say(&bench, "a", "second", false);
    CHECK_INT(run(&bench, T0 + 1), 0);
    CHECK_INT(bench.slack.count, 2);
    CHECK_INT(sent(&bench), 2);
}

TEST(a_wrong_channel_is_final)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    bench.slack.refuses = "postMessage";
    bench.slack.answer = "channel_not_found";
    CHECK_INT(run(&bench, T0), 0);
    CHECK_INT(count(&bench, "SELECT COUNT(*) FROM outbox_message WHERE state = 'dead'"), 1);
}

TEST(threads_nobody_needs_are_deleted)
{
    BENCH bench = { 0 };
    set_up(&bench);
    say(&bench, "a", "first", false);
    run(&bench, T0);
    CHECK(database_begin(bench.database, &bench.error));
    CHECK(outbox_prune(bench.database, DAY, T0 + 1, &bench.error));
    CHECK_INT(count(&bench, "SELECT COUNT(*) FROM outbox_thread"), 1);
    CHECK(outbox_prune(bench.database, DAY, T0 + 2 * DAY, &bench.error));
    CHECK(outbox_prune(bench.database, DAY, T0 + 2 * DAY, &bench.error));
    CHECK_INT(count(&bench, "SELECT COUNT(*) FROM outbox_thread"), 0);
    CHECK(database_commit(bench.database, &bench.error));
}

/* --- configuration and answers ---------------------------------------------------------------- */

static const char *mistakes(struct arena *arena, const char *slack)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct slack_config config = { 0 };
    options_default(slack_options, &config, arena);
    if (options_read(slack_options, "test.yml", slack, strlen(slack), &config, arena, &report))
        slack_kind.check(&config, "test.yml", 1, &report);
    options_finish(slack_options, &config);
    return arena_text(arena, buf_cstr(&report.text));
}

TEST(a_webhook_or_a_bot)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CHECK_TEXT(mistakes(&arena, "url: https://hooks.slack.com/x\n"), "");
    CHECK_TEXT(mistakes(&arena, "bot_token: xoxb-1\nchannel: " CHANNEL "\n"), "");
    CHECK_CONTAINS(mistakes(&arena, "http: {}\n"), "needs url or bot_token");
    CHECK_CONTAINS(mistakes(&arena, "url: https://h.example\nbot_token: x\nchannel: " CHANNEL "\n"),
                   "needs url or bot_token");
    CHECK_CONTAINS(mistakes(&arena, "bot_token: xoxb-1\n"), "need each other");
    CHECK_CONTAINS(mistakes(&arena, "bot_token: xoxb-1\nchannel: '#soc'\n"), "not the id");
    CHECK_CONTAINS(
        mistakes(&arena, "bot_token: x\nchannel: " CHANNEL "\nhttp: { bearer_token: y }\n"),
        "excludes bearer_token");
}

TEST(errors_pass_or_are_final)
{
    static const struct {
        const char *error;
        enum receiver_outcome outcome;
        enum receiver_reason reason;
        bool is_certain;
    } cases[] = {
        { "ratelimited", RECEIVER_RETRY, RECEIVER_RATE_LIMITED, true },
        { "invalid_auth", RECEIVER_RETRY, RECEIVER_AUTH_ERROR, true },
        { "token_revoked", RECEIVER_RETRY, RECEIVER_AUTH_ERROR, true },
        { "missing_scope", RECEIVER_RETRY, RECEIVER_AUTH_ERROR, true },
        { "not_in_channel", RECEIVER_RETRY, RECEIVER_CLIENT_ERROR, true },
        { "channel_not_found", RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR, true },
        { "is_archived", RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR, true },
        { "invalid_blocks", RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR, true },
        { "message_not_found", RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR, true },
        { "internal_error", RECEIVER_RETRY, RECEIVER_SERVER_ERROR, false },
        { "request_timeout", RECEIVER_RETRY, RECEIVER_SERVER_ERROR, false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(http_response_finish) struct http_response response = { .status = 200 };
        bool is_certain;
        buf_printf(&response.body, "{\"ok\":false,\"error\":\"%s\"}", cases[i].error);
        struct receiver_verdict verdict =
            slack_bot_judge(&response, &(struct error){ 0 }, &is_certain);
        CHECK_INT(verdict.outcome, cases[i].outcome);
        CHECK_INT(verdict.reason, cases[i].reason);
        CHECK_INT(is_certain, cases[i].is_certain);
    }
}

TEST(a_page_of_a_proxy_is_no_answer)
{
    CLEANUP(http_response_finish) struct http_response response = { .status = 200 };
    struct receiver_thread thread = { .trying = "01" };
    buf_text(&response.body, "<html>sign in</html>");
    CHECK_INT(slack_bot_read(RECEIVER_POST, &response, &(struct error){ 0 }, &thread).outcome,
              RECEIVER_RETRY);
    CHECK_TEXT(thread.trying, "01"); /* it may have gone through */
}

/* The first message has it all, the reply what is new. */
TEST(a_reply_is_short)
{
    struct slack_config config = { .channel = CHANNEL, .api_url = "https://slack.com/api" };
    FIXTURE first = { 0 };
    FIXTURE reply = { 0 };
    const struct receiver_thread thread = { .channel = CHANNEL, .ts = "1.2" };
    const struct receiver_context context = { .step = RECEIVER_REPLY, .thread = &thread };
    struct error ignored;
    secret_set(&config.bot_token, "xoxb-1");
    fixture_build(&first, &slack_kind, &config, FIXTURE_FINDING);
    CHECK_TEXT(first.request.http.url, "https://slack.com/api/chat.postMessage");
    CHECK_TEXT(fixture_text(&first, "channel"), CHANNEL);
    CHECK_TEXT(fixture_text(&first, "metadata.event_payload.id"), first.notification.id);
    fixture_notification(FIXTURE_FINDING, &reply.arena, &reply.notification);
    CHECK(slack_kind.build(&config, &context, &reply.notification, &reply.request, &reply.error));
    reply.json = json_parse(reply.request.http.body, reply.request.http.body_bytes, &ignored);
    CHECK_TEXT(fixture_text(&reply, "thread_ts"), "1.2");
    CHECK(json_bool(json_get(reply.json, "reply_broadcast"), false));
    CHECK(json_count(json_get(reply.json, "blocks")) < json_count(json_get(first.json, "blocks")));
    CHECK(!strstr(reply.request.http.body, "How to fix it"));
    options_finish(slack_options, &config);
}
