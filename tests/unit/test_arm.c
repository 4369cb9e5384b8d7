#include "collectors/azure/arm_list.h"

#include <dirent.h>

#include "collectors/azure/meter.h"
#include "core/clock.h"
#include "loopback.h"
#include "test.h"

#define SECRET "correct~horse+battery"

/* What the server says next, in this order; the last one stays. Status 0: no answer at all. */
struct step {
    int status;
    const char *headers, *body;
};
struct script {
    const struct step *steps;
    int step_count, next;
    int tokens;
    struct buf heads; /* of the calls */
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct script *script = context;
    char body[100];
    if (strstr(request->path, "/oauth2/v2.0/token")) {
        snprintf(body, sizeof body, "{\"expires_in\":3599,\"access_token\":\"token-number-%d\"}",
                 ++script->tokens);
        loopback_reply(out, 200, "", body);
        return;
    }
    buf_printf(&script->heads, "%s %s\n%s\n%s\n", request->method, request->path, request->head,
               request->body);
    const struct step *step = &script->steps[script->next];
    script->next += script->next + 1 < script->step_count;
    if (step->status)
        loopback_reply(out, step->status, step->headers ? step->headers : "",
                       step->body ? step->body : "{}");
}

struct fixture {
    struct script script;
    struct loopback *server;
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
    struct http_response response;
    struct error error;
};

static void start(struct fixture *fixture, const struct step *steps, int step_count)
{
    *fixture = (struct fixture){ .script = { .steps = steps, .step_count = step_count } };
    fixture->server = loopback_start(answer, &fixture->script);
    fixture->metrics = metric_store_create();
    const struct auth_config auth = {
        .tenant_id = "t",
        .client_id = "66666666-7777-8888-9999-000000000000",
        .client_secret = TEST_SECRET(SECRET),
        .authority_host = fixture->server->url,
    };
    fixture->auth = auth_create(&auth, fixture->metrics, &fixture->error);
    const struct arm_config arm = { .resource_manager = fixture->server->url };
    fixture->arm = arm_create(&arm, fixture->auth, fixture->metrics);
    fixture->session = (struct arm_session){
        .arm = fixture->arm,
        .client = http_client_create(),
        .deadline_ms = clock_monotonic_ms() + 120000,
    };
}

static void finish(struct fixture *fixture)
{
    loopback_stop(fixture->server);
    http_client_destroy(fixture->session.client);
    arm_destroy(fixture->arm);
    auth_destroy(fixture->auth);
    metric_store_destroy(fixture->metrics);
    http_response_finish(&fixture->response);
    buf_finish(&fixture->script.heads);
}
#define FIXTURE(name, ...)                                                                         \
    CLEANUP(finish) struct fixture name;                                                           \
    static const struct step name##_steps[] = __VA_ARGS__;                                         \
    start(&name, name##_steps, (int)ARRAY_COUNT(name##_steps))

static bool call(struct fixture *fixture, enum arm_api api, const char *url, const char *body)
{
    const struct arm_call call = {
        .api = api, .method = body ? "POST" : "GET", .url = url, .body = body
    };
    fixture->error = (struct error){ 0 };
    return arm_call(&fixture->session, &call, &fixture->response, &fixture->error);
}

static double requests(struct fixture *fixture, const char *api, const char *code)
{
    return metric_read(fixture->metrics, &meter_requests, METRIC_LABELS(api, code, "t"));
}

/* --- calls --------------------------------------------------------------------------------- */

TEST(call_carries_token_and_ids)
{
    FIXTURE(fixture, { { 200,
                         "x-ms-user-quota-remaining: 14\r\n"
                         "x-ms-user-quota-resets-after: 00:00:05\r\n",
                         "{\"a\":1}" } });
    CHECK(call(&fixture, ARM_GRAPH, "/path?api-version=1", "{\"query\":\"x\"}"));
    CHECK_INT(fixture.response.status, 200);
    CHECK_TEXT(buf_cstr(&fixture.response.body), "{\"a\":1}");
    const char *head = buf_cstr(&fixture.script.heads);
    CHECK_CONTAINS(head, "POST /path?api-version=1\n");
    CHECK_CONTAINS(head, "Authorization: Bearer token-number-1\r\n");
    CHECK_CONTAINS(head, "Accept: application/json\r\n");
    CHECK_CONTAINS(head, "Content-Type: application/json\r\n");
    CHECK_CONTAINS(head, "User-Agent: defender_exporter/");
    CHECK_CONTAINS(head, "x-ms-client-request-id: ");
    CHECK_CONTAINS(head, "\n{\"query\":\"x\"}\n");
    CHECK_NUMBER(requests(&fixture, "graph", "200"), 1);
    CHECK_NUMBER(metric_read(fixture.metrics, &meter_quota, METRIC_LABELS("graph", "t")), 14);
    buf_reset(&fixture.script.heads);
    CHECK(call(&fixture, ARM_LIST, "/list", NULL));
    CHECK_CONTAINS(buf_cstr(&fixture.script.heads), "GET /list\n");
    CHECK(!strstr(buf_cstr(&fixture.script.heads), "Content-Type"));
    CHECK_INT(fixture.script.tokens, 1);
}

TEST(counters_exist_before_the_first_call)
{
    FIXTURE(fixture, { { 200 } });
    struct metric_set set = { 0 };
    metric_store_emit(fixture.metrics, &set);
    static const char *const labels[] = { "graph", "list", "token" };
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++) {
        int found = 0;
        for (size_t j = 0; j < set.count; j++)
            found += !strcmp(set.samples[j].values[0], labels[i]);
        CHECK_INT(found, 5);
    }
    metric_set_finish(&set);
}

TEST(only_200_is_a_whole_answer)
{
    FIXTURE(fixture, { { 206, "Content-Range: bytes 0-99/200\r\n", "{\"value\":[]}" },
                       { 202 },
                       { 204 },
                       { 299 } });
    static const int statuses[] = { 206, 202, 204, 299 };
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        char want[64];
        snprintf(want, sizeof want, "%d instead of 200: not the whole answer", statuses[i]);
        CHECK(!call(&fixture, ARM_LIST, "/list", NULL));
        CHECK_INT(fixture.error.code, ERROR_INCOMPLETE);
        CHECK_INT(fixture.error.http_status, statuses[i]);
        CHECK_TEXT(fixture.error.message, want);
    }
}

TEST(expired_token_is_replaced_once)
{
    FIXTURE(fixture, { { 401, "",
                         "{\"error\":{\"code\":\"ExpiredAuthenticationToken\","
                         "\"message\":\"The access token expiry is in the past.\"}}" },
                       { 200 },
                       { 401, "x-ms-request-id: abc-1 \rmore\r\n", /* of some proxy */
                         "{\"error\":{\"code\":\"InvalidAuthenticationToken\","
                         "\"message\":\"The access token is invalid.\"}}" } });
    CHECK(call(&fixture, ARM_LIST, "/list", NULL));
    CHECK_INT(fixture.script.tokens, 2);
    CHECK_CONTAINS(buf_cstr(&fixture.script.heads), "Bearer token-number-2");
    CHECK(!call(&fixture, ARM_LIST, "/list", NULL));
    CHECK_INT(fixture.error.code, ERROR_AUTH);
    CHECK_TEXT(fixture.error.message, "401 InvalidAuthenticationToken: The access token is invalid"
                                      " (request abc-1)");
    CHECK_INT(fixture.script.tokens, 3);
    CHECK_NUMBER(requests(&fixture, "list", "401"), 3);
}

TEST(transient_failures_are_tried_again)
{
    FIXTURE(fixture, { { 503, "", "<html><title>Busy</title></html>" }, { 200 } });
    int64_t began_ms = clock_monotonic_ms();
    CHECK(call(&fixture, ARM_LIST, "/list", NULL));
    CHECK(clock_monotonic_ms() - began_ms >= 800);
    CHECK_NUMBER(requests(&fixture, "list", "503"), 1);
    CHECK_NUMBER(requests(&fixture, "list", "200"), 1);
    CHECK(metric_read(fixture.metrics, &meter_backoff, METRIC_LABELS("list", "t")) >= 0.8);
}

TEST(retry_after_is_waited_for)
{
    FIXTURE(fixture, { { 429, "Retry-After: 1\r\n", "{}" },
                       { 200 },
                       { 503, "Retry-After: 1\r\n", "" },
                       { 200 } });
    for (int i = 0; i < 2; i++) {
        int64_t began_ms = clock_monotonic_ms();
        CHECK(call(&fixture, ARM_GRAPH, "/g", "{}"));
        int64_t took_ms = clock_monotonic_ms() - began_ms;
        CHECK(took_ms >= 1000 && took_ms < 60000); /* however busy the machine is */
    }
    CHECK_NUMBER(metric_read(fixture.metrics, &meter_throttled, METRIC_LABELS("graph", "t")), 1);
    CHECK(metric_read(fixture.metrics, &meter_backoff, METRIC_LABELS("graph", "t")) >= 2);
}

TEST(tries_are_limited_by_the_deadline)
{
    FIXTURE(fixture, { { 429, "Retry-After: 3600\r\n",
                         "{\"error\":{\"code\":\"TooManyRequests\","
                         "\"message\":\"Slow down.\"}}" } });
    int64_t began_ms = clock_monotonic_ms();
    CHECK(!call(&fixture, ARM_LIST, "/list", NULL));
    CHECK(clock_monotonic_ms() - began_ms < 60000); /* of 3600 s */
    CHECK_INT(fixture.error.code, ERROR_THROTTLED);
    CHECK_INT(fixture.error.http_status, 429);
    CHECK_TEXT(fixture.error.message, "no time left to wait 900 s and try again: "
                                      "429 TooManyRequests: Slow down");
    /* The next call finds the door still closed. */
    CHECK(!call(&fixture, ARM_LIST, "/list", NULL));
    CHECK_INT(fixture.error.code, ERROR_THROTTLED);
    CHECK_CONTAINS(fixture.error.message, "no time left to wait for the quota of resource manager");
    CHECK_NUMBER(requests(&fixture, "list", "429"), 1);
}

TEST(silent_server_ends_with_the_deadline)
{
    FIXTURE(fixture, { { 200 }, { 0 } });
    CHECK(call(&fixture, ARM_LIST, "/list", NULL)); /* there is a token and a connection */
    fixture.session.deadline_ms = clock_monotonic_ms() + 600;
    CHECK(!call(&fixture, ARM_LIST, "/list", NULL));
    CHECK_INT(fixture.error.code, ERROR_TIMEOUT);
    CHECK_CONTAINS(fixture.error.message, "no answer from 127.0.0.1:");
    CHECK_NUMBER(requests(&fixture, "list", "error"), 1);
}

TEST(final_failures_are_not_tried_again)
{
    FIXTURE(fixture, { { 403, "x-ms-correlation-request-id: c-1\r\n",
                         "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"No.\"}}" } });
    CHECK(!call(&fixture, ARM_LIST, "/list", NULL));
    CHECK_INT(fixture.error.code, ERROR_FORBIDDEN);
    CHECK_TEXT(fixture.error.message, "403 AuthorizationFailed: No (request c-1)");
    CHECK_NUMBER(requests(&fixture, "list", "403"), 1);
}

struct stopper {
    atomic_bool *flag;
    struct http_client *client;
    int64_t stopped_ms;
};

static void *stop_main(void *context)
{
    struct stopper *stopper = context;
    clock_sleep_ms(50);
    stopper->stopped_ms = clock_monotonic_ms();
    if (stopper->flag)
        atomic_store(stopper->flag, true);
    else
        http_client_cancel(stopper->client);
    return NULL;
}

TEST(stopping_ends_every_wait)
{
    FIXTURE(fixture, { { 429, "Retry-After: 10\r\n", "" } });
    atomic_bool cancelled = false;
    fixture.session.cancelled = &cancelled;
    for (int i = 0; i < 2; i++) {
        struct stopper stopper = { i ? NULL : &cancelled, fixture.session.client, 0 };
        pthread_t thread;
        CHECK(!pthread_create(&thread, NULL, stop_main, &stopper));
        CHECK(!call(&fixture, ARM_LIST, "/list", NULL));
        int64_t ended_ms = clock_monotonic_ms();
        pthread_join(thread, NULL);
        CHECK_INT(fixture.error.code, ERROR_CANCELLED);
        CHECK(ended_ms - stopper.stopped_ms < 8000); /* of 10 s */
        atomic_store(&cancelled, false);
        http_client_resume(fixture.session.client);
    }
    atomic_store(&cancelled, true);
    CHECK(!call(&fixture, ARM_GRAPH, "/g", "{}"));
    CHECK_INT(fixture.error.code, ERROR_CANCELLED);
}

TEST(token_never_leaves_the_configured_origin)
{
    FIXTURE(fixture, { { 200 } });
    char near[100];
    static const char *const far[] = {
        "https://evil.example/subscriptions",
        "http://127.0.0.1:1/x",
        "http://user@127.0.0.1/x",
        "//evil.example/x",
        "https://management.azure.com/x",
        "subscriptions",
        "",
    };
    for (size_t i = 0; i < ARRAY_COUNT(far); i++) {
        bool is_path = far[i][0] == '/'; /* appended to the origin, so it stays there */
        CHECK(call(&fixture, ARM_LIST, far[i], NULL) == is_path);
        if (!is_path)
            CHECK_INT(fixture.error.code, ERROR_INCOMPLETE);
    }
    CHECK_CONTAINS(buf_cstr(&fixture.script.heads), "GET //evil.example/x\n");
    CHECK_INT(fixture.script.tokens, 1);
    snprintf(near, sizeof near, "%s/page2", fixture.server->url);
    CHECK(call(&fixture, ARM_LIST, near, NULL));
    snprintf(near, sizeof near, "http://user@127.0.0.1:%d/page2", fixture.server->port);
    CHECK(!call(&fixture, ARM_LIST, near, NULL));
}

/* --- lists --------------------------------------------------------------------------------- */

static bool add_name(void *context, const struct json *row, struct error *error)
{
    const char *name = json_text(json_get(row, "name"));
    if (!name)
        return error_set(error, ERROR_PARSE, "no name");
    buf_printf(context, "%s ", name);
    return true;
}

static bool list(struct fixture *fixture, const char *path, struct buf *names,
                 struct arm_progress *progress)
{
    fixture->error = (struct error){ 0 };
    const struct arm_list list = { .api = ARM_LIST, .path = path };
    return arm_list(&fixture->session, &list, add_name, names, progress, &fixture->error);
}

TEST(each_api_is_asked_at_its_host)
{
    FIXTURE(fixture, { { 200, "", "{\"results\":[{\"name\":\"a\"}],\"schema\":[]}" },
                       { 200, "", "{\"value\":[],\"@odata.nextLink\":\"https://b.x/api/y\"}" },
                       { 200, "", "{\"value\":[{\"name\":\"b\"}]}" } });
    CLEANUP(buf_finish) struct buf names = { 0 };
    struct arm_progress progress;
    const struct arm_config config = {
        .resource_manager = "https://nowhere.example",
        .microsoft_graph = { fixture.server->url, fixture.auth },
        .endpoint_api = { fixture.server->url, fixture.auth },
    };
    struct arm *arm = arm_create(&config, fixture.auth, fixture.metrics);
    fixture.session.arm = arm;
    const struct arm_list hunt = { ARM_HUNTING, "/v1.0/h", true, "{\"Query\":\"q\"}" };
    const struct arm_list baselines = { .api = ARM_DEFENDER, .path = "/api/x" };
    CHECK(arm_list(&fixture.session, &hunt, add_name, &names, &progress, &fixture.error));
    CHECK(arm_list(&fixture.session, &baselines, add_name, &names, &progress, &fixture.error));
    CHECK_TEXT(buf_cstr(&names), "a b ");
    CHECK_CONTAINS(buf_cstr(&fixture.script.heads), "POST /v1.0/h\n");
    CHECK_CONTAINS(buf_cstr(&fixture.script.heads), "{\"Query\":\"q\"}\nGET /api/x\n");
    CHECK_CONTAINS(buf_cstr(&fixture.script.heads), "GET /api/y\n");
    CHECK_NUMBER(requests(&fixture, "defender", "200"), 2);
    fixture.session.arm = fixture.arm; /* which knows neither */
    CHECK(!arm_list(&fixture.session, &baselines, add_name, &names, &progress, &fixture.error));
    CHECK_CONTAINS(fixture.error.message, "is not known: set azure.endpoint_api");
    arm_destroy(arm);
}

TEST(list_follows_next_links)
{
    FIXTURE(fixture, { { 200, "",
                         "{\"value\":[{\"name\":\"a\"},{\"name\":\"b\"}],"
                         "\"nextLink\":\"/p2?$skiptoken=x\"}" },
                       { 200, "", "{\"nextLink\":\"/p3\",\"value\":[]}" },
                       { 200, "", "{\"value\":[{\"name\":\"c\"}],\"nextLink\":null}" } });
    CLEANUP(buf_finish) struct buf names = { 0 };
    struct arm_progress progress;
    CHECK(list(&fixture, "/p1?api-version=1", &names, &progress));
    CHECK_TEXT(buf_cstr(&names), "a b c ");
    CHECK_INT(progress.rows, 3);
    CHECK_INT(progress.pages, 3);
    CHECK_CONTAINS(buf_cstr(&fixture.script.heads), "GET /p2?$skiptoken=x\n");
}

/* source: what the nextLinks of Azure were seen to hold. */
TEST(links_are_encoded_then_followed)
{
    static const struct {
        const char *link, *asked;
    } cases[] = {
        { "/p?$skiptoken=[{\\\"token\\\":\\\"+RID:~wk==#RT:1#TRC:9\\\"}]",
          "/p?$skiptoken=[%7B%22token%22:%22+RID:~wk==%23RT:1%23TRC:9%22%7D]\n" },
        { "/p?$filter=a eq 'b c'&x=1", "/p?$filter=a%20eq%20'b%20c'&x=1\n" },
        { "/p?x=%23%2f%zz%", "/p?x=%23%2f%25zz%25\n" },
        { " /p?x=1\\n", "/p?x=1\n" },
        { "/p?x=\\u00e9\\u0001", "/p?x=%C3%A9%01\n" },
        { "/p?x=a\\\\b|c", "/p?x=a%5Cb%7Cc\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf names = { 0 };
        CLEANUP(finish) struct fixture fixture;
        struct arm_progress progress;
        char first[200];
        snprintf(first, sizeof first, "{\"value\":[{\"name\":\"a\"}],\"nextLink\":\"%s\"}",
                 cases[i].link);
        const struct step steps[] = { { 200, "", first },
                                      { 200, "", "{\"value\":[{\"name\":\"b\"}]}" } };
        start(&fixture, steps, 2);
        CHECK(list(&fixture, "/p1", &names, &progress));
        CHECK_TEXT(buf_cstr(&names), "a b ");
        CHECK_CONTAINS(buf_cstr(&fixture.script.heads), cases[i].asked);
    }
}

TEST(broken_lists_are_refused)
{
    static const struct {
        const char *body;
        enum error_code code;
        const char *message;
    } cases[] = {
        { "{\"name\":\"a\"}", ERROR_PARSE, "the answer has no \"value\"" },
        { "[{\"name\":\"a\"}]", ERROR_PARSE, "not a JSON object" },
        { "", ERROR_PARSE, "not a JSON object" },
        { "{\"value\":[{\"name\":\"a\"}", ERROR_PARSE, "near byte" },
        { "{\"value\":[{\"name\":1}]}", ERROR_PARSE, "no name" },
        { "{\"value\":[],\"nextLink\":7}", ERROR_PARSE, "nextLink is no text" },
        { "{\"value\":[],\"nextLink\":\"/p1?v=1\"}", ERROR_INCOMPLETE,
          "links back to an earlier page" },
        { "{\"value\":[],\"nextLink\":\"https://evil.example/p2\"}", ERROR_INCOMPLETE,
          "for https://evil.example:443" },
        { "{\"value\":[],\"nextLink\":\"https://evil.example#@127.0.0.1/p2\"}", ERROR_INCOMPLETE,
          "leaves http://127.0.0.1" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf names = { 0 };
        CLEANUP(finish) struct fixture fixture;
        struct arm_progress progress;
        const struct step step = { 200, "", cases[i].body };
        start(&fixture, &step, 1);
        CHECK(!list(&fixture, "/p1?v=1", &names, &progress));
        CHECK_INT(fixture.error.code, cases[i].code);
        CHECK_CONTAINS(fixture.error.message, "list /p1");
        CHECK_CONTAINS(fixture.error.message, cases[i].message);
    }
}

/* --- errors -------------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *body;
    enum error_code code;
    const char *message;
} error_cases[] = {
    { 400,
      "{\"error\":{\"code\":\"BadRequest\",\"message\":\"Please provide below info when "
      "asking for support: timestamp = 1.\",\"details\":[{\"code\":\"InvalidQuery\","
      "\"message\":\"Query is invalid.\"},{\"code\":\"ParserFailure\",\"message\":"
      "\"ParserFailure\",\"line\":1,\"characterPositionInLine\":34,\"token\":\"<EOF>\"}]}}",
      ERROR_REQUEST,
      "400 BadRequest: InvalidQuery: Query is invalid. ParserFailure at line 1, character 34 "
      "near \"<EOF>\"" },
    { 429,
      "{\"error\":{\"code\":\"RateLimiting\",\"message\":\"Please provide below info x\","
      "\"details\":[{\"code\":\"RateLimiting\",\"message\":\"Client throttled.\"}]}}",
      ERROR_THROTTLED, "429 RateLimiting: Client throttled" },
    { 403,
      "{\"error\":{\"code\":\"A\",\"message\":\"m\",\"innererror\":{\"code\":\"B\","
      "\"message\":\"deep\"}}}",
      ERROR_FORBIDDEN, "403 A: m: B: deep" },
    { 400, "{\"code\":\"BadRequest\",\"message\":\"Too old.\"}", ERROR_REQUEST,
      "400 BadRequest: Too old" },
    { 400, "{\"Code\":\"BadRequest\",\"Message\":\"Too old.\"}", ERROR_REQUEST,
      "400 BadRequest: Too old" },
    { 404,
      "{\"HttpStatusCode\":404,\"ErrorCode\":\"Not Found\",\"Message\":\"rule 'x' was not "
      "found\",\"Data\":{},\"StackTrace\":null}",
      ERROR_NOT_FOUND, "404 Not Found: rule 'x' was not found" },
    { 401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS1: no.\\r\\nTrace\"}",
      ERROR_AUTH, "401 invalid_client: AADSTS1: no. Trace" },
    { 409, "{\"error\":{\"code\":\"MissingSubscriptionRegistration\",\"message\":\"x\"}}",
      ERROR_NOT_FOUND, "409 MissingSubscriptionRegistration: x" },
    { 409, "{\"error\":{\"code\":\"Subscription Not Registered\",\"message\":\"x\"}}",
      ERROR_NOT_FOUND, "409 Subscription Not Registered: x" },
    { 409, "{\"error\":{\"code\":\"Conflict\",\"message\":\"x\"}}", ERROR_REQUEST,
      "409 Conflict: x" },
    { 404, "{\"error\":{\"code\":\"SubscriptionNotFound\",\"message\":\"x\"}}", ERROR_NOT_FOUND,
      "404 SubscriptionNotFound: x" },
    { 502, "\r\n<!DOCTYPE html><html><head><TITLE>502 Bad\n Gateway</TITLE></head></html>",
      ERROR_SERVER, "502 HTML page instead of JSON: 502 Bad Gateway" },
    { 503, "<html>busy</html>", ERROR_SERVER, "503 HTML page instead of JSON" },
    { 500, "", ERROR_SERVER, "500 no reason given (empty answer)" },
    { 429, "{}", ERROR_THROTTLED, "429 JSON without an error message" },
    { 500, "[1]", ERROR_SERVER, "500 text instead of JSON: [1]" },
    { 504, "upstream  request\ttimeout\n", ERROR_SERVER,
      "504 text instead of JSON: upstream request timeout" },
    { 400, "\xef\xbb\xbf{\"Message\":\"no code\"}", ERROR_REQUEST, "400 no code" },
    { 408, "{}", ERROR_TIMEOUT, "408 JSON without an error message" },
    { 302, "", ERROR_REQUEST, "302 no reason given (empty answer)" },
    { 400, "{\"error\":{\"code\":7,\"message\":{\"lang\":\"en\",\"value\":\"odata\"}}}",
      ERROR_REQUEST, "400 odata" },
    { 400, "{\"error\":{\"code\":\"X\",\"details\":{\"a\":1}}}", ERROR_REQUEST, "400 X" },
    { 400, "{\"error\":null}", ERROR_REQUEST, "400 JSON without an error message" },
};

TEST(error_bodies_become_one_clear_line)
{
    for (size_t i = 0; i < ARRAY_COUNT(error_cases); i++) {
        struct error error = { 0 };
        CHECK(!arm_error(error_cases[i].status, error_cases[i].body, strlen(error_cases[i].body),
                         &error));
        CHECK_INT(error.code, error_cases[i].code);
        CHECK_INT(error.http_status, error_cases[i].status);
        CHECK_TEXT(error.message, error_cases[i].message);
    }
}

TEST(long_error_texts_are_cut_between_characters)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    struct error error = { 0 };
    buf_text(&body, "{\"message\":\"");
    for (int i = 0; i < 1000; i++)
        buf_text(&body, "\xe2\x82\xac");
    buf_text(&body, "\"}");
    CHECK(!arm_error(400, body.data, body.length, &error));
    size_t length = strlen(error.message);
    CHECK(length < 500 && !strcmp(error.message + length - 3, "..."));
    CHECK_INT((length - 3 - 4) % 3, 0);
}

TEST(refused_versions_are_recognised)
{
    static const struct {
        int status;
        const char *code;
        bool refused;
    } cases[] = {
        { 400, "InvalidApiVersionParameter", true },  { 400, "NoRegisteredProviderFound", true },
        { 404, "InvalidResourceType", true },         { 400, "InvalidQuery", false },
        { 503, "InvalidApiVersionParameter", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        char body[100];
        snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"message\":\"x\"}}",
                 cases[i].code);
        CHECK(!arm_error(cases[i].status, body, strlen(body), &error));
        CHECK(arm_version_refused(&error) == cases[i].refused);
    }
}

/* Every recorded error body gives Azure's own message. */
static int check_recordings(const char *folder)
{
    DIR *files = opendir(folder);
    int count = 0;
    for (struct dirent *entry; files && (entry = readdir(files));) {
        CLEANUP(buf_finish) struct buf body = { 0 };
        CLEANUP(buf_finish) struct buf path = { 0 };
        char bytes[4096];
        int number, status;
        if (sscanf(entry->d_name, "%d-%*[a-z]-%d.json", &number, &status) != 2 || status < 400)
            continue;
        buf_printf(&path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(buf_cstr(&path), "r");
        for (size_t got; file && (got = fread(bytes, 1, sizeof bytes, file));)
            buf_append(&body, bytes, got);
        if (file)
            fclose(file);
        struct error error = { 0 };
        CHECK(!arm_error(status, buf_cstr(&body), body.length, &error));
        bool is_vague = strstr(error.message, "without") || strstr(error.message, "instead") ||
                        strstr(error.message, "no reason") || strlen(error.message) < 20;
        if (is_vague || strchr(error.message, '\n'))
            CHECK_TEXT(error.message, buf_cstr(&path));
        count++;
    }
    if (files)
        closedir(files);
    return count;
}

TEST(recorded_errors_give_their_message)
{
    const char *shared = getenv("DEFENDER_SHARED");
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/azure/recordings", shared ? shared : "../../shared");
    DIR *families = opendir(folder);
    if (!families) {
        printf("skip   no recordings: DEFENDER_SHARED\n");
        return;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(families));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (*entry->d_name != '.')
            count += check_recordings(path);
    }
    closedir(families);
    CHECK(count > 0);
}
