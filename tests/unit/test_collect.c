/* One run: which requests it makes, what it believes, what it learns for the next. */
#include "collectors/run/collect.h"

#include "collectors/azure/graph.h"
#include "core/clock.h"
#include "loopback.h"
#include "sources.h"
#include "test.h"

/* --- a collector whose rows are findings ------------------------------------------------------ */
struct row {
    const char *id, *subscription_id;
};
static const struct column columns[] = { COLUMN_KEY(struct row, id, "id"),
                                         COLUMN_TEXT(struct row, subscription_id, "subscriptionId"),
                                         { 0 } };

static bool fold(struct part *part, size_t query, const void *data,
                 const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    char id[128];
    snprintf(id, sizeof id, "%zu:%s", query, row->id);
    if (!strcmp(row->id, "poison"))
        return error_set(error, ERROR_PARSE, "poison");
    part_add_open(part, &(struct part_row){
                            .row_id = id,
                            .assessment_id = "k",
                            .title = "",
                            .category = "",
                            .assessment_type = "",
                            .subscription_id = context->subscription_id ? context->subscription_id
                                                                        : row->subscription_id,
                            .resource_id = id,
                            .resource_type = "",
                            .risk_factors = "",
                        });
    return true;
}

static bool finish_fails;
static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)part, (void)context;
    return !finish_fails || error_set(error, ERROR_INCOMPLETE, "it does not add up");
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot, (void)part, (void)set;
}
static const struct family *const families[] = { NULL };

#define PARTS_KQL                                                                                  \
    "x\n//{{partitions}} | where hash(id, {{partitions}}) == {{partition}}\n"                      \
    "| order by id asc"

/* A kind of collector with these queries, as a source of a list of its own. */
#define KIND(kind_name, a_role, ...)                                                               \
    static const struct collector kind_name = {                                                    \
        .name = #kind_name,                                                                        \
        .help = "h",                                                                               \
        .role = a_role,                                                                            \
        .default_interval = "15m",                                                                 \
        .variants = { { "only", .queries = { __VA_ARGS__ } } },                                    \
        .families = families,                                                                      \
        .fold = fold,                                                                              \
        .finish = finish,                                                                          \
        .emit = emit,                                                                              \
    }
#define LIST(list_name, list_path, versions, ...)                                                  \
    {                                                                                              \
        .name = list_name, .path = list_path, .api_versions = versions, .columns = columns,        \
        __VA_ARGS__                                                                                \
    }

KIND(graph_kind, COLLECTOR_DATA,
     { .name = "rows", .kql = "x | order by id asc", .columns = columns });
KIND(parts_kind, COLLECTOR_DATA, { .name = "rows", .kql = PARTS_KQL, .columns = columns });
KIND(list_kind, COLLECTOR_REFERENCE, LIST("list", "/list", "2025 2024-preview 2023"));
KIND(expand_kind, COLLECTOR_REFERENCE, LIST("list", "/list?$expand=x", "7"));
KIND(each_kind, COLLECTOR_DATA, LIST("each", "/subscriptions/{subscription}/things", "1"));
KIND(gentle_kind, COLLECTOR_DATA,
     LIST("each", "/subscriptions/{subscription}/things", "1", .missing_is_empty = true));
KIND(two_kind, COLLECTOR_REFERENCE, LIST("first", "/first", "1"), LIST("second", "/second", "1"));
KIND(spare_kind, COLLECTOR_REFERENCE, LIST("first", "/first", "1", .optional = true),
     LIST("spare", "/spare", "1", .only_if_empty = true));
KIND(spares_kind, COLLECTOR_REFERENCE, LIST("first", "/first", "1", .optional = true),
     LIST("spare", "/subscriptions/{subscription}/spare", "1", .only_if_empty = true));

/* --- the server --------------------------------------------------------------------------------
 */
struct answer {
    const char *path; /* its start, or a part of the body */
    int status;
    const char *body;
};

struct bench {
    const struct answer *answers;
    struct buf asked; /* "path\n" of every call */
    struct loopback *server;
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
    struct source_list *sources;
    const struct source *source; /* of the kind under test */
    struct snapshot *snapshot;
    struct collect_context context;
    struct collect_memory memory;
    struct collect_result result;
    struct part *older; /* of the last run that was believed */
    struct error error;
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct bench *bench = context;
    if (strstr(request->path, "/oauth2/v2.0/token")) {
        loopback_reply(out, 200, "", "{\"expires_in\":3599,\"access_token\":\"token-number-1\"}");
        return;
    }
    buf_printf(&bench->asked, "%s\n", request->path);
    for (const struct answer *at = bench->answers; at->path; at++)
        if (!strncmp(request->path, at->path, strlen(at->path)) ||
            strstr(request->body, at->path)) {
            loopback_reply(out, at->status, "", at->body);
            return;
        }
    loopback_reply(out, 200, "", "{\"value\":[]}");
}

static bool everything(const void *filter, const char *subscription_id)
{
    (void)filter, (void)subscription_id;
    return true;
}

/* Run a source's first variant, or the last where there are two: discovery by its list alone. */
static bool collect(struct bench *bench, const struct source *source, struct part *older)
{
    const struct variant *variants = source->collector->variants;
    buf_reset(&bench->asked);
    buf_text(&bench->asked, "");
    bench->error = (struct error){ 0 };
    return collect_run(source, &variants[variants[1].name != NULL], &bench->session,
                       &bench->context, older, NULL, 0, &bench->memory, &bench->result,
                       &bench->error);
}

static const struct answer discovery[] = {
    { "/subscriptions?", 200,
      "{\"value\":[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"},"
      "{\"subscriptionId\":\"s-2\",\"state\":\"Enabled\"},"
      "{\"subscriptionId\":\"s-3\",\"state\":\"Disabled\"}]}" },
    { 0 },
};
static const struct answer nobody[] = {
    { "/subscriptions?", 200, "{\"value\":[{\"subscriptionId\":\"s-3\",\"state\":\"Disabled\"}]}" },
    { 0 },
};

static void discover(struct bench *bench, const struct answer *answers)
{
    const struct source *source = source_list_find(bench->sources, "subscriptions");
    bench->answers = answers;
    CHECK(collect(bench, source, NULL));
    CHECK_TEXT(bench->error.message, "");
    part_release(bench->snapshot->parts[source->index]);
    bench->snapshot->parts[source->index] = bench->result.part;
    bench->memory = (struct collect_memory){ 0 };
}

static void set_up(struct bench *bench, const struct collector *kind)
{
    *bench = (struct bench){ .answers = discovery };
    bench->server = loopback_start(answer, bench);
    bench->metrics = metric_store_create();
    const struct auth_config auth = {
        .tenant_id = "t",
        .client_id = "c",
        .client_secret = TEST_SECRET("correct~horse+battery"),
        .authority_host = bench->server->url,
    };
    bench->auth = auth_create(&auth, bench->metrics, &bench->error);
    const struct arm_config arm = { .resource_manager = bench->server->url };
    bench->arm = arm_create(&arm, bench->auth, bench->metrics);
    bench->session = (struct arm_session){
        .arm = bench->arm,
        .client = http_client_create(),
        .tries = 1,
        .deadline_ms = clock_monotonic_ms() + 60000,
    };
    bench->sources = source_list_of(
        (const struct collector *const[]){ kind, SOURCE(subscriptions)->collector, NULL });
    bench->source = source_list_find(bench->sources, kind->name);
    bench->snapshot = snapshot_create(bench->sources);
    bench->context = (struct collect_context){
        .now = 1000000,
        .snapshot = bench->snapshot,
        .max_staleness_s = 3600,
        .wanted = everything,
    };
    discover(bench, discovery);
}

static void tear_down(struct bench *bench)
{
    loopback_stop(bench->server);
    http_client_destroy(bench->session.client);
    arm_destroy(bench->arm);
    auth_destroy(bench->auth);
    metric_store_destroy(bench->metrics);
    part_release(bench->older);
    snapshot_release(bench->snapshot);
    source_list_release(bench->sources);
    buf_finish(&bench->asked);
}
#define BENCH(name, kind)                                                                          \
    CLEANUP(tear_down) struct bench name;                                                          \
    set_up(&name, kind)

/* One run a minute later; what it brought is the older part of the next. */
static bool run(struct bench *bench, const struct answer *answers)
{
    bench->answers = answers;
    bench->context.now += 60;
    if (!collect(bench, bench->source, bench->older)) {
        CHECK(!bench->result.part);
        CHECK(bench->error.code != ERROR_NONE);
        return false;
    }
    part_release(bench->older);
    bench->older = bench->result.part;
    return true;
}
#define ANSWERS(...)                                                                               \
    (const struct answer[])                                                                        \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define ROW(id) "{\"id\":\"" id "\"}"
#define VALUE(rows) "{\"value\":[" rows "]}"
#define REFUSED(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"no\"}}"
#define FORBIDDEN REFUSED("AuthorizationFailed")
#define OLD_VERSION REFUSED("InvalidApiVersionParameter")

static int64_t findings_of(const struct bench *bench, const char *subscription_id)
{
    int64_t count = 0;
    for (size_t i = 0; i < bench->older->finding_count; i++) {
        struct finding view;
        char scratch[PART_ID_BYTES];
        part_view(bench->older, i, &view, scratch);
        count += !strcmp(view.subscription_id, subscription_id);
    }
    return count;
}

/* --- lists --------------------------------------------------------------------------------------
 */

TEST(a_run_hands_out_a_sealed_part)
{
    BENCH(bench, &list_kind);
    CHECK(run(&bench, ANSWERS({ "/list", 200, VALUE(ROW("b") "," ROW("a")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n");
    CHECK_INT(bench.result.rows, 2);
    CHECK_INT(bench.older->rows, 2);
    CHECK_INT(bench.older->collected_at, bench.context.now);
    CHECK(finding_id_compare(&bench.older->findings[0].id, &bench.older->findings[1].id) < 0);
    CHECK_INT(bench.memory.rows[0], 2);
    CHECK_INT(bench.result.refused + bench.result.failed, 0);
}

TEST(the_version_is_one_more_parameter)
{
    BENCH(bench, &expand_kind);
    CHECK(run(&bench, ANSWERS({ "/list", 200, VALUE("") })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?$expand=x&api-version=7\n");
}

TEST(older_versions_are_tried_and_what_worked_is_remembered)
{
    BENCH(bench, &list_kind);
    const struct answer *picky =
        ANSWERS({ "/list?api-version=2025", 400, OLD_VERSION },
                { "/list?api-version=2024-preview", 404, REFUSED("InvalidResourceType") },
                { "/list?api-version=2023", 200, VALUE(ROW("a")) });
    CHECK(run(&bench, picky));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n/list?api-version=2024-preview\n"
                                       "/list?api-version=2023\n");
    CHECK_INT(bench.memory.version[0], 2);
    CHECK(run(&bench, picky));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2023\n");
    CHECK_INT(bench.result.rows, 1);
}

TEST(when_no_version_is_left_the_run_failed)
{
    BENCH(bench, &list_kind);
    CHECK(!run(&bench, ANSWERS({ "/list", 400, OLD_VERSION })));
    CHECK_CONTAINS(bench.error.message, "list: ");
    CHECK_CONTAINS(bench.error.message, "InvalidApiVersionParameter");
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n/list?api-version=2024-preview\n"
                                       "/list?api-version=2023\n");
}

TEST(another_refusal_is_no_question_of_versions)
{
    BENCH(bench, &list_kind);
    CHECK(!run(&bench, ANSWERS({ "/list", 403, FORBIDDEN })));
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n");
    CHECK_INT(bench.memory.version[0], 0);
}

TEST(a_row_that_makes_no_sense_is_named_by_its_number)
{
    BENCH(bench, &list_kind);
    CHECK(!run(&bench, ANSWERS({ "/list", 200, VALUE(ROW("a") ",{\"name\":1}") })));
    CHECK_INT(bench.error.code, ERROR_PARSE);
    CHECK_CONTAINS(bench.error.message, "list: ");
    CHECK_CONTAINS(bench.error.message, "row 2: ");
    CHECK(!run(&bench, ANSWERS({ "/list", 200, VALUE(ROW("a") "," ROW("b") "," ROW("poison")) })));
    CHECK_CONTAINS(bench.error.message, "row 3: poison");
}

TEST(a_collector_may_refuse_the_whole)
{
    BENCH(bench, &list_kind);
    finish_fails = true;
    CHECK(!run(&bench, ANSWERS({ "/list", 200, VALUE(ROW("a")) })));
    finish_fails = false;
    CHECK_TEXT(bench.error.message, "it does not add up");
    CHECK_INT(bench.result.rows, 1); /* read, and not published */
    CHECK_INT(bench.memory.rows[0], 0);
}

/* --- a list of each subscription ----------------------------------------------------------------
 */

TEST(only_visible_subscriptions_are_asked)
{
    BENCH(bench, &each_kind);
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("b") "," ROW("c")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/subscriptions/s-1/things?api-version=1\n"
                                       "/subscriptions/s-2/things?api-version=1\n");
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    CHECK_INT(findings_of(&bench, "s-2"), 2);
    CHECK(!part_cover_find(bench.older, "s-3"));
}

TEST(one_list_that_fails_does_not_hold_the_others)
{
    BENCH(bench, &each_kind);
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("b")) })));
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 403, FORBIDDEN },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("c")) })));
    CHECK_INT(bench.result.refused, 1);
    CHECK_INT(bench.result.failed, 0);
    CHECK_INT(bench.result.first_error.code, ERROR_FORBIDDEN);
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    CHECK_TEXT(part_cover_find(bench.older, "s-1")->reason, "its list could not be read");
    CHECK(!part_cover_find(bench.older, "s-2")->carried);
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 500, "" })));
    CHECK_INT(bench.result.refused, 0);
    CHECK_INT(bench.result.failed, 1);
    CHECK(!part_cover_find(bench.older, "s-1")->carried);
    CHECK(part_cover_find(bench.older, "s-2")->carried);
}

TEST(what_broke_says_more_than_what_was_refused)
{
    BENCH(bench, &each_kind);
    CHECK(!run(&bench, ANSWERS({ "/subscriptions/s-1/", 403, FORBIDDEN },
                               { "/subscriptions/s-2/", 200, "no JSON" })));
    CHECK_CONTAINS(bench.error.message, "none of 2 subscriptions can be read");
    CHECK_INT(bench.error.code, ERROR_PARSE);
    CHECK_INT(bench.result.refused, 1);
    CHECK_INT(bench.result.failed, 1);
}

TEST(when_all_are_refused_the_run_failed)
{
    BENCH(bench, &each_kind);
    CHECK(!run(&bench, ANSWERS({ "/subscriptions/", 403, FORBIDDEN })));
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
    CHECK_CONTAINS(bench.error.message, "none of 2 subscriptions can be read");
    CHECK_CONTAINS(bench.error.message, "AuthorizationFailed");
}

TEST(a_token_that_is_refused_ends_the_run_at_once)
{
    BENCH(bench, &each_kind);
    CHECK(!run(&bench, ANSWERS({ "/subscriptions/", 401, REFUSED("InvalidAuthenticationToken") })));
    CHECK_INT(bench.error.code, ERROR_AUTH);
    CHECK(!strstr(buf_cstr(&bench.asked), "s-2"));
}

TEST(without_visible_subscriptions_there_is_nobody_to_ask)
{
    BENCH(bench, &each_kind);
    discover(&bench, nobody);
    CHECK(!run(&bench, discovery));
    CHECK_TEXT(buf_cstr(&bench.asked), "");
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
    CHECK_CONTAINS(bench.error.message, "each: none of 3 subscriptions can be read: 2 denied, "
                                        "0 filtered, 1 disabled");
}

TEST(a_list_of_subscriptions_that_failed_is_named)
{
    BENCH(bench, &each_kind);
    size_t index = source_list_find(bench.sources, "subscriptions")->index;
    part_release(bench.snapshot->parts[index]);
    bench.snapshot->parts[index] = NULL;
    CHECK(!run(&bench, discovery));
    CHECK_INT(bench.error.code, ERROR_INCOMPLETE);
    CHECK_CONTAINS(bench.error.message, "each: the subscriptions are not known yet");
    error_set(&bench.snapshot->status[index].error, ERROR_SERVER,
              "list /subscriptions page 1: 503");
    CHECK(!run(&bench, discovery));
    CHECK_INT(bench.error.code, ERROR_SERVER);
    CHECK_CONTAINS(bench.error.message,
                   "each: the subscriptions are not known: list /subscriptions page 1: 503");
}

TEST(a_list_that_is_not_there_is_empty_unless_it_was_there_before)
{
    static const struct answer gone[] = {
        { "/subscriptions/s-1/", 404, REFUSED("Subscription Not Registered") },
        { "/subscriptions/s-2/", 200, VALUE(ROW("b")) },
        { 0 },
    };
    BENCH(bench, &gentle_kind);
    for (int turn = 0; turn < 2; turn++) { /* empty before is empty again */
        CHECK(run(&bench, gone));
        CHECK_INT(bench.result.failed, 0);
        CHECK(part_cover_find(bench.older, "s-1")->empty);
    }
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("b")) })));
    CHECK(run(&bench, gone)); /* suddenly "not registered": says nothing of what it found */
    CHECK_INT(bench.result.failed, 1);
    CHECK(part_cover_find(bench.older, "s-1")->carried);
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    BENCH(strict, &each_kind);
    CHECK(run(&strict, gone));
    CHECK_INT(strict.result.failed, 1); /* not every list may be missing */
}

/* --- several queries ----------------------------------------------------------------------------
 */

TEST(one_query_that_fails_fails_the_run)
{
    BENCH(bench, &two_kind);
    CHECK(!run(&bench, ANSWERS({ "/first", 200, VALUE(ROW("a")) }, { "/second", 500, "" })));
    CHECK_CONTAINS(bench.error.message, "second: ");
    CHECK(!run(&bench, ANSWERS({ "/first", 500, "" })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n"); /* the second is not asked */
}

TEST(a_query_that_is_suddenly_empty_is_believed_the_third_time)
{
    static const struct answer full[] = { { "/first", 200, VALUE(ROW("a")) },
                                          { "/second", 200, VALUE(ROW("b") "," ROW("c")) },
                                          { 0 } };
    static const struct answer half[] = { { "/first", 200, VALUE(ROW("a")) }, { 0 } };
    BENCH(bench, &two_kind);
    CHECK(run(&bench, half)); /* nothing came before: nothing is missing */
    CHECK(run(&bench, full));
    for (int turn = 0; turn < 2; turn++) {
        CHECK(!run(&bench, half));
        CHECK_INT(bench.error.code, ERROR_INCOMPLETE);
        CHECK_TEXT(bench.error.message, "second came back empty, 2 rows came before");
        CHECK_INT(bench.result.rows, 1);
    }
    CHECK(run(&bench, half));
    CHECK_INT(bench.older->finding_count, 1);
    CHECK(run(&bench, full)); /* a run that is whole ends the doubt */
    CHECK(!run(&bench, half));
    CHECK(run(&bench, full));
    CHECK(!run(&bench, half));
    CHECK(!run(&bench, half));
}

TEST(a_spare_is_asked_only_where_nothing_came)
{
    BENCH(bench, &spare_kind);
    CHECK(run(&bench,
              ANSWERS({ "/first", 200, VALUE(ROW("a")) }, { "/spare", 200, VALUE(ROW("s")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n");
    CHECK(run(&bench, ANSWERS({ "/spare", 200, VALUE(ROW("s")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n/spare?api-version=1\n");
    CHECK_INT(bench.result.rows, 1);
    CHECK(run(&bench, ANSWERS({ "/first", 403, FORBIDDEN }, { "/spare", 200, VALUE(ROW("s")) })));
    CHECK_INT(bench.result.rows, 1); /* optional: the run goes on */
    CHECK(run(&bench, ANSWERS({ "/first", 200, VALUE("") })));
    CHECK_INT(bench.result.rows, 0); /* neither has to bring anything */
}

TEST(an_optional_query_is_tried_once)
{
    BENCH(bench, &spare_kind);
    bench.session.tries = 2;
    CHECK(run(&bench, ANSWERS({ "/first", 503, "" }, { "/spare", 200, VALUE(ROW("s")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n/spare?api-version=1\n");
    CHECK_INT(bench.session.tries, 2); /* as before */
}

TEST(why_the_first_was_skipped_explains_that_nobody_is_left)
{
    BENCH(bench, &spares_kind);
    discover(&bench, nobody);
    CHECK(!run(&bench, ANSWERS({ "/first", 403, REFUSED("TenantSaysNo") })));
    CHECK_CONTAINS(bench.error.message, "TenantSaysNo");
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
}

TEST(a_stop_is_no_failure_of_an_optional_query)
{
    static const atomic_bool cancelled = true;
    BENCH(bench, &spare_kind);
    bench.session.cancelled = &cancelled;
    CHECK(!run(&bench, ANSWERS({ "/spare", 200, VALUE(ROW("s")) })));
    CHECK_INT(bench.error.code, ERROR_CANCELLED);
    CHECK_TEXT(buf_cstr(&bench.asked), "");
}

/* --- Resource Graph ------------------------------------------------------------------------------
 */

#define GRAPH(total, count, rows)                                                                  \
    "{\"totalRecords\":" total ",\"count\":" count                                                 \
    ",\"resultTruncated\":\"false\",\"data\":[" rows "]}"

TEST(graph_rows_say_whose_they_are)
{
    BENCH(bench, &graph_kind);
    CHECK(run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200,
                                GRAPH("2", "2",
                                      "{\"id\":\"a\",\"subscriptionId\":\"s-1\"},"
                                      "{\"id\":\"b\",\"subscriptionId\":\"s-2\"}") })));
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    CHECK_INT(findings_of(&bench, "s-2"), 1);
    CHECK_INT(bench.memory.total[0], 2);
}

TEST(rows_that_moved_are_asked_for_in_pieces_from_then_on)
{
    /* the same row twice, of more than fit into one piece */
    static const char twice[] = GRAPH("1401", "2",
                                      "{\"id\":\"a\",\"subscriptionId\":\"s-1\"},"
                                      "{\"id\":\"a\",\"subscriptionId\":\"s-1\"}");
    static const char few[] = GRAPH("2", "2",
                                    "{\"id\":\"a\",\"subscriptionId\":\"s-1\"},"
                                    "{\"id\":\"a\",\"subscriptionId\":\"s-1\"}");
    BENCH(bench, &parts_kind);
    CHECK(graph_can_partition(parts_kind.variants[0].queries[0].kql));
    CHECK(!run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200, few })));
    CHECK_INT(bench.memory.partitions[0], 0); /* they fit into one page: pieces would not help */
    CHECK(!run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200, twice })));
    CHECK_INT(bench.error.code, ERROR_INCOMPLETE);
    CHECK_INT(bench.memory.partitions[0], 3); /* 1401 rows, 700 a piece */
    run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200, GRAPH("0", "0", "") }));
    CHECK_TEXT(buf_cstr(&bench.asked),
               "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01\n"
               "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01\n"
               "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01\n");
    /* a total nobody can ask for, and what comes of it is not kept for ever */
    static const char endless[] = GRAPH("900000000", "2",
                                        "{\"id\":\"a\",\"subscriptionId\":\"s-1\"},"
                                        "{\"id\":\"a\",\"subscriptionId\":\"s-1\"}");
    BENCH(lied_to, &parts_kind);
    CHECK(!run(&lied_to, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200, endless })));
    CHECK_INT(lied_to.memory.partitions[0], 1000);
    CHECK(!run(&lied_to, ANSWERS({ "/providers/Microsoft.ResourceGraph", 503, "" })));
    CHECK_INT(lied_to.memory.partitions[0], 0);
    BENCH(whole, &graph_kind);
    CHECK(!run(&whole, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200, twice })));
    CHECK_INT(whole.memory.partitions[0], 0); /* a query without a place for it */
}
