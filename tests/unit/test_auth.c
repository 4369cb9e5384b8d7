#include "collectors/azure/auth.h"

#include "collectors/azure/cloud.h"
#include "collectors/azure/meter.h"
#include "core/clock.h"
#include "core/log.h"
#include "loopback.h"
#include "test.h"

#define TENANT "11111111-2222-3333-4444-555555555555"
#define CLIENT_ID "66666666-7777-8888-9999-000000000000"
#define SECRET "correct~horse+battery"

/* The ages of tokens go by this clock. */
static _Atomic int64_t fake_now_ms = 1000000;

static int64_t fake_now(void)
{
    return fake_now_ms;
}

static void pass(int64_t seconds)
{
    fake_now_ms += seconds * 1000;
}

/* The token endpoint: what it says next, and what it was asked last. */
struct endpoint {
    struct loopback *server;
    int status;
    const char *headers, *body; /* body NULL: a token that is numbered */
    int64_t life_s;
    int delay_ms;
    struct buf asked;
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct endpoint *endpoint = context;
    char body[200];
    buf_reset(&endpoint->asked);
    buf_printf(&endpoint->asked, "%s %s\n%s\n%s", request->method, request->path, request->head,
               request->body);
    snprintf(body, sizeof body,
             "{\"token_type\":\"Bearer\",\"expires_in\":%lld,"
             "\"access_token\":\"token-number-%d\"}",
             (long long)endpoint->life_s, request->number);
    clock_sleep_ms(endpoint->delay_ms);
    loopback_reply(out, endpoint->status, endpoint->headers ? endpoint->headers : "",
                   endpoint->body ? endpoint->body : body);
}

/* Everything a test needs: an endpoint, a client, somewhere to count. */
struct fixture {
    struct endpoint endpoint;
    struct http_client *client;
    struct metric_store *metrics;
    struct auth *auth;
    struct buf header;
    struct error error;
};

static void clear_environment(void)
{
    static const char *const names[] = {
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_AUTHORITY_HOST",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        unsetenv(names[i]);
}

static void start(struct fixture *fixture)
{
    clear_environment();
    *fixture = (struct fixture){ .endpoint = { .status = 200, .life_s = 3599 } };
    fixture->endpoint.server = loopback_start(answer, &fixture->endpoint);
    fixture->client = http_client_create();
    fixture->metrics = metric_store_create();
}

static void finish(struct fixture *fixture)
{
    auth_destroy(fixture->auth);
    http_client_destroy(fixture->client);
    metric_store_destroy(fixture->metrics);
    loopback_stop(fixture->endpoint.server);
    buf_finish(&fixture->endpoint.asked);
    buf_finish(&fixture->header);
}

/* An auth with a client secret that asks the fixture's endpoint. */
static void use_secret(struct fixture *fixture)
{
    const struct auth_config config = {
        .tenant_id = TENANT,
        .client_id = CLIENT_ID,
        .client_secret = TEST_SECRET(SECRET),
        .authority_host = fixture->endpoint.server->url,
        .now_ms = fake_now,
    };
    fixture->auth = auth_create(&config, fixture->metrics, &fixture->error);
    CHECK(fixture->auth != NULL);
}

static bool header(struct fixture *fixture)
{
    fixture->error = (struct error){ 0 };
    return auth_header(fixture->auth, fixture->client, clock_monotonic_ms() + 5000,
                       &fixture->header, &fixture->error);
}

static double requests(const struct fixture *fixture, const char *code)
{
    return metric_read(fixture->metrics, &meter_requests, METRIC_LABELS("token", code, TENANT));
}

TEST(secret_is_sent_as_a_form)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    use_secret(&fixture);
    CHECK_TEXT(auth_method_text(fixture.auth), "client secret");
    CHECK_TEXT(auth_tenant_id(fixture.auth), TENANT);
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer token-number-1");
    const char *asked = buf_cstr(&fixture.endpoint.asked);
    CHECK_CONTAINS(asked, "POST /" TENANT "/oauth2/v2.0/token\n");
    CHECK_CONTAINS(asked, "Content-Type: application/x-www-form-urlencoded\r\n");
    CHECK_CONTAINS(asked, "grant_type=client_credentials&client_id=" CLIENT_ID
                          "&scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
                          "&client_secret=correct~horse%2Bbattery");
    CHECK_NUMBER(requests(&fixture, "200"), 1);
    double expiry = metric_read(fixture.metrics, &meter_token_expiry, METRIC_LABELS(TENANT));
    CHECK(expiry >= (double)clock_now_s() + 3595 && expiry <= (double)clock_now_s() + 3600);
}

TEST(each_api_has_tokens_of_its_own)
{
    static const struct {
        enum auth_resource resource;
        const char *scope;
    } cases[] = {
        { AUTH_MICROSOFT_GRAPH, "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default" },
        { AUTH_DEFENDER_API, "&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(finish) struct fixture fixture;
        start(&fixture);
        const struct auth_config config = {
            .tenant_id = TENANT, .client_id = CLIENT_ID, .client_secret = TEST_SECRET(SECRET),
            .authority_host = fixture.endpoint.server->url,
            .microsoft_graph = "https://elsewhere", .endpoint_api = "https://elsewhere",
            .resource = cases[i].resource };
        fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
        CHECK(header(&fixture));
        CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked), cases[i].scope);
        CHECK_TEXT(auth_config_host(&config, cases[i].resource), "https://elsewhere");
        /* the metric is of Resource Manager's token */
        CHECK_NUMBER(metric_read(fixture.metrics, &meter_token_expiry, METRIC_LABELS(TENANT)), 0);
    }
}

TEST(the_cloud_says_for_whom_a_token_is)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    struct auth_config config = { .tenant_id = TENANT,
                                  .client_id = CLIENT_ID,
                                  .client_secret = TEST_SECRET(SECRET),
                                  .authority_host = fixture.endpoint.server->url };
    while (strcmp(cloud_words[config.cloud], "AzureUSGovernment") != 0)
        config.cloud++;
    fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
    CHECK(header(&fixture));
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked),
                   "&scope=https%3A%2F%2Fmanagement.usgovcloudapi.net%2F.default");
    CHECK_TEXT(auth_config_host(&config, AUTH_RESOURCE_MANAGER),
               "https://management.usgovcloudapi.net");
    CHECK_TEXT(auth_config_host(&config, AUTH_MICROSOFT_GRAPH), "https://graph.microsoft.us");
    CHECK_TEXT(auth_config_host(&config, AUTH_DEFENDER_API), "");
    config.resource_manager = "https://elsewhere";
    CHECK_TEXT(auth_config_host(&config, AUTH_RESOURCE_MANAGER), "https://elsewhere");
}

TEST(token_is_kept_and_renewed_early)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    use_secret(&fixture);
    CHECK(header(&fixture));
    CHECK(header(&fixture));
    pass(3599 * 8 / 10 - 1);
    CHECK(header(&fixture));
    CHECK_INT(loopback_requests(fixture.endpoint.server), 1);
    pass(3);
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer token-number-2");
    CHECK_INT(loopback_requests(fixture.endpoint.server), 2);
}

TEST(renewal_is_due_at_four_fifths_or_five_minutes_early)
{
    CHECK_INT(auth_refresh_after_s(86400), 69120);
    CHECK_INT(auth_refresh_after_s(3600), 2880);
    CHECK_INT(auth_refresh_after_s(1200), 900);
    CHECK_INT(auth_refresh_after_s(601), 301);
    CHECK_INT(auth_refresh_after_s(600), 480);
    CHECK_INT(auth_refresh_after_s(60), 48);
    CHECK_INT(auth_refresh_after_s(1), 1);
}

TEST(old_token_serves_while_renewal_fails)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    use_secret(&fixture);
    CHECK(header(&fixture));
    fixture.endpoint.status = 503;
    fixture.endpoint.body = "<html>busy</html>";
    pass(3000);
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer token-number-1");
    CHECK_INT(loopback_requests(fixture.endpoint.server), 2);
    pass(29);
    CHECK(header(&fixture));
    CHECK_INT(loopback_requests(fixture.endpoint.server), 2);
    pass(2);
    CHECK(header(&fixture));
    CHECK_INT(loopback_requests(fixture.endpoint.server), 3);
    pass(600);
    CHECK(!header(&fixture));
    CHECK_INT(fixture.error.code, ERROR_SERVER);
    CHECK_TEXT(fixture.error.message, "token endpoint answered 503");
    CHECK_TEXT(buf_cstr(&fixture.header), "");
    fixture.endpoint.status = 200;
    fixture.endpoint.body = NULL;
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer token-number-5");
}

TEST(refused_token_is_replaced_once)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    use_secret(&fixture);
    CHECK(header(&fixture));
    auth_invalidate(fixture.auth, "Bearer another", NULL);
    auth_invalidate(fixture.auth, "", NULL);
    CHECK(header(&fixture));
    CHECK_INT(loopback_requests(fixture.endpoint.server), 1);
    auth_invalidate(fixture.auth, "Bearer token-number-1", NULL);
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer token-number-2");
    auth_invalidate(fixture.auth, "Bearer token-number-1", NULL); /* a slower thread, too */
    CHECK(header(&fixture));
    CHECK_INT(loopback_requests(fixture.endpoint.server), 2);
}

struct asker {
    struct fixture *fixture;
    pthread_t thread;
    bool ok;
    struct error error;
};

static void *ask_main(void *context)
{
    struct asker *asker = context;
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct http_client *client = http_client_create();
    asker->ok =
        auth_header(asker->fixture->auth, client, clock_monotonic_ms() + 5000, &out, &asker->error);
    http_client_destroy(client);
    return NULL;
}

/* Eight threads ask at once; returns how many got a token. */
static int ask_together(struct fixture *fixture, struct asker askers[8])
{
    int ok = 0;
    for (int i = 0; i < 8; i++) {
        askers[i] = (struct asker){ .fixture = fixture };
        CHECK(!pthread_create(&askers[i].thread, NULL, ask_main, &askers[i]));
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(askers[i].thread, NULL);
        ok += askers[i].ok;
    }
    return ok;
}

TEST(threads_share_one_fetch)
{
    CLEANUP(finish) struct fixture fixture;
    struct asker askers[8];
    start(&fixture);
    use_secret(&fixture);
    fixture.endpoint.delay_ms = 300;
    CHECK_INT(ask_together(&fixture, askers), 8);
    CHECK_INT(loopback_requests(fixture.endpoint.server), 1);
    pass(3600);
    fixture.endpoint.status = 401;
    fixture.endpoint.body = "{\"error\":\"invalid_client\",\"error_description\":"
                            "\"AADSTS7000222: The provided client secret keys are expired.\"}";
    CHECK_INT(ask_together(&fixture, askers), 0);
    CHECK_INT(loopback_requests(fixture.endpoint.server), 2);
    for (int i = 0; i < 8; i++)
        CHECK_TEXT(askers[i].error.message, "client secret expired: AADSTS7000222: The provided "
                                            "client secret keys are expired");
}

/* A file with this text in the test folder. */
static void write_secret(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

TEST(client_secret_is_read_again_at_each_sign_in)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    char path[300];
    snprintf(path, sizeof path, "%s/secret", test_folder());
    write_secret(path, "the-first-secret\n");
    struct auth_config config = {
        .tenant_id = TENANT,
        .client_id = CLIENT_ID,
        .authority_host = fixture.endpoint.server->url,
        .now_ms = fake_now,
    };
    CHECK(secret_read(&config.client_secret, path, &fixture.error));
    fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
    fixture.endpoint.status = 401;
    fixture.endpoint.body = "{\"error\":\"invalid_client\",\"error_description\":"
                            "\"AADSTS7000222: The provided client secret keys are expired.\"}";
    CHECK(!header(&fixture));
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked), "&client_secret=the-first-secret");
    write_secret(path, "\xef\xbb\xbfthe-second-secret \r\n");
    fixture.endpoint.status = 200;
    fixture.endpoint.body = NULL;
    CHECK(header(&fixture));
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked), "&client_secret=the-second-secret");
    unlink(path); /* being replaced: what was known still counts */
    pass(4000);
    CHECK(header(&fixture));
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked), "&client_secret=the-second-secret");
    secret_finish(&config.client_secret);
}

TEST(workload_identity_reads_its_file_each_time)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    char path[300];
    snprintf(path, sizeof path, "%s/token", test_folder());
    setenv("AZURE_TENANT_ID", TENANT, 1);
    setenv("AZURE_CLIENT_ID", CLIENT_ID, 1);
    setenv("AZURE_FEDERATED_TOKEN_FILE", path, 1);
    setenv("AZURE_AUTHORITY_HOST", fixture.endpoint.server->url, 1);
    const struct auth_config config = { .now_ms = fake_now };
    fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
    CHECK_TEXT(auth_method_text(fixture.auth), "workload identity");
    CHECK(!header(&fixture));
    CHECK_CONTAINS(fixture.error.message, path);
    for (int i = 1; i <= 2; i++) {
        char assertion[64], want[64];
        snprintf(assertion, sizeof assertion, "eyJ.federated.%d\n", i);
        snprintf(want, sizeof want, "&client_assertion=eyJ.federated.%d", i);
        FILE *file = fopen(path, "w");
        fputs(assertion, file);
        fclose(file);
        CHECK(header(&fixture));
        CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked),
                       "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type"
                       "%3Ajwt-bearer");
        CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked), want);
        pass(4000);
    }
}

TEST(managed_identity_asks_the_platform)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be used */
    fixture.endpoint.body = "{\"access_token\":\"from-imds\",\"expires_in\":\"3599\","
                            "\"expires_on\":\"1506484173\",\"token_type\":\"Bearer\"}";
    struct auth_config config = { .imds_endpoint = fixture.endpoint.server->url,
                                  .now_ms = fake_now };
    fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
    CHECK_TEXT(auth_method_text(fixture.auth), "managed identity");
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer from-imds");
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked),
                   "GET /metadata/identity/oauth2/token?api-version=2018-02-01"
                   "&resource=https%3A%2F%2Fmanagement.azure.com%2F\n");
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked), "Metadata: true\r\n");
    auth_destroy(fixture.auth);

    /* App Service: expires_on only, a user-assigned identity. */
    char endpoint[80], body[200];
    snprintf(endpoint, sizeof endpoint, "%s/msi/token", fixture.endpoint.server->url);
    snprintf(body, sizeof body, "{\"access_token\":\"from-app\",\"expires_on\":\"%lld\"}",
             (long long)clock_now_s() + 7200);
    fixture.endpoint.body = body;
    setenv("IDENTITY_ENDPOINT", endpoint, 1);
    setenv("IDENTITY_HEADER", "platform-key", 1);
    setenv("AZURE_CLIENT_ID", CLIENT_ID, 1);
    config.imds_endpoint = NULL;
    fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer from-app");
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked),
                   "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure"
                   ".com%2F&client_id=" CLIENT_ID "\n");
    CHECK_CONTAINS(buf_cstr(&fixture.endpoint.asked), "X-IDENTITY-HEADER: platform-key\r\n");
    unsetenv("http_proxy");
}

TEST(the_end_of_a_token_is_told_on_the_senders_clock)
{
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    fixture.endpoint.headers = "Date: Sun, 13 Sep 2020 12:26:40 GMT\r\n"; /* ours is years ahead */
    fixture.endpoint.body = "{\"access_token\":\"t\",\"expires_on\":\"1600003600\"}";
    struct auth_config config = { .imds_endpoint = fixture.endpoint.server->url,
                                  .now_ms = fake_now };
    fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
    CHECK(header(&fixture));
    CHECK_TEXT(buf_cstr(&fixture.header), "Bearer t");
}

TEST(method_follows_configuration_then_environment)
{
    static const struct {
        const char *secret, *file, *env_secret, *env_file, *method;
    } cases[] = {
        { "s3cret-1", "/f", "s3cret-2", "/g", "client secret" },
        { NULL, "/f", "s3cret-2", "/g", "workload identity" },
        { NULL, NULL, "s3cret-2", "/g", "client secret" },
        { "", "", "", "/g", "workload identity" },
        { NULL, NULL, NULL, NULL, "managed identity" },
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        clear_environment();
        if (cases[i].env_secret)
            setenv("AZURE_CLIENT_SECRET", cases[i].env_secret, 1);
        if (cases[i].env_file)
            setenv("AZURE_FEDERATED_TOKEN_FILE", cases[i].env_file, 1);
        const struct auth_config config = { .tenant_id = TENANT,
                                            .client_id = CLIENT_ID,
                                            .client_secret = TEST_SECRET(cases[i].secret),
                                            .federated_token_file = cases[i].file };
        struct auth *auth = auth_create(&config, fixture.metrics, &fixture.error);
        CHECK(auth != NULL);
        if (auth)
            CHECK_TEXT(auth_method_text(auth), cases[i].method);
        auth_destroy(auth);
    }
}

TEST(missing_or_unsafe_settings_are_named)
{
    static const struct {
        struct auth_config config;
        const char *message;
    } cases[] = {
        { { .client_secret = TEST_SECRET("x") },
          "no tenant: set azure.tenant_id or AZURE_TENANT_ID" },
        { { .tenant_id = "a/b", .client_secret = TEST_SECRET("x") },
          "the tenant id is neither an id nor a domain name" },
        { { .tenant_id = "t", .client_secret = TEST_SECRET("x") },
          "no application: set azure.client_id or AZURE_CLIENT_ID" },
        { { .tenant_id = "t", .client_id = "c", .method = AUTH_CLIENT_SECRET },
          "no client secret: set azure.client_secret_file or AZURE_CLIENT_SECRET" },
        { { .tenant_id = "t", .client_id = "c", .method = AUTH_WORKLOAD_IDENTITY },
          "no token file: set azure.federated_token_file or AZURE_FEDERATED_TOKEN_FILE" },
        { { .tenant_id = "t",
            .client_id = "c",
            .client_secret = TEST_SECRET("x"),
            .authority_host = "http://login.example.org" },
          "the authority host must be an https URL (http only for loopback)" },
        { { .imds_endpoint = "http://10.0.0.1" },
          "the managed identity endpoint must be https, loopback or link-local" },
        { { .imds_endpoint = "http://169.254.evil.example" },
          "the managed identity endpoint must be https, loopback or link-local" },
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct auth *auth = auth_create(&cases[i].config, fixture.metrics, &fixture.error);
        CHECK(auth == NULL);
        auth_destroy(auth);
        CHECK_INT(fixture.error.code, ERROR_CONFIG);
        CHECK_TEXT(fixture.error.message, cases[i].message);
    }
}

TEST(refusals_are_told_apart)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
        const char *message;
    } cases[] = {
        { 401,
          "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
          "secret provided. Ensure the secret being sent in the request is the client secret "
          "value. Trace ID: 0d0a Correlation ID: 9f Timestamp: 2026-11-21 17:00:00Z\","
          "\"error_codes\":[7000215]}",
          ERROR_AUTH,
          "client secret refused: AADSTS7000215: Invalid client secret provided. Ensure the "
          "secret being sent in the request is the client secret value" },
        { 400,
          "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: Tenant 'x' not "
          "found.\\r\\nTrace ID: 1\"}",
          ERROR_AUTH, "tenant not found: AADSTS90002: Tenant 'x' not found" },
        { 400, "{\"error\":\"x\",\"error_description\":\"AADSTS99999: New.\"}", ERROR_AUTH,
          "token refused: AADSTS99999: New" },
        { 400, "{\"error\":\"unauthorized_client\"}", ERROR_AUTH,
          "token endpoint answered 400 unauthorized_client" },
        { 404, "<html><title>Not here</title></html>", ERROR_AUTH, "token endpoint answered 404" },
        { 429, "", ERROR_THROTTLED, "token endpoint answered 429" },
        { 500,
          "{\"error\":\"server_error\",\"error_description\":\"AADSTS90033: A transient "
          "error.\"}",
          ERROR_SERVER,
          "token endpoint answered 500 server_error: AADSTS90033: A transient "
          "error" },
        { 200, "<html>sign in</html>", ERROR_PARSE, "token answer: not JSON" },
        { 200, "{}", ERROR_PARSE, "token answer without a usable access_token" },
        { 200, "{\"access_token\":\"a\\r\\nEvil: 1\",\"expires_in\":60}", ERROR_PARSE,
          "token answer without a usable access_token" },
    };
    CLEANUP(finish) struct fixture fixture;
    start(&fixture);
    use_secret(&fixture);
    fixture.endpoint.headers = "Retry-After: 7\r\n";
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        fixture.endpoint.status = cases[i].status;
        fixture.endpoint.body = cases[i].body;
        CHECK(!header(&fixture));
        CHECK_INT(fixture.error.code, cases[i].code);
        CHECK_CONTAINS(fixture.error.message, cases[i].message);
        if (cases[i].status != 200) {
            CHECK_INT(strlen(fixture.error.message), strlen(cases[i].message));
            CHECK_INT(fixture.error.http_status, cases[i].status);
            CHECK_INT(fixture.error.retry_after_s, 7);
        }
        CHECK(!strstr(fixture.error.message, SECRET));
    }
}

TEST(unreachable_endpoint_is_named)
{
    CLEANUP(finish) struct fixture fixture;
    char url[40], message[100];
    start(&fixture);
    int port = loopback_closed_port();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    const struct auth_config config = { .tenant_id = TENANT,
                                        .client_id = CLIENT_ID,
                                        .client_secret = TEST_SECRET(SECRET),
                                        .authority_host = url };
    fixture.auth = auth_create(&config, fixture.metrics, &fixture.error);
    CHECK(!header(&fixture));
    snprintf(message, sizeof message, "token endpoint: connection refused by 127.0.0.1:%d", port);
    CHECK_TEXT(fixture.error.message, message);
    CHECK_INT(fixture.error.code, ERROR_NETWORK);
    CHECK_NUMBER(requests(&fixture, "error"), 1);
}

TEST(secrets_and_tokens_are_redacted)
{
    CLEANUP(finish) struct fixture fixture;
    char out[100];
    start(&fixture);
    use_secret(&fixture);
    CHECK(header(&fixture));
    CHECK_TEXT(log_redacted("a " SECRET " b token-number-1 c", out, sizeof out),
               "a <secret> b <secret> c");
}
