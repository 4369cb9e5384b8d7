/* What the runner hands to a run and makes of its end. The collectors here ask nobody. */
#include "collectors/run/runner.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/run/runner_kept.h"
#include "core/clock.h"
#include "core/json.h"
#include "loopback.h"
#include "sources.h"
#include "test.h"

/* --- a collector that does as it is told --------------------------------------------------------
 */
static struct {
    struct collect_context seen; /* of the last run */
    bool fails, truncated, odd;
    int64_t number; /* what is kept between runs of the program */
    int runs;
    atomic_bool waits, waiting; /* a run does not end before `waits` is false */
} mind;

struct own {
    int64_t number;
};

static enum odd_reason fold(struct part *part, size_t query, const void *row,
                            const struct collect_context *context, struct error *error)
{
    (void)part, (void)query, (void)row, (void)context, (void)error;
    return ODD_NONE;
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    mind.seen = *context;
    mind.runs++;
    mind.waiting = true;
    while (mind.waits)
        clock_sleep_ms(1);
    part->truncated = mind.truncated;
    if (mind.odd)
        odd_add(&part->odd, ODD_MISSING, "row", "it has no name");
    ((struct own *)part_own(part, sizeof(struct own), free))->number = mind.number;
    return !mind.fails || error_set(error, ERROR_TIMEOUT, "Azure sleeps");
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot, (void)part, (void)set;
}

static void save(const struct part *part, struct buf *out)
{
    buf_printf(out, "[%lld]", (long long)((const struct own *)part->own)->number);
}

static bool load(struct part *part, const struct json *saved, struct error *error)
{
    double number = json_number(json_first(saved), -1);
    if (number < 0)
        return error_set(error, ERROR_PARSE, "no number");
    ((struct own *)part_own(part, sizeof(struct own), free))->number = (int64_t)number;
    part->rows = 1;
    return true;
}

static const struct family *const families[] = { NULL };
static const struct collector kept_kind = {
    .name = "kept",
    .help = "h",
    .role = COLLECTOR_REFERENCE,
    .default_interval = "1h",
    .variants = { { "only" } },
    .families = families,
    .fold = fold,
    .finish = finish,
    .emit = emit,
    .save = save,
    .load = load,
};

/* One that sweeps with two queries. */
struct row {
    const char *id;
};
static const struct column columns[] = { COLUMN_KEY(struct row, id, "id"), { 0 } };
static const struct collector asking_kind = {
    .name = "asking",
    .help = "h",
    .role = COLLECTOR_REFERENCE,
    .default_interval = "1h",
    .variants = { { "only", .changed = { .name = "changed", .kql = "z", .columns = columns },
                    .queries = { { .name = "one", .kql = "x", .columns = columns },
                                 { .name = "two", .kql = "y", .columns = columns } } } },
    .families = families,
    .fold = fold,
    .finish = finish,
    .emit = emit,
};

/* --- a bench -------------------------------------------------------------------------------------
 */
struct bench {
    struct source_list *sources;
    struct snapshot_store *store;
    struct runner_source settings[4];
    struct runner_config config;
    struct runner *runner;
    const struct source *source;
    struct arena arena;
};

static void create(struct bench *bench)
{
    bench->runner = runner_create(&bench->config, bench->store);
}

static void set_up(struct bench *bench, const struct collector *kind)
{
    *bench = (struct bench){ 0 };
    memset(&mind, 0, sizeof mind);
    bench->sources = source_list_of((const struct collector *const[]){ kind, NULL });
    bench->store = snapshot_store_create(bench->sources);
    bench->source = source_list_find(bench->sources, kind->name);
    bench->settings[0] =
        (struct runner_source){ .enabled = true, .interval_ms = 60000, .timeout_ms = 1000 };
    bench->config = (struct runner_config){
        .sources = bench->sources,
        .settings = bench->settings,
    };
}

static void tear_down(struct bench *bench)
{
    runner_destroy(bench->runner);
    snapshot_store_destroy(bench->store);
    source_list_release(bench->sources);
    arena_finish(&bench->arena);
}
#define BENCH_OF(name, kind)                                                                       \
    CLEANUP(tear_down) struct bench name;                                                          \
    set_up(&name, kind)
#define BENCH(name) BENCH_OF(name, &kept_kind)

static struct source_status status_of(const struct bench *bench)
{
    struct snapshot *snapshot = snapshot_acquire(bench->store, clock_now_s());
    struct source_status status = *snapshot_status(snapshot, bench->source);
    snapshot_release(snapshot);
    return status;
}

/* The number of the part that is shown, -1 when there is none. */
static int64_t shown(const struct bench *bench)
{
    struct snapshot *snapshot = snapshot_acquire(bench->store, clock_now_s());
    const struct part *part = snapshot_part(snapshot, bench->source);
    int64_t number = part ? ((const struct own *)part->own)->number : -1;
    snapshot_release(snapshot);
    return number;
}

TEST(a_run_knows_the_time_the_limits_and_what_is_known)
{
    BENCH(bench);
    bench.config.common.max_staleness_ms = 7200 * 1000;
    create(&bench);
    int64_t before = clock_now_s();
    CHECK(runner_run(bench.runner, bench.source));
    CHECK(mind.seen.now >= before && mind.seen.now <= clock_now_s());
    CHECK_INT(mind.seen.max_staleness_s, 7200);
    CHECK(mind.seen.snapshot != NULL);
    CHECK(!mind.seen.subscription_id);
    CHECK(scope_is_open(mind.seen.scope));
    bench.config.common.max_staleness_ms = 0; /* three intervals */
    runner_destroy(bench.runner);
    create(&bench);
    CHECK(runner_run(bench.runner, bench.source));
    CHECK_INT(mind.seen.max_staleness_s, 180);
}

static enum scope_why why(const char *id)
{
    return scope_judge(mind.seen.scope, &(struct scope_facts){ id, "", "", "" });
}

TEST(the_filter_is_what_the_operator_wrote_in_any_case)
{
    static const char *include[] = { "S-1", "s-2" }, *exclude[] = { "S-2", "s-9" };
    BENCH(bench);
    bench.config.scope = (struct scope_config){
        .include = { include, 2 },
        .exclude = { exclude, 2 },
    };
    create(&bench);
    CHECK(runner_run(bench.runner, bench.source));
    CHECK_INT(why("s-1"), SCOPE_WANTED);
    CHECK_INT(why("s-2"), SCOPE_BY_ID); /* excluding wins */
    CHECK_INT(why("s-3"), SCOPE_NOT_INCLUDED);
    CHECK_INT(why("s-9"), SCOPE_BY_ID);
    CHECK_TEXT(scope_included(mind.seen.scope)[0], "s-1");
}

TEST(time_outs_follow_intervals_within_bounds)
{
    static const struct {
        int64_t interval_ms, timeout_ms, wanted_ms;
    } cases[] = {
        { 1000, 0, 60000 },    { 60000, 0, 60000 },    { 300000, 0, 300000 },
        { 600000, 0, 600000 }, { 3600000, 0, 600000 }, { 3600000, 5, 5 },
    };
    struct runner_source settings[ARRAY_COUNT(cases)] = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        settings[i].interval_ms = cases[i].interval_ms;
        settings[i].timeout_ms = cases[i].timeout_ms;
    }
    runner_complete(settings, ARRAY_COUNT(cases));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(settings[i].timeout_ms, cases[i].wanted_ms);
}

TEST(the_status_says_how_it_went)
{
    BENCH(bench);
    create(&bench);
    struct source_status status = status_of(&bench);
    CHECK(status.enabled && !status.attempted && !status.success);
    CHECK_INT(status.interval_ms, 60000);
    mind.number = 1;
    mind.truncated = true;
    int64_t before = clock_now_s();
    CHECK(runner_run(bench.runner, bench.source));
    status = status_of(&bench);
    CHECK(status.attempted && status.success && status.truncated);
    CHECK(status.last_success_at >= before && status.started_at >= before);
    CHECK_INT(status.failures, 0);
    CHECK_INT(status.error.code, ERROR_NONE);
    int64_t last_success_at = status.last_success_at;
    mind.fails = true;
    mind.number = 2;
    for (int run = 1; run <= 3; run++) {
        CHECK(!runner_run(bench.runner, bench.source));
        status = status_of(&bench);
        CHECK(status.attempted && !status.success && !status.truncated);
        CHECK_INT(status.failures, run);
        CHECK_TEXT(status.error.message, "Azure sleeps");
        CHECK_INT(status.last_success_at, last_success_at);
        CHECK_INT(shown(&bench), 1); /* the last good data stay */
    }
    mind.fails = mind.truncated = false;
    CHECK(runner_run(bench.runner, bench.source));
    status = status_of(&bench);
    CHECK(status.success && !status.truncated);
    CHECK_INT(status.failures, 0);
    CHECK_INT(status.error.code, ERROR_NONE);
    CHECK_INT(shown(&bench), 2);
}

TEST(a_reload_keeps_what_is_known_and_drops_what_is_switched_off)
{
    BENCH(bench);
    create(&bench);
    mind.number = 5;
    CHECK(runner_run(bench.runner, bench.source));
    runner_destroy(bench.runner);
    bench.settings[0].interval_ms = 120000;
    create(&bench);
    CHECK_INT(shown(&bench), 5);
    CHECK(status_of(&bench).success);
    CHECK_INT(status_of(&bench).interval_ms, 120000);
    runner_destroy(bench.runner);
    bench.settings[0].enabled = false;
    create(&bench);
    CHECK_INT(shown(&bench), -1);
    CHECK(!status_of(&bench).enabled);
}

/* Poll until a number is shown. */
static void wait_shown(const struct bench *bench, int64_t number)
{
    int64_t end_ms = clock_monotonic_ms() + 60000;
    while (shown(bench) != number && clock_monotonic_ms() < end_ms)
        clock_sleep_ms(1);
    CHECK_INT(shown(bench), number);
}

TEST(a_reload_with_nothing_new_leaves_a_run_alone)
{
    BENCH(bench);
    mind.number = 9;
    mind.waits = true;
    create(&bench);
    runner_start(bench.runner);
    while (!mind.waiting)
        clock_sleep_ms(1);
    for (int i = 0; i < 500; i++)
        runner_configure(bench.runner, &bench.config);
    bench.settings[0].interval_ms = 120000; /* new times wait for the next run */
    bench.settings[0].timeout_ms = 2000;
    runner_configure(bench.runner, &bench.config);
    CHECK_INT(shown(&bench), -1);
    mind.waits = false;
    wait_shown(&bench, 9);
    int64_t end_ms = clock_monotonic_ms() + 60000;
    while (status_of(&bench).interval_ms != 120000 && clock_monotonic_ms() < end_ms)
        clock_sleep_ms(1);
    CHECK_INT(status_of(&bench).interval_ms, 120000);
    CHECK_INT(status_of(&bench).max_staleness_ms, 360000);
    runner_stop(bench.runner);
    CHECK_INT(mind.runs, 1); /* and it is not due again */
}

TEST(a_reload_begins_anew_what_asks_for_something_else)
{
    static const char *include[] = { "s-1" };
    BENCH(bench);
    mind.number = 1;
    create(&bench);
    runner_start(bench.runner);
    wait_shown(&bench, 1);
    mind.number = 2;
    bench.config.scope.include = (struct option_texts){ .texts = include, .count = 1 };
    runner_configure(bench.runner, &bench.config);
    wait_shown(&bench, 2);
    CHECK_INT(why("s-2"), SCOPE_NOT_INCLUDED);
    bench.settings[0].enabled = false;
    runner_configure(bench.runner, &bench.config);
    CHECK_INT(shown(&bench), -1);
    CHECK(!status_of(&bench).enabled);
    mind.number = 3;
    bench.settings[0].enabled = true;
    runner_configure(bench.runner, &bench.config);
    wait_shown(&bench, 3);
    runner_stop(bench.runner);
    CHECK_INT(mind.runs, 3);
}

/* --- the quota -----------------------------------------------------------------------------------
 */

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    int *asked = context;
    bool token = strstr(request->path, "/oauth2/v2.0/token");
    *asked += !token;
    loopback_reply(out, 200, "",
                   token ? "{\"expires_in\":3599,\"access_token\":\"token-number-1\"}"
                         : "{\"totalRecords\":0,\"count\":0,\"resultTruncated\":\"false\","
                           "\"data\":[]}");
}

/* Another that asks twice while the next sweep has its first window: it has to wait, and does not.
 */
static void make_another_wait(struct arm *arm)
{
    struct error error = { 0 };
    struct http_response response = { 0 };
    const struct arm_call call = { .api = ARM_GRAPH, .method = "POST", .url = "/x", .body = "{}" };
    struct arm_session session = {
        .arm = arm,
        .client = http_client_create(),
        .deadline_ms = clock_monotonic_ms() + 60000,
        .rank = PACER_SWEEP,
    };
    arm_expect(&session, ARM_GRAPH, 100);
    session.rank = PACER_REST;
    CHECK(arm_call(&session, &call, &response, &error));
    session.deadline_ms = clock_monotonic_ms() + 50; /* it would wait for 100 ms */
    CHECK(!arm_call(&session, &call, &response, &error));
    CHECK_INT(error.code, ERROR_THROTTLED);
    http_response_finish(&response);
    http_client_destroy(session.client);
}

/* How many requests a run with this share sends while another waits. */
static int asked_with(double share, int64_t timeout_ms)
{
    int asked = 0;
    struct error error;
    BENCH_OF(bench, &asking_kind);
    struct loopback *server = loopback_start(answer, &asked);
    struct metric_store *metrics = metric_store_create();
    const struct auth_config login = {
        .tenant_id = "t",
        .client_id = "c",
        .client_secret = TEST_SECRET("correct~horse+battery"),
        .authority_host = server->url,
    };
    struct auth *auth = auth_create(&login, metrics, &error);
    const struct arm_config azure = { .resource_manager = server->url };
    struct arm *arm = arm_create(&azure, auth, metrics);
    bench.config.metrics = metrics;
    bench.settings[0].share = share;
    bench.settings[0].timeout_ms = timeout_ms;
    struct arm *arms[] = { arm };
    bench.config.arms = arms;
    bench.runner = runner_create(&bench.config, bench.store);
    make_another_wait(arm);
    int before = asked;
    CHECK_INT(runner_run(bench.runner, bench.source), share == 1);
    asked -= before;
    runner_destroy(bench.runner);
    bench.runner = NULL;
    loopback_stop(server);
    arm_destroy(arm);
    auth_destroy(auth);
    metric_store_destroy(metrics);
    return asked;
}

TEST(while_others_wait_a_run_has_the_share_that_is_configured)
{
    CHECK_INT(asked_with(1, 60000), 2);
    CHECK(asked_with(0.01, 90) < 2); /* it would wait for 100 ms */
}

TEST(a_reload_hands_a_source_that_goes_on_its_new_share)
{
    BENCH(bench);
    mind.number = 1;
    create(&bench);
    runner_start(bench.runner);
    wait_shown(&bench, 1);
    uint64_t generation = snapshot_generation(bench.store, clock_now_s());
    bench.settings[0].share = 0.5;
    runner_configure(bench.runner, &bench.config);
    int64_t end_ms = clock_monotonic_ms() + 60000; /* until it has taken it over */
    while (snapshot_generation(bench.store, clock_now_s()) == generation &&
           clock_monotonic_ms() < end_ms)
        clock_sleep_ms(1);
    CHECK(snapshot_generation(bench.store, clock_now_s()) != generation);
    runner_stop(bench.runner);
    CHECK_INT(mind.runs, 1);
}

/* --- what is kept between runs of the program ----------------------------------------------------
 */

static void write_file(const char *content)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/kept.json", test_folder());
    FILE *file = fopen(path, "w");
    fputs(content, file);
    fclose(file);
}

/* What a new program shows before its first run could end; nothing is asked meanwhile. */
static int64_t shown_at_start(struct bench *bench)
{
    create(bench);
    mind.runs = 0;
    mind.fails = true; /* should a worker be quick: what it brings is not shown */
    runner_start(bench->runner);
    int64_t number = shown(bench);
    runner_stop(bench->runner);
    runner_destroy(bench->runner);
    bench->runner = NULL;
    mind.fails = false;
    snapshot_drop(bench->store, bench->source);
    return number;
}

TEST(a_restart_begins_with_what_was_kept)
{
    BENCH(bench);
    bench.config.storage_path = test_folder();
    create(&bench);
    mind.number = 42;
    CHECK(runner_run(bench.runner, bench.source));
    runner_destroy(bench.runner);
    snapshot_drop(bench.store, bench.source);
    CHECK_INT(shown_at_start(&bench), 42);
    CHECK_INT(mind.runs, 0); /* it is not yet due */
}

TEST(what_was_odd_is_so_after_a_restart)
{
    for (int odd = 0; odd < 2; odd++) {
        BENCH(bench);
        bench.config.storage_path = test_folder();
        create(&bench);
        mind.odd = odd;
        CHECK(runner_run(bench.runner, bench.source));
        mind.odd = false;
        struct part *part = runner_kept_load(bench.source, test_folder());
        CHECK_INT((int64_t)odd_count(&part->odd), odd);
        part_release(part);
    }
}

/* Nothing of it stays beside what cannot be replaced, and it is said. */
TEST(what_cannot_be_kept_is_said)
{
    BENCH(bench);
    static char said[10000];
    char path[1000], next[1100];
    bench.config.storage_path = test_folder();
    create(&bench);
    snprintf(path, sizeof path, "%s/%s.json", test_folder(), bench.source->key);
    snprintf(next, sizeof next, "%s.new", path);
    remove(path);
    CHECK(!mkdir(path, 0700));
    FILE *captured = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
    CHECK(runner_run(bench.runner, bench.source));
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(captured);
    said[fread(said, 1, sizeof said - 1, captured)] = '\0';
    fclose(captured);
    CHECK_CONTAINS(said, "cannot keep data between runs");
    CHECK(access(next, F_OK));
    rmdir(path);
}

TEST(kept_data_spare_the_first_run_while_they_are_young)
{
    const struct source_status status = { .interval_ms = 3600000, .last_success_at = 5000 };
    static const struct {
        int64_t now, fresh_ms;
    } cases[] = { { 4999, 0 },    { 5000, 3600000 }, { 5001, 3599000 },  { 8000, 600000 },
                  { 8599, 1000 }, { 8600, 0 },       { 8600 + 86400, 0 } };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(runner_fresh_ms(&status, cases[i].now), cases[i].fresh_ms);
}

TEST(what_a_failed_run_brought_is_not_kept)
{
    BENCH(bench);
    bench.config.storage_path = test_folder();
    create(&bench);
    mind.number = 7;
    CHECK(runner_run(bench.runner, bench.source));
    mind.number = 8;
    mind.fails = true;
    CHECK(!runner_run(bench.runner, bench.source));
    runner_destroy(bench.runner);
    snapshot_drop(bench.store, bench.source);
    CHECK_INT(shown_at_start(&bench), 7);
}

TEST(kept_data_that_are_too_old_or_make_no_sense_are_left_alone)
{
    char text[80];
    int64_t now = clock_now_s();
    BENCH(bench);
    bench.config.storage_path = test_folder();
    snprintf(text, sizeof text, "{\"collected_at\":%lld,\"items\":[3]}", (long long)now - 60);
    write_file(text);
    CHECK_INT(shown_at_start(&bench), 3);
    snprintf(text, sizeof text, "{\"collected_at\":%lld,\"items\":[3]}", (long long)now - 200);
    write_file(text); /* three intervals are 180 s */
    CHECK_INT(shown_at_start(&bench), -1);
    static const char *const nonsense[] = { "", "{", "[]", "{\"items\":[4]}",
                                            "{\"collected_at\":1,\"items\":[-4]}" };
    for (size_t i = 0; i < ARRAY_COUNT(nonsense); i++) {
        write_file(nonsense[i]);
        CHECK_INT(shown_at_start(&bench), -1);
    }
    bench.config.storage_path = "/nonexistent/folder"; /* nor is a folder needed */
    CHECK_INT(shown_at_start(&bench), -1);
    create(&bench);
    CHECK(runner_run(bench.runner, bench.source));
}
