#include "collectors/azure/graph.h"

#include <stdlib.h>

#include "collectors/azure/meter.h"
#include "core/clock.h"
#include "loopback.h"
#include "test.h"

/* Pages in the order they are asked for; the last one stays. */
struct script {
    const char *const *pages;
    int page_count, next;
    const char *headers;
    int most_rows; /* 400 ResponsePayloadTooLarge when more are asked for; 0 = any number */
    const char *refuse_versions; /* 400 InvalidApiVersionParameter for these */
    struct buf asked;            /* paths and bodies */
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct script *script = context;
    if (strstr(request->path, "/oauth2/v2.0/token")) {
        loopback_reply(out, 200, "", "{\"expires_in\":3599,\"access_token\":\"token-number-1\"}");
        return;
    }
    buf_printf(&script->asked, "%s\n%s\n", request->path, request->body);
    const char *version = strstr(request->path, "api-version=");
    if (script->refuse_versions && version && strstr(script->refuse_versions, version + 12)) {
        loopback_reply(out, 400, "",
                       "{\"error\":{\"code\":\"InvalidApiVersionParameter\","
                       "\"message\":\"The api-version is invalid.\"}}");
        return;
    }
    const char *top = strstr(request->body, "\"$top\":");
    if (script->most_rows && top && atoi(top + 7) > script->most_rows) {
        loopback_reply(
            out, 400, "",
            "{\"error\":{\"code\":\"BadRequest\",\"message\":\"Please provide below info "
            "when asking for support: timestamp = 1.\",\"details\":[{\"code\":"
            "\"ResponsePayloadTooLarge\",\"message\":\"Response payload size is 17236892, "
            "and has exceeded the limit of 16777216.\"}]}}");
        return;
    }
    loopback_reply(out, 200, script->headers ? script->headers : "", script->pages[script->next]);
    script->next += script->next + 1 < script->page_count;
}

struct fixture {
    struct script script;
    struct loopback *server;
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
    struct graph_progress progress;
    struct buf names;
    struct error error;
};

static void start(struct fixture *fixture, const char *const *pages, int page_count)
{
    *fixture = (struct fixture){ .script = { .pages = pages, .page_count = page_count } };
    fixture->server = loopback_start(answer, &fixture->script);
    fixture->metrics = metric_store_create();
    const struct auth_config auth = {
        .tenant_id = "t",
        .client_id = "c",
        .client_secret = TEST_SECRET("correct~horse+battery"),
        .authority_host = fixture->server->url,
    };
    fixture->auth = auth_create(&auth, fixture->metrics, &fixture->error);
    const struct arm_config arm = { .resource_manager = fixture->server->url };
    fixture->arm = arm_create(&arm, fixture->auth, fixture->metrics);
    fixture->session = (struct arm_session){
        .arm = fixture->arm,
        .client = http_client_create(),
        .deadline_ms = clock_monotonic_ms() + 20000,
    };
}

static void finish(struct fixture *fixture)
{
    loopback_stop(fixture->server);
    http_client_destroy(fixture->session.client);
    arm_destroy(fixture->arm);
    auth_destroy(fixture->auth);
    metric_store_destroy(fixture->metrics);
    buf_finish(&fixture->script.asked);
    buf_finish(&fixture->names);
}

static bool add_id(void *context, const struct json *row, struct error *error)
{
    const char *id = json_text(json_get(row, "id"));
    if (!id)
        return error_set(error, ERROR_PARSE, "no id");
    buf_printf(context, "%s ", id);
    return true;
}

static bool query(struct fixture *fixture, const struct graph_query *query)
{
    fixture->error = (struct error){ 0 };
    return graph_query(&fixture->session, query, add_id, &fixture->names, &fixture->progress,
                       &fixture->error);
}

TEST(pages_are_followed_to_the_end)
{
    static const char *const pages[] = {
        "{\"totalRecords\":3,\"count\":2,\"resultTruncated\":\"true\",\"$skipToken\":\"t\\\"1\","
        "\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"facets\":[]}",
        "{\"data\":[{\"id\":\"c\"}],\"facets\":[],\"resultTruncated\":false,\"count\":1,"
        "\"totalRecords\":3,\"$skipToken\":null}",
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 2);
    const struct graph_query all = { .kql = "// a comment\nsecurityresources\n// more\n"
                                            "| where x == \"//not one\"\n" };
    CHECK(query(&fixture, &all));
    CHECK_TEXT(fixture.error.message, "");
    CHECK_TEXT(buf_cstr(&fixture.names), "a b c ");
    CHECK_INT(fixture.progress.rows, 3);
    CHECK_INT(fixture.progress.pages, 2);
    CHECK_TEXT(buf_cstr(&fixture.script.asked),
               "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01\n"
               "{\"query\":\"securityresources\\n| where x == \\\"//not one\\\"\",\"options\":"
               "{\"resultFormat\":\"objectArray\",\"$top\":1000}}\n"
               "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01\n"
               "{\"query\":\"securityresources\\n| where x == \\\"//not one\\\"\",\"options\":"
               "{\"resultFormat\":\"objectArray\",\"$top\":1000,\"$skipToken\":\"t\\\"1\"}}\n");
}

/* Whether another may still ask twice, after so many rows of a sweep or of another query. */
static bool others_go_on(enum pacer_rank rank, int64_t total)
{
    char first[200];
    snprintf(first, sizeof first,
             "{\"totalRecords\":%lld,\"count\":1,\"resultTruncated\":\"true\","
             "\"$skipToken\":\"t\",\"data\":[{\"id\":\"a\"}]}",
             (long long)total);
    const char *const pages[] = {
        first, "{\"totalRecords\":2,\"count\":0,\"data\":[]}", /* and there it breaks off */
        "{\"totalRecords\":0,\"count\":0,\"resultTruncated\":\"false\",\"data\":[]}"
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 3);
    const struct graph_query all = { .kql = "securityresources" };
    fixture.session.rank = rank;
    CHECK(!query(&fixture, &all));
    fixture.session.rank = PACER_REST;
    CHECK(query(&fixture, &all));
    fixture.session.deadline_ms = clock_monotonic_ms() + 50; /* they would wait for 100 ms */
    return query(&fixture, &all);
}

TEST(the_first_page_of_a_sweep_tells_whether_others_stand_back)
{
    CHECK(!others_go_on(PACER_SWEEP, 17000));
    CHECK(others_go_on(PACER_SWEEP, 15000));
    CHECK(others_go_on(PACER_REST, 17000));
}

TEST(subscriptions_go_in_groups)
{
    static const char *const pages[] = {
        "{\"totalRecords\":1,\"count\":1,\"resultTruncated\":\"false\",\"data\":[{\"id\":\"a\"}]}"
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 1);
    const char *subscriptions[401];
    for (size_t i = 0; i < ARRAY_COUNT(subscriptions); i++)
        subscriptions[i] = i < 200 ? "first" : i < 400 ? "second" : "third";
    const struct graph_query some = { .kql = "x",
                                      .subscriptions = subscriptions,
                                      .subscription_count = ARRAY_COUNT(subscriptions) };
    CHECK(query(&fixture, &some));
    CHECK_INT(fixture.progress.rows, 3);
    CHECK_INT(fixture.progress.pages, 3);
    CHECK_CONTAINS(buf_cstr(&fixture.script.asked), "\"subscriptions\":[\"third\"]}");
    int counts[3] = { 0 };
    for (const char *at = buf_cstr(&fixture.script.asked); *at; at++) {
        counts[0] += !strncmp(at, "\"first\"", 7);
        counts[1] += !strncmp(at, "\"second\"", 8);
        counts[2] += !strncmp(at, "\"third\"", 7);
    }
    CHECK_INT(counts[0], 200);
    CHECK_INT(counts[1], 200);
    CHECK_INT(counts[2], 1);
}

TEST(older_versions_are_tried)
{
    static const char *const pages[] = {
        "{\"totalRecords\":0,\"count\":0,\"resultTruncated\":\"false\",\"data\":[]}"
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 1);
    const struct graph_query all = { .kql = "x" };
    fixture.script.refuse_versions = "2024-04-01 2022-10-01";
    CHECK(query(&fixture, &all));
    CHECK_INT(fixture.progress.rows, 0);
    CHECK_CONTAINS(buf_cstr(&fixture.script.asked), "api-version=2021-03-01");
    fixture.script.refuse_versions = "2024-04-01 2022-10-01 2021-03-01";
    CHECK(!query(&fixture, &all));
    CHECK_INT(fixture.error.code, ERROR_REQUEST);
    CHECK_TEXT(fixture.error.message, "resource graph page 1: 400 InvalidApiVersionParameter: "
                                      "The api-version is invalid");
}

#define PAGE(total, count, more, rows)                                                             \
    "{\"totalRecords\":" total ",\"count\":" count ",\"data\":[" rows "]" more "}"
#define TOKEN(text) ",\"resultTruncated\":\"true\",\"$skipToken\":\"" text "\""
#define LAST ",\"resultTruncated\":\"false\""
static const struct {
    const char *pages[3];
    int count;
    enum error_code code;
    const char *message;
} broken[] = {
    { { PAGE("1", "1", ",\"resultTruncated\":\"true\"", "{\"id\":\"a\"}") },
      1,
      ERROR_INCOMPLETE,
      "the result is truncated and has no $skipToken" },
    { { PAGE("1", "1", ",\"resultTruncated\":true", "{\"id\":\"a\"}") },
      1,
      ERROR_INCOMPLETE,
      "the result is truncated and has no $skipToken" },
    { { PAGE("1", "2", LAST, "{\"id\":\"a\"}") },
      1,
      ERROR_INCOMPLETE,
      "page 1: 1 rows came, count says 2" },
    { { PAGE("2", "1", LAST, "{\"id\":\"a\"}") },
      1,
      ERROR_INCOMPLETE,
      "page 1: 1 rows came, totalRecords says 2" },
    { { PAGE("1", "2", LAST, "{\"id\":\"a\"},{\"id\":\"b\"}") },
      1,
      ERROR_INCOMPLETE,
      "page 1: 2 rows came, totalRecords says 1" },
    { { PAGE("2", "1", TOKEN("1"), "{\"id\":\"a\"}"), PAGE("3", "1", LAST, "{\"id\":\"b\"}") },
      2,
      ERROR_INCOMPLETE,
      "page 2: rows changed while paging: totalRecords was 2, is 3" },
    { { PAGE("3", "1", TOKEN("1"), "{\"id\":\"a\"}"),
        PAGE("3", "1", TOKEN("1"), "{\"id\":\"b\"}") },
      2,
      ERROR_INCOMPLETE,
      "page 2: the same $skipToken came twice" },
    { { PAGE("2", "1", TOKEN("1"), "{\"id\":\"a\",\"n\":1}"),
        PAGE("2", "1", LAST, "{\"id\":\"a\",\"n\":1}") },
      2,
      ERROR_INCOMPLETE,
      "page 2: the page begins like an earlier one" },
    { { PAGE("2", "0", TOKEN("1"), ""), PAGE("2", "0", TOKEN("2"), ""), PAGE("2", "0", LAST, "") },
      3,
      ERROR_INCOMPLETE,
      "page 3: 0 rows came, totalRecords says 2" },
    { { "{\"data\":[],\"count\":0}" }, 1, ERROR_PARSE, "no totalRecords or no count" },
    { { "{\"data\":[],\"totalRecords\":0}" }, 1, ERROR_PARSE, "no totalRecords or no count" },
    { { "{\"totalRecords\":1,\"count\":1,\"data\":{\"columns\":[{\"name\":\"id\"}],"
        "\"rows\":[[\"a\"]]}}" },
      1,
      ERROR_PARSE,
      "page 1: a table came, objectArray was asked for" },
    { { "{\"totalRecords\":1,\"count\":1}" }, 1, ERROR_PARSE, "the answer has no \"data\"" },
    { { "{\"totalRecords\":1,\"count\":1,\"data\":[{\"id\":\"a\"}" }, 1, ERROR_PARSE, "near byte" },
    { { PAGE("1", "1", LAST, "{\"id\":7}") }, 1, ERROR_PARSE, "page 1: no id" },
    { { "<html></html>" }, 1, ERROR_PARSE, "not a JSON object" },
};

TEST(answers_that_are_not_whole_are_refused)
{
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        CLEANUP(finish) struct fixture fixture;
        const struct graph_query all = { .kql = "x" };
        start(&fixture, broken[i].pages, broken[i].count);
        CHECK(!query(&fixture, &all));
        CHECK_INT(fixture.error.code, broken[i].code);
        CHECK_CONTAINS(fixture.error.message, broken[i].message);
        CHECK_CONTAINS(fixture.error.message, "resource graph page ");
    }
}

TEST(pages_that_are_too_large_are_halved_and_remembered)
{
    static const char *const pages[] = {
        PAGE("2", "1", TOKEN("1"), "{\"id\":\"a\"}"),
        PAGE("2", "1", LAST, "{\"id\":\"b\"}"),
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 2);
    size_t page_rows = 0;
    const struct graph_query all = { .kql = "x", .page_rows = &page_rows };
    fixture.script.most_rows = 300;
    CHECK(query(&fixture, &all));
    CHECK_TEXT(buf_cstr(&fixture.names), "a b ");
    CHECK_INT(page_rows, 250);
    buf_reset(&fixture.script.asked);
    fixture.script.next = 0;
    CHECK(query(&fixture, &all));
    CHECK(!strstr(buf_cstr(&fixture.script.asked), "\"$top\":500"));
    CHECK_CONTAINS(buf_cstr(&fixture.script.asked), "\"$top\":250");
    fixture.script.most_rows = -1; /* not even one row */
    CHECK(!query(&fixture, &all));
    CHECK_CONTAINS(fixture.error.message, "400 BadRequest: ResponsePayloadTooLarge: Response");
    CHECK_CONTAINS(buf_cstr(&fixture.script.asked), "\"$top\":1}");
    CHECK_INT(page_rows, 250);
}

TEST(more_rows_than_one_walk_may_read_are_told_by_the_first_page)
{
    static const struct {
        int64_t walk_rows;
        size_t subscriptions;
        bool paged;
    } cases[] = {
        { 0, 0, true }, { 3, 0, true }, { 2, 0, false }, { 2, 200, false }, { 2, 201, true }
    };
    static const char *subscriptions[201];
    for (size_t i = 0; i < ARRAY_COUNT(subscriptions); i++)
        subscriptions[i] = "s";
    static const char *const pages[] = {
        PAGE("3", "2", TOKEN("1"), "{\"id\":\"a\"},{\"id\":\"b\"}"),
        PAGE("3", "1", LAST, "{\"id\":\"c\"}"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(finish) struct fixture fixture;
        start(&fixture, pages, 2);
        const struct graph_query all = { .kql = "x",
                                         .walk_rows = cases[i].walk_rows,
                                         .subscriptions = subscriptions,
                                         .subscription_count = cases[i].subscriptions };
        bool last_repeats = cases[i].subscriptions > 200; /* the second group gets that page only */
        CHECK_INT(query(&fixture, &all), cases[i].paged && !last_repeats);
        CHECK_INT(fixture.progress.too_many, !cases[i].paged);
        CHECK_INT(fixture.progress.pages, cases[i].paged ? 2 : 1);
        CHECK_INT(fixture.progress.total, 3);
        CHECK(cases[i].paged || strstr(fixture.error.message, "3 rows are too many"));
        if (cases[i].paged)
            continue;
        CHECK(!query(&fixture, &all)); /* it ends with the second page: that is another failure */
        CHECK(!fixture.progress.too_many);
    }
    static const char *const one[] = { PAGE("2", "2", LAST, "{\"id\":\"a\"},{\"id\":\"b\"}") };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, one, 1);
    const struct graph_query all = { .kql = "x", .walk_rows = 1 };
    CHECK(query(&fixture, &all)); /* where one page holds all there is no walk */
}

TEST(partitions_are_such_that_each_comes_in_one_page)
{
    static const struct {
        int64_t total;
        size_t page_rows, count;
    } cases[] = {
        { 0, 0, 0 },      { 1, 0, 0 },        { 1000, 0, 0 },       { 1001, 0, 2 },
        { 1801, 0, 3 },   { 100001, 0, 112 }, { 1000000, 0, 1112 }, { 1000000000, 0, 2000 },
        { 1000, 500, 3 }, { 500, 500, 0 },    { 1, 1, 0 },          { 3, 1, 4 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(graph_partitions(cases[i].total, cases[i].page_rows), cases[i].count);
}

TEST(the_total_is_that_of_the_largest_group)
{
    static const char *const pages[] = {
        PAGE("1", "1", LAST, "{\"id\":\"a\"}"),
        PAGE("2", "2", LAST, "{\"id\":\"b\"},{\"id\":\"c\"}"),
        PAGE("0", "0", LAST, ""),
        PAGE("1", "1", LAST, "{\"id\":\"d\"}"),
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 4);
    const char *subscriptions[201] = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(subscriptions); i++)
        subscriptions[i] = "s";
    const struct graph_query some = { .kql = "//{{partitions}} {{partition}}",
                                      .subscriptions = subscriptions,
                                      .subscription_count = ARRAY_COUNT(subscriptions),
                                      .partitions = 2 };
    CHECK(query(&fixture, &some));
    CHECK_TEXT(buf_cstr(&fixture.names), "a b c d ");
    CHECK_INT(fixture.progress.total, 3);
}

/* So many rows in one page. */
static const char *page_of(struct buf *out, size_t rows)
{
    buf_reset(out);
    buf_printf(out, "{\"totalRecords\":%zu,\"count\":%zu,\"resultTruncated\":\"false\",\"data\":[",
               rows, rows);
    for (size_t i = 0; i < rows; i++)
        buf_printf(out, "%s{\"id\":\"%zu\"}", i ? "," : "", i);
    buf_text(out, "]}");
    return buf_cstr(out);
}

TEST(an_empty_partition_among_full_ones_is_none)
{
    static const size_t rows[][3] = { { 20, 0, 20 }, { 0, 30, 20 }, { 20, 20, 0 }, { 20, 0, 0 },
                                      { 19, 0, 20 }, { 20, 1, 20 }, { 0, 0, 0 } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct buf texts[3] = { { 0 } };
        const char *pages[3];
        for (size_t k = 0; k < 3; k++)
            pages[k] = page_of(&texts[k], rows[i][k]);
        CLEANUP(finish) struct fixture fixture;
        start(&fixture, pages, 3);
        const struct graph_query all = { .kql = "//{{partitions}} {{partition}}", .partitions = 3 };
        CHECK_INT(query(&fixture, &all), i > 3);
        for (size_t k = 0; k < 3; k++)
            buf_finish(&texts[k]);
        if (i > 3)
            continue;
        CHECK_INT(fixture.error.code, ERROR_INCOMPLETE);
        CHECK_CONTAINS(fixture.error.message, " of 3 came back empty, ");
    }
}

/* Whether another may still ask twice after the first of so many pieces of a sweep. */
static bool others_go_on_beside(size_t partitions)
{
    static const char *const pages[] = { "{", PAGE("0", "0", LAST, "") };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 2);
    const struct graph_query sweep = { .kql = "//{{partitions}}", .partitions = partitions };
    const struct graph_query all = { .kql = "x" };
    fixture.session.rank = PACER_SWEEP;
    CHECK(!query(&fixture, &sweep)); /* and there it breaks off */
    fixture.session.rank = PACER_REST;
    CHECK(query(&fixture, &all));
    fixture.session.deadline_ms = clock_monotonic_ms() + 50; /* they would wait for 100 ms */
    return query(&fixture, &all);
}

TEST(others_stand_back_for_a_sweep_in_more_pieces_than_a_window_has)
{
    CHECK(others_go_on_beside(15));
    CHECK(!others_go_on_beside(16));
}

TEST(subscription_limit_is_not_silent)
{
    static const char *const pages[] = {
        "{\"totalRecords\":0,\"count\":0,\"resultTruncated\":\"false\",\"data\":[]}"
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture, pages, 1);
    const struct graph_query all = { .kql = "x" };
    fixture.script.headers = "x-ms-tenant-subscription-limit-hit: True\r\n";
    CHECK(!query(&fixture, &all));
    CHECK_INT(fixture.error.code, ERROR_INCOMPLETE);
    CHECK_CONTAINS(fixture.error.message, "more subscriptions are visible than one query covers");
    fixture.script.headers = "x-ms-tenant-subscription-limit-hit: false\r\n";
    CHECK(query(&fixture, &all));
}

TEST(partitions_fill_the_line_made_for_them)
{
    static const char kql[] = "// about\ntable\n// | where hash(id) % {{partitions}} == "
                              "{{partition}}\n| order by id\n";
    CLEANUP(buf_finish) struct buf out = { 0 };
    graph_text(kql, 3, 7, &out);
    CHECK_TEXT(buf_cstr(&out), "table\n| where hash(id) % 7 == 3\n| order by id");
    buf_reset(&out);
    graph_text(kql, 0, 0, &out);
    CHECK_TEXT(buf_cstr(&out), "table\n| order by id");
    CHECK(graph_can_partition(kql));
    CHECK(!graph_can_partition("// partitions\ntable\n"));
}

TEST(text_drops_only_comment_lines)
{
    static const struct {
        const char *kql, *text;
    } cases[] = {
        { "// one\na\n//two\n| b // kept\n  // kept too\n\n", "a\n| b // kept\n  // kept too" },
        { "a", "a" },
        { "// only", "" },
        { "", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        graph_text(cases[i].kql, 0, 0, &out);
        CHECK_TEXT(buf_cstr(&out), cases[i].text);
    }
}
