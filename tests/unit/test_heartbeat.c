#include "alerts/heartbeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "loopback.h"
#include "sources.h"
#include "test.h"

enum { NOW = 1763726400, INTERVAL_MS = 900000 };

static struct snapshot *fresh_snapshot(int64_t succeeded_at)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    snapshot->status[INDEX(assessments)] = (struct source_status){
        .enabled = true,
        .attempted = true,
        .success = true,
        .last_success_at = succeeded_at,
        .interval_ms = INTERVAL_MS,
    };
    return snapshot;
}

static void check_problem(int64_t succeeded_at, int64_t evaluated_at, const char *problem)
{
    struct snapshot *snapshot = fresh_snapshot(succeeded_at);
    const char *found = heartbeat_problem(snapshot, evaluated_at, NOW);
    CHECK_TEXT(found ? found : "", problem);
    snapshot_release(snapshot);
}

TEST(a_beat_is_due_while_all_is_well)
{
    check_problem(NOW - 10, NOW - 10, "");
    check_problem(NOW - 10, NOW - 9, "");
}

TEST(no_beat_is_due_without_fresh_data)
{
    check_problem(NOW - 3 * INTERVAL_MS / 1000, NOW, "");
    check_problem(NOW - 3 * INTERVAL_MS / 1000 - 1, NOW, "the data of a collector is too old");
    check_problem(0, NOW, "a collector has no data yet");
    struct snapshot *snapshot = snapshot_create(test_sources());
    CHECK_TEXT(heartbeat_problem(snapshot, NOW, NOW), "nothing is collected");
    snapshot_release(snapshot);
}

TEST(no_beat_is_due_when_nobody_evaluates)
{
    check_problem(NOW - 61, NOW - 62, "the newest data was not evaluated");
    check_problem(NOW - 61, 0, "the newest data was not evaluated");
    check_problem(NOW - 61, NOW - 61, "");
    check_problem(NOW - 60, NOW - 900, ""); /* give it a minute */
}

/* --- the thread ------------------------------------------------------------------------------- */

static const struct family *const no_families[] = { NULL };

struct bench {
    struct settings_config config;
    struct settings *settings;
    struct snapshot_store *snapshots;
    struct metric_store *metrics;
    struct evaluator *evaluator;
    struct loopback *server;
    struct buf bodies;
    struct heartbeat_told told;
    char path[4200];
    struct arena arena;
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct bench *bench = context;
    buf_printf(&bench->bodies, "%s %s %s\n", request->method, request->path, request->body);
    loopback_reply(out, 200, "", "ok");
}

static void set_up(struct bench *bench, const char *format)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    char *path = bench->path;
    struct error error;
    const struct settings_context context = { .file = "test.yml", .families = no_families };
    bench->server = loopback_start(answer, bench);
    for (; *format; format++)
        if (*format == '@')
            buf_text(&yaml, bench->server->url);
        else
            buf_char(&yaml, *format);
    options_default(settings_options, &bench->config, &bench->arena);
    bool read = options_read(settings_options, "test.yml", yaml.data, yaml.length, &bench->config,
                             &bench->arena, &report);
    bench->settings = read ? settings_create(&bench->config, &context, &report) : NULL;
    CHECK_TEXT(buf_cstr(&report.text), "");
    if (!bench->settings)
        abort();
    bench->snapshots = snapshot_store_create(test_sources());
    bench->metrics = metric_store_create();
    static int number;
    snprintf(path, sizeof bench->path, "%s/heartbeat%d.db", test_folder(), ++number);
    const struct evaluator_config config = { .database_path = path,
                                             .snapshots = bench->snapshots,
                                             .metrics = bench->metrics };
    bench->evaluator = evaluator_create(&config, bench->settings, &error);
    if (!bench->evaluator)
        abort();
    struct part *part = part_create(SOURCE(assessments));
    part->collected_at = clock_now_s();
    part_seal(part);
    struct snapshot *fresh = fresh_snapshot(clock_now_s());
    snapshot_publish(bench->snapshots, SOURCE(assessments), part,
                     &fresh->status[INDEX(assessments)]);
    snapshot_release(fresh);
}

static void tear_down(struct bench *bench)
{
    evaluator_destroy(bench->evaluator);
    settings_release(bench->settings);
    options_finish(settings_options, &bench->config);
    snapshot_store_destroy(bench->snapshots);
    metric_store_destroy(bench->metrics);
    loopback_stop(bench->server);
    buf_finish(&bench->bodies);
    arena_finish(&bench->arena);
}

/* Beat until there were so many; the first comes after an interval. */
static void beat(struct bench *bench, int count)
{
    struct heartbeat *heartbeat = heartbeat_start(bench->settings, bench->evaluator,
                                                  bench->snapshots, bench->metrics, &bench->told);
    CHECK(heartbeat);
    int64_t deadline = clock_monotonic_ms() + 120000;
    while (metric_read_values(bench->metrics, heartbeat_families[0], METRIC_LABELS()->values) <
               count &&
           clock_monotonic_ms() < deadline)
        clock_sleep_ms(5);
    heartbeat_stop(heartbeat);
}

TEST(a_url_is_asked)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, "heartbeat: {url: '@/beat', interval: 1s, allow_private: true}\n");
    beat(&bench, 1);
    CHECK_CONTAINS(buf_cstr(&bench.bodies), "GET /beat ");
    CHECK_NUMBER(
        metric_read_values(bench.metrics, heartbeat_families[1], METRIC_LABELS("other")->values),
        0);
}

TEST(a_private_url_is_refused_unless_allowed)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, "heartbeat: {url: '@/beat', interval: 1s, allow_private: true}\n");
    bench.config.heartbeat.allow_private = false; /* as behind a name that only a resolver judges */
    beat(&bench, 1);
    CHECK_TEXT(buf_cstr(&bench.bodies), "");
}

TEST(a_receiver_gets_a_notification_that_says_so)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, "receivers: [{name: dead, webhook: {url: '@/', http: {allow_private: true}}}]\n"
                   "heartbeat: {receiver: dead, interval: 1s}\n");
    beat(&bench, 1);
    CHECK_CONTAINS(buf_cstr(&bench.bodies), "\"type\":\"heartbeat\"");
    CHECK_CONTAINS(buf_cstr(&bench.bodies), "\"alertname\":\"Heartbeat\"");
}

/* One evaluation, and one beat that is due or held back. */
static bool evaluate(struct bench *bench)
{
    struct error error;
    int64_t next_at, now = clock_now_s();
    struct snapshot *snapshot = snapshot_acquire(bench->snapshots, now);
    bool ok = evaluator_run(bench->evaluator, snapshot, now, &next_at, &error);
    snapshot_release(snapshot);
    return ok;
}

TEST(a_receiver_is_told_once_that_nothing_is_decided)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    char away[4300];
    set_up(&bench, "receivers: [{name: dead, webhook: {url: '@/', http: {allow_private: true}}}]\n"
                   "heartbeat: {receiver: dead, interval: 1s}\n");
    snprintf(away, sizeof away, "%s.away", bench.path);
    CHECK(evaluate(&bench) && !rename(bench.path, away) && !evaluate(&bench));
    beat(&bench, 2);
    CHECK_CONTAINS(buf_cstr(&bench.bodies), "\"type\":\"exporter.failing\"");
    CHECK_CONTAINS(buf_cstr(&bench.bodies), "was removed while running");
    CHECK(!strstr(buf_cstr(&bench.bodies), "\"type\":\"heartbeat\""));
    buf_reset(&bench.bodies);
    beat(&bench, 3);
    CHECK_TEXT(buf_cstr(&bench.bodies), "");
    CHECK(!rename(away, bench.path) && evaluate(&bench));
    beat(&bench, 4);
    CHECK_CONTAINS(buf_cstr(&bench.bodies), "\"status\":\"resolved\"");
    CHECK_CONTAINS(buf_cstr(&bench.bodies), "\"type\":\"heartbeat\"");
    /* Not again at once. */
    buf_reset(&bench.bodies);
    CHECK(!rename(bench.path, away) && !evaluate(&bench));
    beat(&bench, 5);
    CHECK_TEXT(buf_cstr(&bench.bodies), "");
}

TEST(nothing_beats_unless_it_is_configured)
{
    CLEANUP(tear_down) struct bench bench = { 0 };
    set_up(&bench, "receivers: [{name: a, webhook: {url: 'https://hooks.example.com/'}}]\n");
    CHECK(!heartbeat_start(bench.settings, bench.evaluator, bench.snapshots, bench.metrics,
                           &bench.told));
    heartbeat_stop(NULL);
}
