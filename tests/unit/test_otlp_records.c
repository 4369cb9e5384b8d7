/* The history pushed as logs: nothing is lost, nothing is pushed twice under two ids. */
#include "ledger_world.h"
#include "otlp_world.h"

#include "exporter/otlp/otlp_records.h"

/* A slow machine sends nothing twice for want of an answer. */
enum { PATIENCE_MS = 60000 };

struct scene {
    struct world world;
    struct otlp_receiver receiver;
    struct snapshot_store *snapshots;
    struct metric_store *metrics;
    struct http_client *client;
    struct otlp_resource resource;
    struct match_list match;
    struct otlp_records records;
    struct secret headers;
    struct arena arena;
    int64_t now_ms;
    char url[128];
};

static void open_records(struct scene *scene)
{
    struct error error = { 0 };
    snprintf(scene->url, sizeof scene->url, "%s/v1/logs", scene->receiver.server->url);
    scene->records = (struct otlp_records){
        .push = { .signal = OTLP_LOGS,
                  .reach = { .url = scene->url,
                             .headers = &scene->headers,
                             .timeout_ms = PATIENCE_MS,
                             .gzip = true },
                  .client = scene->client,
                  .metrics = scene->metrics },
        .database = scene->world.database,
        .snapshots = scene->snapshots,
        .resource = &scene->resource,
        .match = &scene->match,
        .portal = "portal.azure.com",
    };
    CHECK(otlp_records_open(&scene->records, &error));
    CHECK_TEXT(error.message, "");
}

static void set_up(struct scene *scene, const char *name)
{
    static const struct otlp_config config = { 0 };
    *scene = (struct scene){ .now_ms = 1000 };
    world_begin(&scene->world, name);
    otlp_receiver_start(&scene->receiver);
    scene->snapshots = snapshot_store_create(test_sources());
    scene->metrics = metric_store_create();
    scene->client = http_client_create();
    otlp_resource_init(&scene->resource, &config, "one");
    open_records(scene);
}

static void tear_down(struct scene *scene)
{
    otlp_records_finish(&scene->records);
    otlp_resource_finish(&scene->resource);
    match_finish(&scene->match);
    http_client_destroy(scene->client);
    metric_store_destroy(scene->metrics);
    snapshot_store_destroy(scene->snapshots);
    otlp_receiver_stop(&scene->receiver);
    world_finish(&scene->world);
    arena_finish(&scene->arena);
}

/* As if the program had been killed and started again. */
static void restart(struct scene *scene)
{
    otlp_records_finish(&scene->records);
    world_stop(&scene->world);
    world_start(&scene->world);
    open_records(scene);
}

static void answer(struct scene *scene, const struct receiver_answer *answers, size_t count)
{
    pthread_mutex_lock(&scene->receiver.server->mutex);
    memcpy(scene->receiver.answers, answers, count * sizeof *answers);
    scene->receiver.answer_count = count;
    scene->receiver.requests = 0;
    pthread_mutex_unlock(&scene->receiver.server->mutex);
}
#define ANSWERS(scene, ...)                                                                        \
    answer(scene, (const struct receiver_answer[]){ __VA_ARGS__ },                                 \
           sizeof((const struct receiver_answer[]){ __VA_ARGS__ }) /                               \
               sizeof(struct receiver_answer))
#define FINE                                                                                       \
    {                                                                                              \
        200, "", "", 0                                                                             \
    }

/* So many more findings open, each of which is an event. */
static void happen(struct scene *scene, size_t count)
{
    struct part *part = world_part(A, BOTH);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "vm%05zu", i);
        world_open(part, name, "key", "s1", RISK_HIGH);
    }
    scene->world.now += 60;
    world_publish(&scene->world, part);
    world_advance(&scene->world);
}

/* Runs at this moment; the requests that came. */
static size_t run(struct scene *scene)
{
    struct error error = { 0 };
    size_t before = scene->receiver.requests;
    CHECK(otlp_records_run(&scene->records, scene->now_ms, scene->world.now, &error));
    CHECK_TEXT(error.message, "");
    pthread_mutex_lock(&scene->receiver.server->mutex);
    size_t requests = scene->receiver.requests - before;
    pthread_mutex_unlock(&scene->receiver.server->mutex);
    return requests;
}

static double figure(const struct scene *scene, size_t number, const char *reason)
{
    return metric_read_values(scene->metrics, otlp_push_families[number],
                              reason ? METRIC_LABELS("logs", reason)->values
                                     : METRIC_LABELS("logs")->values);
}
enum { EXPORTS, FAILED, REJECTED, LAST_SUCCESS };

static double waiting(const struct scene *scene)
{
    return metric_read_values(scene->metrics, otlp_records_families[1], METRIC_LABELS()->values);
}

static double lost(const struct scene *scene)
{
    return metric_read_values(scene->metrics, otlp_records_families[0], METRIC_LABELS()->values);
}

static size_t lines(const struct buf *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == '\n';
    return count;
}

/* How many different lines there are. */
static size_t distinct(const struct buf *text)
{
    CLEANUP(buf_finish) struct buf copy = { 0 };
    size_t count = 0;
    const char **all = calloc(lines(text) + 1, sizeof *all), *last = "";
    buf_append(&copy, text->data, text->length);
    for (char *line = copy.data; line && *line; line = strchr(line, 0) + 1) {
        *strchr(line, '\n') = 0;
        all[count++] = line;
    }
    qsort(all, count, sizeof *all, world_compare_lines);
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += strcmp(all[i], last) != 0;
        last = all[i];
    }
    free(all);
    return found;
}

TEST(what_happens_is_pushed_once)
{
    struct scene scene;
    set_up(&scene, NULL);
    CHECK_INT(run(&scene), 0);
    happen(&scene, 3);
    CHECK_INT(run(&scene), 1);
    CHECK_INT(lines(&scene.receiver.uids), 3);
    CHECK_CONTAINS(buf_cstr(&scene.receiver.heads), "/v1/logs\n");
    CHECK_CONTAINS(buf_cstr(&scene.receiver.heads), "Content-Type: application/x-protobuf");
    CHECK_CONTAINS(buf_cstr(&scene.receiver.heads), "Content-Encoding: gzip");
    CHECK_INT(run(&scene), 0);
    CHECK_NUMBER(figure(&scene, EXPORTS, NULL), 1);
    CHECK_NUMBER(figure(&scene, LAST_SUCCESS, NULL), (double)scene.world.now);
    CHECK_NUMBER(waiting(&scene), 0);
    tear_down(&scene);
}

/* Who begins to push logs gets what happens from then on. */
TEST(who_is_new_begins_now)
{
    struct scene scene;
    set_up(&scene, NULL);
    CHECK_TEXT(buf_cstr(&scene.receiver.uids), "");
    happen(&scene, 2);
    scene.records.feed = (struct ledger_feed){ .name = "another" };
    struct error error;
    CHECK(ledger_feed_open(&scene.records.feed, scene.world.database, &error));
    CHECK_INT(scene.records.feed.cursor, 2);
    CHECK_INT(run(&scene), 0);
    tear_down(&scene);
}

TEST(batches_are_limited)
{
    struct scene scene;
    set_up(&scene, NULL);
    happen(&scene, 2500);
    CHECK_INT(run(&scene), 3);
    CHECK_INT(scene.receiver.largest, OTLP_RECORDS_MAX);
    CHECK_INT(distinct(&scene.receiver.uids), 2500);
    CHECK_INT(lines(&scene.receiver.uids), 2500);
    tear_down(&scene);
}

TEST(what_is_too_large_goes_in_halves)
{
    struct scene scene;
    set_up(&scene, NULL);
    scene.receiver.most = 100;
    happen(&scene, 1000);
    run(&scene);
    CHECK_INT(distinct(&scene.receiver.uids), 1000);
    CHECK_INT(lines(&scene.receiver.uids), 1000);
    CHECK_NUMBER(figure(&scene, REJECTED, NULL), 0);
    CHECK(figure(&scene, FAILED, "clientError") > 0);
    CHECK_NUMBER(waiting(&scene), 0);
    tear_down(&scene);
}

TEST(one_that_is_too_large_is_given_up)
{
    struct scene scene;
    set_up(&scene, NULL);
    happen(&scene, 3);
    ANSWERS(&scene, { 413, "", "", 0 });
    run(&scene);
    CHECK_NUMBER(figure(&scene, REJECTED, NULL), 3);
    CHECK_NUMBER(waiting(&scene), 0);
    CHECK_TEXT(buf_cstr(&scene.receiver.uids), "");
    tear_down(&scene);
}

TEST(a_partial_success_is_never_sent_again)
{
    struct scene scene;
    set_up(&scene, NULL);
    happen(&scene, 3);
    ANSWERS(&scene,
            { 200, "Content-Type: application/x-protobuf\r\n", "\x0a\x07\x08\x02\x12\x03old", 9 });
    CHECK_INT(run(&scene), 1);
    CHECK_NUMBER(figure(&scene, REJECTED, NULL), 2);
    CHECK_NUMBER(figure(&scene, FAILED, "clientError"), 0);
    scene.now_ms += 3600000;
    CHECK_INT(run(&scene), 0);
    tear_down(&scene);
}

TEST(a_refused_batch_is_given_up)
{
    struct scene scene;
    set_up(&scene, NULL);
    happen(&scene, 3);
    ANSWERS(&scene, { 400, "", "", 0 }, FINE);
    CHECK_INT(run(&scene), 1);
    CHECK_NUMBER(figure(&scene, REJECTED, NULL), 3);
    happen(&scene, 5);
    CHECK_INT(run(&scene), 1);
    CHECK_INT(lines(&scene.receiver.uids), 2);
    tear_down(&scene);
}

/* Busy, gone, slow: the same again, later each time. */
TEST(who_is_busy_is_asked_later)
{
    static const struct receiver_answer busy[] = {
        { 429, "", "", 0 }, { 502, "", "", 0 }, { 503, "", "", 0 },
        { 504, "", "", 0 }, { 0, "", "", 0 },   { -1, "", "", 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(busy); i++) {
        struct scene scene;
        set_up(&scene, NULL);
        happen(&scene, 3);
        ANSWERS(&scene, busy[i], busy[i], busy[i], FINE);
        if (busy[i].status < 0) /* else nobody waits for nothing */
            scene.records.push.reach.timeout_ms = 300;
        int64_t waited_ms[3];
        for (int attempt = 0; attempt < 3; attempt++) {
            CHECK_INT(run(&scene), 1);
            CHECK_NUMBER(waiting(&scene), 3);
            waited_ms[attempt] = scene.records.push.due_ms - scene.now_ms;
            scene.now_ms = scene.records.push.due_ms - 1;
            CHECK_INT(run(&scene), 0);
            scene.now_ms++;
        }
        scene.records.push.reach.timeout_ms = PATIENCE_MS;
        CHECK(waited_ms[0] >= 800 && waited_ms[0] <= 1200);
        CHECK(waited_ms[1] >= 1600 && waited_ms[1] <= 2400);
        CHECK(waited_ms[2] >= 3200 && waited_ms[2] <= 4800);
        CHECK_INT(run(&scene), 1);
        CHECK_INT(lines(&scene.receiver.uids), 3);
        CHECK_NUMBER(figure(&scene, REJECTED, NULL), 0);
        CHECK_NUMBER(waiting(&scene), 0);
        tear_down(&scene);
    }
}

TEST(who_asks_for_time_gets_it)
{
    struct scene scene;
    set_up(&scene, NULL);
    happen(&scene, 3);
    ANSWERS(&scene, { 503, "Retry-After: 7\r\n", "", 0 }, FINE);
    CHECK_INT(run(&scene), 1);
    CHECK_INT(scene.records.push.due_ms - scene.now_ms, 7000);
    scene.now_ms += 7000;
    CHECK_INT(run(&scene), 1);
    CHECK_INT(lines(&scene.receiver.uids), 3);
    tear_down(&scene);
}

/* Wrong credentials, a wrong path, a page of a proxy: nothing was read, so nothing is given up. */
TEST(a_stranger_costs_nothing)
{
    static const struct receiver_answer strangers[] = {
        { 401, "", "", 0 },
        { 404, "", "", 0 },
        { 200, "Content-Type: text/html\r\n", "<html>", 6 },
        { 200, "Content-Type: application/x-protobuf\r\n", "\xff\xff\xff", 3 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(strangers); i++) {
        struct scene scene;
        set_up(&scene, NULL);
        happen(&scene, 3);
        ANSWERS(&scene, strangers[i], FINE);
        CHECK_INT(run(&scene), 1);
        CHECK_INT(scene.records.push.due_ms - scene.now_ms, 900000);
        scene.now_ms += 900000;
        buf_reset(&scene.receiver.uids);
        CHECK_INT(run(&scene), 1);
        CHECK_INT(lines(&scene.receiver.uids), 3);
        tear_down(&scene);
    }
}

TEST(a_renewed_header_is_tried_at_once)
{
    struct scene scene;
    struct error error;
    struct secret headers = { 0 };
    set_up(&scene, NULL);
    CHECK(secret_read(&headers, test_file("headers", "api-key=old%20key, x-scope=a"), &error));
    scene.records.push.reach.headers = &headers;
    happen(&scene, 3);
    ANSWERS(&scene, { 401, "", "", 0 }, FINE);
    test_file("headers", "api-key=new%20key");
    CHECK_INT(run(&scene), 2);
    CHECK_CONTAINS(buf_cstr(&scene.receiver.heads), "api-key: new key");
    CHECK_INT(lines(&scene.receiver.uids), 3);
    secret_finish(&headers);
    tear_down(&scene);
}

TEST(nothing_is_compressed_for_who_wants_none)
{
    struct scene scene;
    set_up(&scene, NULL);
    scene.records.push.reach.gzip = false;
    happen(&scene, 3);
    CHECK_INT(run(&scene), 1);
    CHECK_INT(lines(&scene.receiver.uids), 3);
    CHECK(!strcasestr(buf_cstr(&scene.receiver.heads), "content-encoding"));
    tear_down(&scene);
}

/* 10,000 records over 20 restarts and two outages: each arrives, and none under two ids. */
TEST(no_record_is_lost)
{
    enum { RESTARTS = 20, EACH = 500 };
    struct scene scene;
    set_up(&scene, "lost.db");
    for (size_t i = 1; i <= RESTARTS; i++) {
        bool outage = i % 8 < 2; /* twice for two rounds each, and at the last */
        happen(&scene, i * EACH);
        if (outage)
            ANSWERS(&scene, { 503, "", "", 0 });
        else if (i % 3 == 0)
            ANSWERS(&scene, FINE, { 0, "", "", 0 }); /* dies in the middle */
        else
            ANSWERS(&scene, FINE);
        run(&scene);
        if (i % 5 == 0) { /* killed between the answer and the commit: sent again */
            struct error error;
            int64_t back = scene.records.feed.cursor > 100 ? scene.records.feed.cursor - 100 : 0;
            CHECK(ledger_feed_move(&scene.records.feed, scene.world.database, back, &error));
        }
        restart(&scene);
    }
    ANSWERS(&scene, FINE);
    run(&scene);
    CHECK_INT(distinct(&scene.receiver.uids), RESTARTS * EACH);
    CHECK(lines(&scene.receiver.uids) <= RESTARTS * EACH + RESTARTS / 5 * 100);
    CHECK_NUMBER(lost(&scene), 0);
    CHECK_NUMBER(waiting(&scene), 0);
    tear_down(&scene);
}

/* What is deleted before it was read is counted once, also when nothing is left. */
TEST(what_is_lost_is_counted)
{
    struct scene scene;
    struct error error;
    set_up(&scene, NULL);
    happen(&scene, 3);
    ANSWERS(&scene, { 503, "", "", 0 });
    run(&scene);
    scene.world.config.keep_events_s = 86400;
    ledger_configure(scene.world.ledger, &scene.world.config);
    scene.world.now += 2 * 86400;
    CHECK(database_begin(scene.world.database, &error));
    CHECK(ledger_prune(scene.world.ledger, scene.world.now, &error));
    CHECK(database_commit(scene.world.database, &error));
    CHECK_INT(world_history(&scene.world), 0);
    ANSWERS(&scene, { 503, "", "", 0 }, FINE);
    happen(&scene, 5);
    scene.now_ms += 3600000;
    CHECK_INT(run(&scene), 1);
    CHECK_NUMBER(lost(&scene), 3);
    scene.now_ms += 3600000;
    CHECK_INT(run(&scene), 1);
    CHECK_NUMBER(lost(&scene), 3);
    CHECK_INT(lines(&scene.receiver.uids), 2);
    CHECK_CONTAINS(buf_cstr(&scene.receiver.uids), "-4\n"); /* no number is given twice */
    CHECK_CONTAINS(buf_cstr(&scene.receiver.uids), "-5\n");
    tear_down(&scene);
}

TEST(only_what_matches_is_pushed)
{
    struct scene scene;
    struct error error;
    set_up(&scene, NULL);
    CHECK(match_parse("risk_level=\"critical\"", &scene.match, &scene.arena, &error));
    happen(&scene, 3);
    CHECK_INT(run(&scene), 0);
    CHECK_NUMBER(waiting(&scene), 0);
    struct part *part = world_part(A, BOTH);
    world_open(part, "vm00000", "key", "s1", RISK_CRITICAL);
    world_open(part, "vm00001", "key", "s1", RISK_HIGH);
    world_open(part, "vm00002", "key", "s1", RISK_LOW);
    scene.world.now += 60;
    world_publish(&scene.world, part);
    world_advance(&scene.world);
    CHECK_INT(run(&scene), 1);
    CHECK_INT(lines(&scene.receiver.uids), 1);
    CHECK_CONTAINS(buf_cstr(&scene.receiver.records), "defender.finding.risk_changed");
    CHECK_NUMBER(waiting(&scene), 0);
    tear_down(&scene);
}

/* First-run findings are no events, unless all are to be told. */
TEST(a_first_run_tells_what_it_is_told_to)
{
    for (int first_run = LEDGER_FIRST_SILENT; first_run <= LEDGER_FIRST_ALL; first_run++) {
        struct scene scene;
        set_up(&scene, NULL);
        world_finish(&scene.world);
        world_init(&scene.world, NULL);
        scene.world.config.first_run = first_run;
        ledger_configure(scene.world.ledger, &scene.world.config);
        open_records(&scene);
        happen(&scene, 4);
        run(&scene);
        CHECK_INT(lines(&scene.receiver.uids), first_run == LEDGER_FIRST_ALL ? 4 : 0);
        tear_down(&scene);
    }
}
