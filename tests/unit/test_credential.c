/* The ways to sign in, one by one and one after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/azure/auth.h"
#include "collectors/azure/az.h"
#include "collectors/azure/claims.h"
#include "collectors/azure/cloud.h"
#include "collectors/azure/platform.h"
#include "core/clock.h"
#include "core/command.h"
#include "core/hash.h"
#include "loopback.h"
#include "test.h"

#define TENANT "11111111-2222-3333-4444-555555555555"
#define CLIENT_ID "66666666-7777-8888-9999-000000000000"

/* An endpoint that says the same each time, and what it was asked last. */
struct bench {
    struct loopback *server;
    int status;
    const char *headers, *body;
    struct buf asked;
    struct http_client *client;
    struct metric_store *metrics;
    struct auth *auth;
    struct buf header;
    struct error error;
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct bench *bench = context;
    buf_reset(&bench->asked);
    buf_printf(&bench->asked, "%s\n%s\n%s", request->path, request->head, request->body);
    if (bench->status) /* 0 = it never answers */
        loopback_reply(out, bench->status, bench->headers, bench->body);
}

static void start(struct bench *bench)
{
    static const char *const names[] = {
        "AZURE_TENANT_ID",   "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE",
        "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT",       "AZURE_AUTHORITY_HOST",
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        unsetenv(names[i]);
    *bench = (struct bench){ .status = 200,
                             .headers = "",
                             .body = "{\"access_token\":\"t\",\"expires_in\":3599}" };
    bench->server = loopback_start(answer, bench);
    bench->client = http_client_create();
    bench->metrics = metric_store_create();
}

static void finish(struct bench *bench)
{
    auth_destroy(bench->auth);
    http_client_destroy(bench->client);
    metric_store_destroy(bench->metrics);
    loopback_stop(bench->server);
    buf_finish(&bench->asked);
    buf_finish(&bench->header);
}

static bool sign_in(struct bench *bench, const struct auth_config *config)
{
    auth_destroy(bench->auth);
    bench->error = (struct error){ 0 };
    bench->auth = auth_create(config, bench->metrics, &bench->error);
    return bench->auth && auth_header(bench->auth, bench->client, clock_monotonic_ms() + 20000,
                                      &bench->header, &bench->error);
}

static bool again(struct bench *bench)
{
    return auth_header(bench->auth, bench->client, clock_monotonic_ms() + 20000, &bench->header,
                       &bench->error);
}

/* A program called az that is this script, in the only folder of PATH that holds one. */
static void make_az(const char *script)
{
    char path[400], search[500];
    snprintf(path, sizeof path, "%s", test_file("az", script));
    chmod(path, 0755);
    snprintf(search, sizeof search, "%s:/usr/bin:/bin", test_folder());
    setenv("PATH", search, 1);
}

/* --- claims -------------------------------------------------------------------------------- */

TEST(demanded_claims_are_read_from_the_header)
{
    static const struct {
        const char *header, *claims;
    } cases[] = {
        { "Bearer realm=\"\", error=\"insufficient_claims\", "
          "claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiMSJ9fX0=\"",
          "{\"access_token\":{\"nbf\":{\"value\":\"1\"}}}" },
        { "Bearer error=\"insufficient_claims\",claims=\"e30\"", "{}" },
        { "Bearer error=\"invalid_token\", claims=\"e30=\"", NULL },
        { "Bearer error=\"insufficient_claims\"", NULL },
        { "Bearer error=\"insufficient_claims\", claims=\"e30=", NULL },
        { "Bearer error=\"insufficient_claims\", claims=\"%%%\"", NULL },
        { "Bearer error=\"insufficient_claims\", claims=\"W10=\"", NULL }, /* a list */
        { "", NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        CHECK(claims_read(cases[i].header, &out) == (cases[i].claims != NULL));
        CHECK_TEXT(buf_cstr(&out), cases[i].claims ? cases[i].claims : "");
    }
}

TEST(claims_are_joined_with_what_we_understand)
{
    static const struct {
        const char *demanded, *merged;
    } cases[] = {
        { NULL, "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}" },
        { "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1\"},\"xms_cc\":{}},"
          "\"id_token\":{\"n\":[1,null]}}",
          "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1\"},"
          "\"xms_cc\":{\"values\":[\"cp1\"]}},\"id_token\":{\"n\":[1,null]}}" },
        { "{\"access_token\":3}", "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        claims_merge(cases[i].demanded, &out);
        CHECK_TEXT(buf_cstr(&out), cases[i].merged);
    }
}

TEST(a_token_is_asked_anew_with_the_claims_until_it_comes)
{
    CLEANUP(finish) struct bench bench;
    start(&bench);
    const struct auth_config config = { .tenant_id = TENANT,
                                        .client_id = CLIENT_ID,
                                        .client_secret = TEST_SECRET("s3cret-word"),
                                        .authority_host = bench.server->url };
    CHECK(sign_in(&bench, &config));
    CHECK(!strstr(buf_cstr(&bench.asked), "nbf"));
    auth_invalidate(bench.auth, "Bearer t", "{\"access_token\":{\"nbf\":{\"value\":\"1\"}}}");
    bench.status = 503;
    CHECK(!again(&bench));
    CHECK_CONTAINS(buf_cstr(&bench.asked), "%22nbf%22");
    bench.status = 200;
    CHECK(again(&bench));
    CHECK_CONTAINS(buf_cstr(&bench.asked), "%22nbf%22");
    auth_invalidate(bench.auth, "Bearer t", NULL);
    CHECK(again(&bench));
    CHECK(!strstr(buf_cstr(&bench.asked), "nbf"));
}

/* --- files --------------------------------------------------------------------------------- */

TEST(a_replaced_file_is_used_before_the_token_ends)
{
    CLEANUP(finish) struct bench bench;
    start(&bench);
    char path[400];
    snprintf(path, sizeof path, "%s", test_file("federated", "eyJ.first.x"));
    const struct auth_config config = { .tenant_id = TENANT,
                                        .client_id = CLIENT_ID,
                                        .federated_token_file = path,
                                        .authority_host = bench.server->url };
    CHECK(sign_in(&bench, &config));
    CHECK(again(&bench));
    CHECK_INT(loopback_requests(bench.server), 1);
    test_file("federated", "eyJ.the-second.x");
    CHECK(again(&bench));
    CHECK_CONTAINS(buf_cstr(&bench.asked), "client_assertion=eyJ.the-second.x");
    CHECK(again(&bench));
    CHECK_INT(loopback_requests(bench.server), 2);
    /* one that Azure refuses: the token that is valid serves, and nobody is asked all the time */
    test_file("federated", "eyJ.third.x");
    bench.status = 401;
    CHECK(again(&bench));
    CHECK(again(&bench));
    CHECK_INT(loopback_requests(bench.server), 3);
}

/* --- platforms ----------------------------------------------------------------------------- */

TEST(what_app_service_refuses_is_told)
{
    CLEANUP(finish) struct bench bench;
    start(&bench);
    char endpoint[80];
    snprintf(endpoint, sizeof endpoint, "%s/msi/token", bench.server->url);
    setenv("IDENTITY_ENDPOINT", endpoint, 1);
    setenv("IDENTITY_HEADER", "platform-key", 1);
    bench.status = 400;
    bench.body = "{\"statusCode\":400,\"message\":\"No User Assigned or Delegated Managed Identity "
                 "found for specified ClientId/ResourceId/PrincipalId.\",\"correlationId\":\"1\"}";
    const struct auth_config config = { .cloud = 0 };
    CHECK(!sign_in(&bench, &config));
    CHECK_INT(bench.error.code, ERROR_AUTH); /* the platform is there: nobody else is asked */
    CHECK_TEXT(bench.error.message,
               "managed identity refused: No User Assigned or Delegated Managed Identity found for "
               "specified ClientId/ResourceId/PrincipalId");
}

TEST(arc_gets_no_file_but_its_keys)
{
    char folder[300], path[400], other[400];
    snprintf(folder, sizeof folder, "%s/tokens", test_folder());
    mkdir(folder, 0755);
    snprintf(path, sizeof path, "%s/good.key", folder);
    FILE *file = fopen(path, "w");
    fputs("the-key-text\n", file);
    fclose(file);
    struct secret key = { 0 };
    struct error error = { 0 };
    CHECK(platform_read_key(folder, path, &key, &error));
    CHECK_TEXT(secret_text(&key), "the-key-text");
    secret_finish(&key);

    snprintf(other, sizeof other, "%s/link.key", folder);
    CHECK(!symlink(path, other));
    snprintf(other, sizeof other, "%s/folder.key", folder);
    mkdir(other, 0755);
    snprintf(other, sizeof other, "%s/large.key", folder);
    file = fopen(other, "w");
    fprintf(file, "%05000d", 0);
    fclose(file);
    snprintf(other, sizeof other, "%s/empty.key", folder);
    fclose(fopen(other, "w"));
    if (!geteuid()) { /* others than root cannot give a file away */
        snprintf(other, sizeof other, "%s/foreign.key", folder);
        fclose(fopen(other, "w"));
        CHECK(!chown(other, 65534, 65534));
    }
    static const char *const refused[] = {
        "/../secret.key", "/good.txt", "/.key",      "/link.key", "/folder.key",      "/large.key",
        "/empty.key",     "/none.key", "x/good.key", "",          "/../tokens/a.key", "/foreign.key"
    };
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        snprintf(other, sizeof other, "%s%s", folder, refused[i]);
        error = (struct error){ 0 };
        CHECK(!platform_read_key(folder, other, &key, &error));
        CHECK_INT(error.code, ERROR_AUTH);
    }
    CHECK(!platform_read_key(folder, "/etc/passwd", &key, &error));
    CHECK_CONTAINS(error.message, "no .key right in");
}

/* --- another program ----------------------------------------------------------------------- */

static bool never(void *context)
{
    (void)context;
    return false;
}

TEST(a_command_is_bounded)
{
    static const char *const echo[] = { "sh", "-c", "echo out; echo said >&2; exit 3", NULL };
    static const char *const sleeps[] = { "sleep", "600", NULL };
    static const char *const writes[] = { "yes", NULL };
    static const char *const nobody[] = { "no-such-program-here", NULL };
    static const struct {
        const char *const *words;
        bool (*goes_on)(void *context);
        int64_t within_ms;
        enum error_code code;
    } cases[] = {
        { echo, NULL, 60000, ERROR_NONE },         { sleeps, NULL, 100, ERROR_TIMEOUT },
        { sleeps, never, 60000, ERROR_CANCELLED }, { writes, NULL, 60000, ERROR_LIMIT },
        { nobody, NULL, 60000, ERROR_NOT_FOUND },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { .limit_bytes = 1000 };
        CLEANUP(buf_finish) struct buf said = { .limit_bytes = 1000 };
        struct error error = { 0 };
        int status = 0;
        const struct command command = { cases[i].words, clock_monotonic_ms() + cases[i].within_ms,
                                         cases[i].goes_on, NULL };
        bool ok = command_run(&command, &out, &said, &status, &error);
        CHECK(ok == (cases[i].code == ERROR_NONE));
        CHECK_INT(error.code, cases[i].code);
        if (!ok)
            continue;
        CHECK_TEXT(buf_cstr(&out), "out\n");
        CHECK_TEXT(buf_cstr(&said), "said\n");
        CHECK_INT(status, 3);
    }
}

TEST(az_tells_when_its_token_ends)
{
    static const char with[] = "{\"accessToken\":\"from-az\",\"expiresOn\":\"2026-11-27 13:00:00."
                               "000000\",\"expires_on\":1795784400,\"tokenType\":\"Bearer\"}";
    static const char without[] = "{\"accessToken\":\"from-az\",\"expiresOn\":\"2026-11-27\"}";
    static const char none[] = "{\"message\":\"no\"}";
    struct credential_token token = { 0 };
    struct error error = { 0 };
    CHECK(az_read(with, sizeof with - 1, 1795784400 - 900, &token, &error));
    CHECK_TEXT(secret_text(&token.text), "from-az");
    CHECK_INT(token.life_s, 900);
    CHECK(az_read(without, sizeof without - 1, 1795784400, &token, &error));
    CHECK_INT(token.life_s, 300); /* local time says nothing */
    CHECK(!az_read(none, sizeof none - 1, 0, &token, &error));
    secret_finish(&token.text);
}

TEST(ways_are_tried_in_turn_and_the_one_that_works_stays)
{
    CLEANUP(finish) struct bench bench;
    start(&bench);
    char closed[40], search[200];
    snprintf(closed, sizeof closed, "http://127.0.0.1:%d", loopback_closed_port());
    snprintf(search, sizeof search, "%s/nothing", test_folder());
    const struct auth_config nowhere = { .imds_endpoint = closed };
    setenv("PATH", search, 1);
    CHECK(!sign_in(&bench, &nowhere));
    CHECK_INT(bench.error.code, ERROR_NETWORK);
    CHECK_CONTAINS(bench.error.message,
                   "no way to sign in works: client secret: AZURE_CLIENT_SECRET is not set; client "
                   "certificate: AZURE_CLIENT_CERTIFICATE_PATH is not set; workload identity: "
                   "AZURE_FEDERATED_TOKEN_FILE is not set; managed identity: connection refused");
    CHECK_CONTAINS(bench.error.message, "; az command line: az: is not installed");

    make_az("#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n");
    CHECK(!sign_in(&bench, &nowhere));
    CHECK_CONTAINS(bench.error.message, "; az command line: az ended with 1: Please run 'az login' "
                                        "to setup account");

    make_az("#!/bin/sh\nprintf 'ERROR: %0600d\\n' 7 >&2\nexit 1\n"); /* goes on for long */
    CHECK(!sign_in(&bench, &nowhere));
    const char *zeros = strstr(bench.error.message, "az ended with 1: ");
    CHECK(zeros && strspn(zeros + 17, "0") == 300 && !zeros[317]);

    make_az("#!/bin/sh\n[ \"$1 $2 $3 $4\" = 'account get-access-token --resource "
            "https://management.azure.com/' ] || exit 9\n"
            "echo '{\"accessToken\":\"from-az\"}'\n");
    CHECK(again(&bench)); /* by then somebody logged in */
    CHECK_TEXT(buf_cstr(&bench.header), "Bearer from-az");
    CHECK_TEXT(auth_method_text(bench.auth), "az command line");

    /* IMDS is there and has no identity for us, is busy, or has one. */
    const struct auth_config here = { .imds_endpoint = bench.server->url };
    bench.status = 400;
    bench.body = "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}";
    CHECK(sign_in(&bench, &here));
    CHECK_TEXT(auth_method_text(bench.auth), "az command line");
    bench.status = 500;
    CHECK(!sign_in(&bench, &here));
    CHECK_INT(bench.error.code, ERROR_SERVER);
    bench.status = 200;
    bench.body = "{\"access_token\":\"from-imds\",\"expires_in\":\"3599\"}";
    CHECK(again(&bench));
    CHECK_TEXT(buf_cstr(&bench.header), "Bearer from-imds");
    bench.status = 400;
    auth_invalidate(bench.auth, "Bearer from-imds", NULL);
    CHECK(!again(&bench)); /* it stays the one: nobody else's rights are used by surprise */
}

TEST(signing_in_may_have_less_time_than_the_call)
{
    CLEANUP(finish) struct bench bench;
    start(&bench);
    bench.status = 0;
    const struct auth_config config = { .tenant_id = TENANT,
                                        .client_id = CLIENT_ID,
                                        .client_secret = TEST_SECRET("s"),
                                        .authority_host = bench.server->url,
                                        .sign_in_ms = 50 };
    int64_t began_ms = clock_monotonic_ms();
    CHECK(!sign_in(&bench, &config));
    CHECK(clock_monotonic_ms() - began_ms < 19000); /* the call has 20 s */
    CHECK_INT(bench.error.code, ERROR_TIMEOUT);
    CHECK_CONTAINS(bench.error.message, "token endpoint: no answer from 127.0.0.1");
}

TEST(clouds_have_their_own_hosts)
{
    for (size_t i = 0; cloud_words[i]; i++) {
        CHECK_TEXT(cloud_table[i].name, cloud_words[i]);
        CHECK(http_url_is_safe(cloud_table[i].authority_host));
        CHECK(http_url_is_safe(cloud_table[i].resource_manager));
        CHECK(!strncmp(cloud_table[i].audience, cloud_table[i].resource_manager,
                       strlen(cloud_table[i].resource_manager)));
    }
}
