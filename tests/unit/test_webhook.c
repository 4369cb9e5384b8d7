#include "alerts/receivers/webhook.h"

#include "core/hash.h"
#include "notification_fixture.h"
#include "test.h"

/* The example of the Standard Webhooks specification's libraries. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_SECRET "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"

static void config_finish(struct webhook_config *config)
{
    options_finish(webhook_options, config);
}
#define CONFIG CLEANUP(config_finish) struct webhook_config

static struct webhook_config make(int body)
{
    struct webhook_config config = { .body = body,
                                     .template = "{\"test\":{{test}},\"title\":\"{{title}}\","
                                                 "\"text\":\"{{text}}{{description}}\"}",
                                     .limit = 4096 };
    secret_set(&config.url, "https://hooks.example.com/in");
    return config;
}

TEST(signature_is_the_known_one)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error = { 0 };
    static const char body[] = "{\"test\": 2432232314}";
    CHECK(webhook_sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof body - 1,
                       &out, &error));
    CHECK_TEXT(buf_cstr(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(secret_must_be_one)
{
    static const char *const cases[] = {
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",        /* no prefix */
        "whsec_",                                  /* nothing */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Laaa",    /* 23 bytes: too short */
        "whsec_not base64 at all, is it, really?", /* no base64 */
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",   /* another kind of key */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        struct error error = { 0 };
        CHECK(!webhook_sign(cases[i], "id", 1, "", 0, &out, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK(strlen(cases[i]) <= 6 || !strstr(error.message, cases[i] + 6));
        CHECK_INT(out.length, 0);
    }
}

TEST(headers_sign_exactly_the_body_with_both_secrets)
{
    CONFIG config = make(WEBHOOK_STANDARD);
    FIXTURE built = { 0 };
    CLEANUP(buf_finish) struct buf want = { 0 };
    struct error error = { 0 };
    secret_set(&config.signing_secret, SECRET);
    secret_set(&config.signing_secret_old, OTHER_SECRET);
    fixture_build(&built, &webhook_kind, &config, FIXTURE_HOSTILE);
    const struct http_request *http = &built.request.http;
    CHECK(built.ok);
    CHECK(webhook_sign(SECRET, built.notification.id, FIXTURE_AT + 60, http->body, http->body_bytes,
                       &want, &error));
    buf_char(&want, ' ');
    CHECK(webhook_sign(OTHER_SECRET, built.notification.id, FIXTURE_AT + 60, http->body,
                       http->body_bytes, &want, &error));
    CHECK_TEXT(fixture_header(&built, "webhook-signature"), buf_cstr(&want));
    CHECK_TEXT(fixture_header(&built, "webhook-id"), built.notification.id);
    CHECK_TEXT(fixture_header(&built, "webhook-timestamp"), "1763726460");
    CHECK_TEXT(fixture_header(&built, "X-Hub-Signature-256"), "");
}

/* The example of GitHub's documentation, "Validating webhook deliveries". */
TEST(github_signature_is_the_known_one)
{
    struct hash_sha256 digest;
    char hex[65];
    hash_hmac_sha256("It's a Secret to Everybody", 26, "Hello, World!", 13, &digest);
    CHECK_TEXT(hash_hex(digest.bytes, 32, hex),
               "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    CONFIG config = make(WEBHOOK_ALERTMANAGER);
    FIXTURE built = { 0 };
    secret_set(&config.github_secret, "It's a Secret to Everybody");
    fixture_build(&built, &webhook_kind, &config, FIXTURE_FINDING);
    hash_hmac_sha256("It's a Secret to Everybody", 26, built.request.http.body,
                     built.request.http.body_bytes, &digest);
    hash_hex(digest.bytes, 32, hex);
    CHECK_CONTAINS(fixture_header(&built, "X-Hub-Signature-256"), hex);
    CHECK(!strncmp(fixture_header(&built, "X-Hub-Signature-256"), "sha256=", 7));
    CHECK_TEXT(fixture_header(&built, "webhook-signature"), "");
    CHECK_TEXT(fixture_header(&built, "webhook-id"), built.notification.id);
}

TEST(standard_body_has_type_time_and_notification)
{
    CONFIG config = make(WEBHOOK_STANDARD);
    FIXTURE built = { 0 };
    fixture_build(&built, &webhook_kind, &config, FIXTURE_RESOLVED);
    CHECK_TEXT(fixture_text(&built, "type"), "finding.resolved");
    CHECK_TEXT(fixture_text(&built, "timestamp"), "2025-11-21T14:00:00Z");
    CHECK_TEXT(fixture_text(&built, "data.title"), built.notification.title);
    CHECK_TEXT(fixture_text(&built, "data.dedup_key"), built.notification.dedup_key);
    CHECK_TEXT(fixture_header(&built, "Content-Type"), "application/json");
    CHECK_CONTAINS(fixture_header(&built, "User-Agent"), "defender_exporter/");
    CHECK_INT(built.request.http.targets, HTTP_PUBLIC_TARGETS);
}

TEST(test_is_marked)
{
    for (int body = 0; webhook_body_words[body]; body++) {
        CONFIG config = make(body);
        FIXTURE built = { 0 };
        const char *mark = body == WEBHOOK_OCSF ? "\"labels\":[\"test\"]" : "\"test\":true";
        fixture_build(&built, &webhook_kind, &config, FIXTURE_TEST);
        CHECK_CONTAINS(built.request.http.body, mark);
        CHECK_CONTAINS(built.request.http.body, "[TEST]");
        FIXTURE real = { 0 };
        fixture_build(&real, &webhook_kind, &config, FIXTURE_FINDING);
        CHECK(!strstr(real.request.http.body, mark));
    }
}

TEST(cloudevents_structured)
{
    CONFIG config = make(WEBHOOK_CLOUDEVENTS);
    FIXTURE built = { 0 };
    fixture_build(&built, &webhook_kind, &config, FIXTURE_FINDING);
    static const char *const want[][2] = {
        { "specversion", "1.0" },
        { "id", "01KAK5Q8T0ABCDEFGHJKMNPQRS" },
        { "source", "/tenants/99999999-2222-4333-8444-555555555555/subscriptions/"
                    "11111111-2222-4333-8444-555555555555" },
        { "type", "io.defender-exporter.finding.opened.v1" },
        { "subject", "0101010101010101" },
        { "time", "2025-11-21T12:00:00Z" },
        { "datacontenttype", "application/json" },
        { "data.event", "finding.opened" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(want); i++)
        CHECK_TEXT(fixture_text(&built, want[i][0]), want[i][1]);
    CHECK_TEXT(fixture_header(&built, "Content-Type"),
               "application/cloudevents+json; charset=utf-8");
}

TEST(cloudevents_binary)
{
    CONFIG config = make(WEBHOOK_CLOUDEVENTS_BINARY);
    FIXTURE built = { 0 };
    fixture_build(&built, &webhook_kind, &config, FIXTURE_GROUP);
    CHECK_TEXT(fixture_header(&built, "ce-specversion"), "1.0");
    CHECK_TEXT(fixture_header(&built, "ce-id"), built.notification.id);
    CHECK_TEXT(fixture_header(&built, "ce-type"), "io.defender-exporter.finding.opened.v1");
    CHECK_TEXT(fixture_header(&built, "ce-subject"), built.notification.dedup_key);
    CHECK_TEXT(fixture_header(&built, "ce-datacontenttype"), "");
    CHECK_TEXT(fixture_header(&built, "Content-Type"), "application/json");
    CHECK_TEXT(fixture_text(&built, "event"), "finding.opened");
    built.notification.tenant_id = "a b\"%\xc3\xa9\r\n";
    const struct receiver_context context = { .name = "team" };
    CHECK(webhook_kind.build(&config, &context, &built.notification, &built.request, &built.error));
    CHECK_CONTAINS(fixture_header(&built, "ce-source"), "/tenants/a%20b%22%25%C3%A9%0D%0A/");
}

TEST(bodies_stay_below_their_limit_and_say_so)
{
    for (int body = 0; webhook_body_words[body]; body++) {
        CONFIG config = make(body);
        FIXTURE built = { 0 };
        fixture_build(&built, &webhook_kind, &config, FIXTURE_HOSTILE);
        CHECK(built.ok && built.json);
        bool is_large = body == WEBHOOK_ALERTMANAGER || body == WEBHOOK_OCSF;
        size_t limit = is_large ? 512 * 1024 : body == WEBHOOK_TEMPLATE ? 4096 : 64 * 1024;
        CHECK(built.request.http.body_bytes <= limit);
        CHECK_INT(built.request.truncated, body != WEBHOOK_ALERTMANAGER);
        bool is_flat = body == WEBHOOK_CLOUDEVENTS_BINARY || body == WEBHOOK_TEMPLATE;
        if (!is_large)
            CHECK_TEXT(fixture_text(&built, is_flat ? "title" : "data.title"),
                       built.notification.title);
    }
}

TEST(alertmanager_body_counts_what_it_leaves_out)
{
    CONFIG config = make(WEBHOOK_ALERTMANAGER);
    config.max_alerts = 10;
    FIXTURE built = { 0 };
    fixture_build(&built, &webhook_kind, &config, FIXTURE_GROUP);
    CHECK_INT(json_count(json_get(built.json, "alerts")), 10);
    CHECK_NUMBER(json_number(json_get(built.json, "truncatedAlerts"), -1), 20);
    CHECK_TEXT(fixture_text(&built, "version"), "4");
    CHECK_TEXT(fixture_text(&built, "status"), "firing");
    CHECK_TEXT(fixture_text(&built, "receiver"), "team");
    CHECK_TEXT(fixture_text(&built, "groupLabels.alertname"), "NewCriticalFinding");
    CHECK_TEXT(fixture_text(&built, "commonLabels.resource_group"), "rg-prod");
    CHECK_TEXT(fixture_text(&built, "commonLabels.resource_name"), ""); /* they differ */
    const struct json *alert = json_first(json_get(built.json, "alerts"));
    CHECK_TEXT(json_text(json_path(alert, "labels.resource_name")), "stprod01");
    CHECK_TEXT(json_text(json_path(alert, "endsAt")), "0001-01-01T00:00:00Z");
    CHECK_TEXT(json_text(json_path(alert, "startsAt")), "2025-11-21T12:00:00Z");
    CHECK_TEXT(json_text(json_path(alert, "fingerprint")),
               built.notification.alerts[0].fingerprint);
    CHECK_CONTAINS(json_text(json_path(alert, "annotations.remediation")), "Networking");
}

TEST(verdicts)
{
    static const struct {
        int status;
        enum receiver_outcome outcome;
        enum receiver_reason reason;
    } cases[] = {
        { 200, RECEIVER_SENT, RECEIVER_OTHER },
        { 202, RECEIVER_SENT, RECEIVER_OTHER },
        { 204, RECEIVER_SENT, RECEIVER_OTHER },
        { 301, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { 400, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { 401, RECEIVER_RETRY, RECEIVER_AUTH_ERROR },
        { 403, RECEIVER_RETRY, RECEIVER_AUTH_ERROR },
        { 404, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { 407, RECEIVER_RETRY, RECEIVER_AUTH_ERROR },
        { 408, RECEIVER_RETRY, RECEIVER_CLIENT_ERROR },
        { 410, RECEIVER_DISABLED, RECEIVER_CLIENT_ERROR },
        { 415, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { 425, RECEIVER_RETRY, RECEIVER_CLIENT_ERROR },
        { 429, RECEIVER_RETRY, RECEIVER_RATE_LIMITED },
        { 500, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { 501, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { 504, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { 599, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct receiver_verdict verdict = fixture_verdict(&webhook_kind, cases[i].status, "");
        CHECK_INT(verdict.outcome, cases[i].outcome);
        CHECK_INT(verdict.reason, cases[i].reason);
        CHECK(verdict.text != NULL);
    }
}
