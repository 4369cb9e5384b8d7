/* Runs of a source that answers: what is asked of Azure and how often, and what follows when it
 * refuses. */
#include "collectors/run/answer.h"

#include "collectors/activity.h"
#include "core/clock.h"
#include "loopback.h"
#include "sources.h"
#include "test.h"

enum { NOW = 1700000000 }; /* 2023-11-14T22:13:20Z */

#define VM "/subscriptions/s1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/"
#define CHANGE(id, time, kind, by, type, operation)                                                \
    "{\"id\":\"x\",\"resourceId\":\"" id "\",\"changeTime\":\"" time "\",\"changeType\":\"" kind   \
    "\",\"changedBy\":\"" by "\",\"changedByType\":\"" type "\",\"operation\":\"" operation "\"}"
#define WRITE "microsoft.compute/virtualmachines/write"
#define EVENT(time, caller, operation, status)                                                     \
    "{\"id\":\"x\",\"eventTimestamp\":\"" time "\",\"caller\":" caller                             \
    ",\"operationName\":{\"value\":\"" operation "\",\"localizedValue\":\"Write\"},\"status\":"    \
    "{\"value\":\"" status "\",\"localizedValue\":\"Erfolgreich\"}}"

/* An Azure whose tables have these rows, and whose log these events. */
struct bench {
    const char *rows, *events;
    int graph_status, log_status, graphs, logs;
    struct buf query, path;
    struct loopback *server;
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
    struct snapshot *snapshot;
    struct asked_board *board;
    struct answer_memory memory;
    struct error error;
    int64_t now;
};

static void answer_log(struct bench *bench, const struct loopback_request *request, struct buf *out)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    bench->logs++;
    buf_reset(&bench->path);
    buf_text(&bench->path, request->path);
    buf_printf(&body, "{\"value\":[%s]}", bench->events);
    loopback_reply(out, bench->log_status, "",
                   bench->log_status == 200
                       ? buf_cstr(&body)
                       : "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}");
}

static void answer_graph(struct bench *bench, const struct loopback_request *request,
                         struct buf *out)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    bench->graphs++;
    buf_reset(&bench->query);
    buf_text(&bench->query, request->body);
    buf_printf(&body,
               "{\"totalRecords\":%d,\"count\":%d,\"resultTruncated\":\"false\","
               "\"data\":[%s]}",
               *bench->rows != 0, *bench->rows != 0, bench->rows);
    loopback_reply(out, bench->graph_status, "", buf_cstr(&body));
}

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct bench *bench = context;
    if (strstr(request->path, "/oauth2/v2.0/token"))
        loopback_reply(out, 200, "", "{\"expires_in\":3599,\"access_token\":\"token-number-1\"}");
    else if (strstr(request->path, "Microsoft.Insights"))
        answer_log(bench, request, out);
    else
        answer_graph(bench, request, out);
}

static void bench_begin(struct bench *bench)
{
    struct error error = { 0 };
    *bench = (struct bench){ .rows = "", .events = "", .graph_status = 200, .log_status = 200 };
    bench->now = NOW + 60;
    bench->server = loopback_start(answer, bench);
    bench->metrics = metric_store_create();
    const struct auth_config auth = {
        .tenant_id = "t",
        .client_id = "c",
        .client_secret = TEST_SECRET("correct~horse+battery"),
        .authority_host = bench->server->url,
    };
    bench->auth = auth_create(&auth, bench->metrics, &error);
    const struct arm_config arm = { .resource_manager = bench->server->url };
    bench->arm = arm_create(&arm, bench->auth, bench->metrics);
    bench->session = (struct arm_session){
        .arm = bench->arm,
        .client = http_client_create(),
        .deadline_ms = clock_monotonic_ms() + 60000,
        .tries = 1,
    };
    bench->snapshot = snapshot_create(test_sources());
    bench->board = asked_board_create();
}

static void bench_finish(struct bench *bench)
{
    loopback_stop(bench->server);
    http_client_destroy(bench->session.client);
    arm_destroy(bench->arm);
    auth_destroy(bench->auth);
    metric_store_destroy(bench->metrics);
    snapshot_release(bench->snapshot);
    asked_board_destroy(bench->board);
    answer_memory_finish(&bench->memory);
    buf_finish(&bench->query);
    buf_finish(&bench->path);
}
#define BENCH(name)                                                                                \
    CLEANUP(bench_finish) struct bench name;                                                       \
    bench_begin(&name)

static void ask(struct bench *bench, const char *id, int64_t at)
{
    asked_board_add(bench->board, &(struct asked){ "", id, at, 0 });
}

static bool run(struct bench *bench)
{
    const struct source *source = SOURCE(activity);
    struct collect_context context = { .now = bench->now, .snapshot = bench->snapshot };
    struct collect_result result;
    struct part **place = &bench->snapshot->parts[source->index];
    bench->error = (struct error){ 0 };
    if (!answer_run(source, &source->collector->variants[0], &bench->session, &context,
                    bench->board, &bench->memory, &result, &bench->error))
        return false;
    part_release(*place);
    *place = result.part;
    return true;
}

static size_t changes_of(const struct bench *bench, const char *id)
{
    const struct activity_change *changes;
    return activity_around(bench->snapshot, id, NOW, &changes);
}

TEST(a_run_asks_once_for_all_and_the_log_for_what_is_left)
{
    BENCH(bench);
    bench.rows = CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "m", "User", WRITE);
    bench.events = EVENT("2023-11-14T22:12:20Z", "\"m@zebra.example\"", "A/b/write", "Succeeded");
    ask(&bench, VM "a", NOW);
    ask(&bench, VM "b c", NOW - 60);
    CHECK(run(&bench));
    CHECK_INT(bench.graphs, 1);
    CHECK_INT(bench.logs, 1);
    CHECK_CONTAINS(buf_cstr(&bench.query), "resourcechanges\\n| extend changeTime = ");
    CHECK_CONTAINS(buf_cstr(&bench.query), "between (todatetime('2023-11-13T22:12:20Z') .. "
                                           "todatetime('2023-11-14T22:23:20Z'))");
    CHECK_CONTAINS(buf_cstr(&bench.query), "in ('" VM "a', '" VM "b c')");
    CHECK_CONTAINS(buf_cstr(&bench.query), "\"subscriptions\":[\"s1\"]");
    CHECK_TEXT(buf_cstr(&bench.path),
               "/subscriptions/s1/providers/Microsoft.Insights/eventtypes/management/values?"
               "$filter=eventTimestamp%20ge%20'2023-11-13T22:12:20Z'%20and%20eventTimestamp%20le"
               "%20'2023-11-14T22:22:20Z'%20and%20resourceUri%20eq%20'%2Fsubscriptions%2Fs1"
               "%2Fresourcegroups%2Frg%2Fproviders%2Fmicrosoft.compute%2Fvirtualmachines%2Fb%20c'"
               "&$select=eventTimestamp,operationName,status,caller&api-version=2015-04-01");
    CHECK_INT(changes_of(&bench, VM "a"), 1);
    CHECK_INT(changes_of(&bench, VM "b c"), 1);
    CHECK(!asked_board_waits(bench.board, "", NOW + 839)); /* rows may still be late */
    CHECK(asked_board_waits(bench.board, "", NOW + 840));
}

TEST(what_is_asked_early_is_asked_once_more)
{
    BENCH(bench);
    ask(&bench, VM "a", NOW);
    CHECK(run(&bench));
    CHECK_INT(changes_of(&bench, VM "a"), 0);
    bench.now = NOW + 900;
    bench.rows = CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "m", "User", WRITE);
    CHECK(asked_board_waits(bench.board, "", bench.now));
    CHECK(run(&bench));
    CHECK_INT(changes_of(&bench, VM "a"), 1);
    CHECK(!asked_board_waits(bench.board, "", NOW + 9999));
    CHECK(run(&bench)); /* nothing is asked, and what is known stays */
    CHECK_INT(bench.graphs, 2);
    CHECK_INT(changes_of(&bench, VM "a"), 1);
}

TEST(after_a_failure_questions_wait_for_the_next_run)
{
    BENCH(bench);
    bench.graph_status = 500;
    ask(&bench, VM "a", NOW);
    CHECK(!run(&bench));
    CHECK_CONTAINS(bench.error.message, "activity_changes_rows");
    CHECK_INT(bench.logs, 0);
    bench.graph_status = 200;
    bench.rows = CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "m", "User", WRITE);
    CHECK(run(&bench));
    CHECK_INT(changes_of(&bench, VM "a"), 1);
}

TEST(a_log_that_may_not_be_read_fails_nothing_and_is_tried_once_a_day)
{
    BENCH(bench);
    bench.log_status = 403;
    ask(&bench, VM "a", NOW);
    ask(&bench, VM "b", NOW);
    CHECK(run(&bench));
    CHECK_INT(bench.logs, 1);
    CHECK(bench.memory.told);
    ask(&bench, "/subscriptions/s2/providers/a.b/c/d", NOW);
    CHECK(run(&bench));
    CHECK_INT(bench.logs, 2); /* another subscription may allow it */
    bench.now += 86399;
    ask(&bench, VM "a", bench.now);
    CHECK(run(&bench));
    CHECK_INT(bench.logs, 2);
    bench.now++;
    bench.log_status = 200;
    ask(&bench, VM "a", bench.now);
    CHECK(run(&bench));
    CHECK_INT(bench.logs, 3);
    CHECK(!bench.memory.told);
}

TEST(requests_of_a_run_are_bounded)
{
    BENCH(bench);
    char id[128];
    for (int i = 0; i < 130; i++) {
        snprintf(id, sizeof id, VM "%d", i);
        ask(&bench, id, NOW);
    }
    CHECK(run(&bench));
    CHECK_INT(bench.graphs, 1);
    CHECK_INT(bench.logs, 20);
    CHECK(asked_board_waits(bench.board, "", bench.now)); /* thirty are left */
    CHECK(run(&bench));
    CHECK(!asked_board_waits(bench.board, "", bench.now));
    CHECK_INT(bench.graphs, 2);
}
