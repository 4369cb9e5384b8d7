#include "alerts/receivers/receivers.h"

#include <glob.h>
#include <stdlib.h>

#include "alerts/notify/settings.h"

#include "notification_fixture.h"
#include "test.h"
#include "version.h"

/* As the section `receivers` of a configuration. */
struct sections {
    struct option_items receivers;
};
static const struct option sections_options[] = {
    { "receivers", OPTION_ITEMS(struct sections, receivers, struct receivers_config),
      .section = receivers_options },
    { 0 },
};

/* Read and check a list of receivers; what was wrong is in the report. */
static void read_list(const char *yaml, struct sections *out, struct arena *arena,
                      struct option_report *report)
{
    *out = (struct sections){ 0 };
    options_default(sections_options, out, arena);
    if (options_read(sections_options, "c.yml", yaml, strlen(yaml), out, arena, report))
        receivers_check(&out->receivers, "c.yml", report);
}

TEST(one_of_each_kind_is_read)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct sections config;
    read_list("receivers:\n"
              "- name: w\n  webhook: {url: 'https://h.example/x', body: cloudevents}\n"
              "- name: a\n  alertmanager: {urls: ['http://a:9093', 'http://b:9093']}\n"
              "- name: p\n  pagerduty: {routing_key: 0123456789abcdef0123456789abcdef,"
              " region: eu}\n"
              "- name: s\n  send_resolved: false\n  rate: 0.5\n  slack: {url: 'https://s.example',"
              " http: {allow_private: true}}\n"
              "- name: t\n  expire: 2h\n  teams: {url: 'https://t.example'}\n"
              "- name: e\n  email: {smarthost: 'relay:587', from: a@b.example, to: c@d.example}\n",
              &config, &arena, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    CHECK_INT(config.receivers.count, 6);
    const struct receivers_config *list = config.receivers.items;
    static const char *const kinds[] = { "webhook", "alertmanager", "pagerduty",
                                         "slack",   "teams",        "email" };
    for (size_t i = 0; i < config.receivers.count; i++) {
        const void *kind_config = NULL;
        const struct receiver_kind *kind = receivers_kind(&list[i], &kind_config);
        CHECK(kind && kind_config);
        CHECK_TEXT(kind->name, kinds[i]);
        CHECK_INT(receivers_targets(&list[i]), i == 1 ? 2 : 1);
        CHECK_INT(list[i].send_resolved, i != 3);
    }
    CHECK_INT(list[0].webhook.body, WEBHOOK_CLOUDEVENTS);
    CHECK_INT(list[2].pagerduty.region, PAGERDUTY_EU);
    CHECK(list[3].slack.http.allow_private && !list[0].webhook.http.allow_private);
    CHECK_INT(list[4].expire_ms, 7200000);
    CHECK(list[5].email.allow_private);
    CHECK_INT(list[5].email.tls, EMAIL_STARTTLS);
    options_finish(sections_options, &config);
}

static void read_told(const char *list, struct option_report *report)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    struct sections config;
    buf_printf(&yaml, "receivers:\n%s", list);
    read_list(buf_cstr(&yaml), &config, &arena, report);
    options_finish(sections_options, &config);
}

static void check_mistake(const char *list, const char *message)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    read_told(list, &report);
    CHECK_CONTAINS(buf_cstr(&report.text), message);
}

#define TEN(text) text text text text text text text text text text

TEST(mistakes_are_named)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        { "- name: x\n", "c.yml:2: receivers: x needs exactly one of webhook" },
        { "- name: x\n  slack: {url: 'https://a'}\n  teams: {url: 'https://a'}\n",
          "needs exactly one of" },
        { "- name: x\n  slack: {url: 'https://a'}\n- name: x\n  slack: {url: 'https://a'}\n",
          "c.yml:4: receivers: x is there already in line 2" },
        { "- name: x\n  slack: {}\n", "url" },
        { "- name: x\n  slack: {url: 'ftp://a'}\n", "url: not an http or https URL" },
        { "- name: x\n  webhook: {url: 'https://a', signing_secret: abc}\n",
          "signing_secret: signing secret is not whsec_" },
        { "- name: x\n  webhook: {url: 'https://a', signing_secret_old: "
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\n",
          "signing_secret_old: needs signing_secret" },
        { "- name: x\n  webhook: {url: 'https://a', http: {headers: {content-type: y}}}\n",
          "content-type is set by the program" },
        { "- name: x\n  webhook: {url: 'https://a', http: {headers: {Webhook-Id: y}}}\n",
          "Webhook-Id is set by the program" },
        { "- name: x\n  webhook: {url: 'https://a', http: {bearer_token: ttttttt, headers: "
          "{authorization: y}}}\n",
          "authorization is set by the program" },
        { "- name: x\n  webhook: {url: 'https://a', http: {headers: {'a b': y}}}\n",
          "not a header: a b" },
        { "- name: x\n  webhook: {url: 'https://a', http: {client_key_file: k}}\n",
          "client_key_file: needs client_cert_file" },
        { "- name: x\n  webhook: {url: 'https://a', http: {bearer_token: ttttttt, "
          "basic_user: u}}\n",
          "bearer_token: excludes basic_user" },
        { "- name: x\n  pagerduty: {routing_key: short}\n", "routing_key: not 32 characters" },
        { "- name: x\n  pagerduty: {routing_key: 0123456789abcdef0123456789abcdef, severity_map: "
          "{critical: burning, red: info}}\n",
          "burning is not critical, error, warning or info" },
        { "- name: x\n  alertmanager: {urls: ['a:9093']}\n", "urls: not an http or https URL" },
        { "- name: x\n  alertmanager: {urls: []}\n", "urls" },
        { "- name: x\n  email: {smarthost: relay, from: a@b, to: c@d}\n",
          "smarthost: not host:port" },
        { "- name: x\n  email: {smarthost: 'relay:25', from: 'a <a@b>', to: c@d}\n",
          "from: not a" },
        { "- name: x\n  email: {smarthost: 'relay:25', from: a@b, to: [c@d, nobody]}\n",
          "to: not a mail address" },
        { "- name: x\n  email: {smarthost: 'relay:25', from: a@b, to: [" TEN(TEN("c@d,")) "c@d]}\n",
          "to: more than 100 recipients" },
        { "- name: x\n  email: {smarthost: 'relay:25', from: a@b, to: c@d, user: u, tls: never}\n",
          "user: a password needs tls" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_mistake(cases[i].yaml, cases[i].message);
}

#define MAIL(host) "email: {smarthost: '" host ":25', from: a@b, to: c@d, allow_private: "
#define KEY "pagerduty: {routing_key: 0123456789abcdef0123456789abcdef, url: "

/* What no message would be sent to is said before one is. */
TEST(targets_that_are_not_public_are_refused_as_they_are_written)
{
    static const struct {
        const char *receiver, *key; /* key: NULL = it is allowed */
    } cases[] = {
        { "webhook: {url: 'http://127.0.0.1:8080/x'}", "url" },
        { "webhook: {url: 'http://127.1/'}", "url" },
        { "webhook: {url: 'http://2130706433/'}", "url" },
        { "webhook: {url: 'http://0x7f000001/'}", "url" },
        { "webhook: {url: 'http://017700000001/'}", "url" },
        { "webhook: {url: 'http://localhost/'}", "url" },
        { "webhook: {url: 'http://LocalHost.:81/'}", "url" },
        { "webhook: {url: 'http://a.localhost/'}", "url" },
        { "webhook: {url: 'http://[::1]:80/'}", "url" },
        { "webhook: {url: 'http://[::ffff:10.0.0.1]/'}", "url" },
        { "webhook: {url: 'http://[fe80::1]/'}", "url" },
        { "webhook: {url: 'http://[fd00::1]/'}", "url" },
        { "webhook: {url: 'http://169.254.169.254/metadata'}", "url" },
        { "webhook: {url: 'http://168.63.129.16/'}", "url" },
        { "webhook: {url: 'http://192.168.1.1/', http: {proxy: 'http://proxy:3128'}}", "url" },
        { "webhook: {url: 'http://0.0.0.0/'}", "url" },
        { "slack: {url: 'https://10.1.2.3/x'}", "url" },
        { "slack: {bot_token: xoxb-1, channel: C0123456789, api_url: 'https://10.1.2.3/x'}",
          "api_url" },
        { "teams: {url: 'https://172.16.0.1/x'}", "url" },
        { "alertmanager: {urls: ['http://am.example.com:9093', 'http://127.0.0.1:9093']}", "urls" },
        { KEY "'https://127.0.0.1'}", "url" },
        { MAIL("127.0.0.1") "false}", "smarthost" },
        { MAIL("[::1]") "false}", "smarthost" },
        { MAIL("127.0.0.1") "true}", NULL },
        { "webhook: {url: 'http://127.0.0.1/', http: {allow_private: true}}", NULL },
        { "webhook: {url: 'http://8.8.8.8/'}", NULL },
        { "webhook: {url: 'http://[2606:4700::1]/'}", NULL },
        { "webhook: {url: 'http://hooks.internal/'}", NULL },
        { KEY "'https://127.0.0.1', http: {allow_private: true}}", NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf yaml = { 0 };
        CLEANUP(buf_finish) struct buf want = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        buf_printf(&yaml, "- name: x\n  %s\n", cases[i].receiver);
        if (cases[i].key)
            buf_printf(&want, "c.yml:3: %s: its host is a loopback, private", cases[i].key);
        if (cases[i].key)
            check_mistake(buf_cstr(&yaml), buf_cstr(&want));
        else
            read_told(buf_cstr(&yaml), &report);
        CHECK(cases[i].key || !report.count);
    }
}

TEST(mistakes_of_bodies_are_named)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        { "- name: x\n  webhook: {url: 'https://a', body: template}\n",
          "c.yml:2: body: template needs the key template" },
        { "- name: x\n  webhook:\n    url: https://a\n    template: '{}'\n",
          "c.yml:5: template: needs body: template" },
        { "- name: x\n  webhook: {url: 'https://a', body: ocsf,\n    markup: html}\n",
          "c.yml:4: markup: needs body: template" },
        { "- name: x\n  webhook: {url: 'https://a', limit: 2KiB}\n",
          "limit: needs body: template" },
        { "- name: x\n  webhook: {url: 'https://a', body: template, limit: 1000,\n"
          "    template: '{}'}\n",
          "limit: " },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_mistake(cases[i].yaml, cases[i].message);
}

TEST(a_receiver_of_no_kind_is_shown_them_all)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct sections config;
    read_list("receivers:\n- name: x\n", &config, &arena, &report);
    for (size_t i = 0; i < RECEIVERS_COUNT; i++)
        CHECK_CONTAINS(buf_cstr(&report.text), receivers_kinds[i]->name);
    CHECK_CONTAINS(buf_cstr(&report.text), "one of webhook, alertmanager, pagerduty");
    options_finish(sections_options, &config);
}

TEST(every_kind_is_whole)
{
    for (size_t i = 0; i < RECEIVERS_COUNT; i++) {
        const struct receiver_kind *kind = receivers_kinds[i];
        CHECK(kind->name && kind->help && kind->options && kind->build && kind->check);
        CHECK(kind->expires_s >= 24 * 3600 && kind->rate > 0 && kind->burst >= 1);
        CHECK(kind->alerts_max <= NOTIFICATION_ALERTS_MAX);
    }
}

/* What nobody configured: a change of it is felt at every receiver. */
TEST(every_kind_keeps_its_pace)
{
    static const struct {
        const char *name;
        double rate, burst;
    } wanted[] = { { "webhook", 10, 50 }, { "alertmanager", 20, 100 }, { "pagerduty", 1.5, 20 },
                   { "slack", 1, 5 },     { "teams", 2, 4 },           { "email", 1, 10 } };
    CHECK_INT(RECEIVERS_COUNT, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < RECEIVERS_COUNT; i++)
        for (size_t j = 0; j < ARRAY_COUNT(wanted); j++)
            if (!strcmp(receivers_kinds[i]->name, wanted[j].name))
                CHECK(receivers_kinds[i]->rate == wanted[j].rate &&
                      receivers_kinds[i]->burst == wanted[j].burst);
}

/* --- what they share -------------------------------------------------------------------------- */
TEST(requests_carry_what_was_configured)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    struct option_pair pairs[] = { { "X-Team", "cloud", 1 } };
    struct receiver_http http = { .proxy = "http://proxy:3128",
                                  .ca_file = "/ca",
                                  .client_cert_file = "/cert",
                                  .client_key_file = "/key",
                                  .headers = { pairs, 1 },
                                  .basic_user = "Aladdin" };
    secret_set(&http.basic_password, "open sesame");
    receiver_prepare(&request, &http, "https://x.example/a", "application/json");
    buf_text(&request.body, "{}");
    receiver_seal(&request);
    CHECK_TEXT(request.http.method, "POST");
    CHECK_TEXT(request.http.url, "https://x.example/a");
    CHECK_INT(request.http.timeout_ms, 15000);
    CHECK_INT(request.http.connect_timeout_ms, 5000);
    CHECK_INT(request.http.response_limit_bytes, 65536);
    CHECK_INT(request.http.targets, HTTP_PUBLIC_TARGETS);
    CHECK_TEXT(request.http.proxy, "http://proxy:3128");
    CHECK_TEXT(request.http.ca_file, "/ca");
    CHECK_TEXT(request.http.client_cert_file, "/cert");
    CHECK_INT(request.http.header_count, 4);
    CHECK_TEXT(request.headers[2].value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK_TEXT(request.headers[3].name, "X-Team");
    secret_finish(&http.basic_password);
    http.basic_user = NULL;
    http.allow_private = true;
    secret_set(&http.bearer_token, "a.token.of.length");
    receiver_prepare(&request, &http, "https://x.example/b", "text/plain");
    receiver_seal(&request);
    CHECK_INT(request.http.header_count, 4); /* anew, not more */
    CHECK_TEXT(request.headers[2].value, "Bearer a.token.of.length");
    CHECK_INT(request.http.body_bytes, 0);
    CHECK_INT(request.http.targets, HTTP_ANY_TARGET);
    secret_finish(&http.bearer_token);
}

TEST(no_answer_is_tried_again_unless_it_never_can_work)
{
    static const struct {
        enum error_code code;
        enum receiver_outcome outcome;
        enum receiver_reason reason;
    } cases[] = {
        { ERROR_NETWORK, RECEIVER_RETRY, RECEIVER_OTHER },
        { ERROR_TIMEOUT, RECEIVER_RETRY, RECEIVER_DEADLINE },
        { ERROR_CANCELLED, RECEIVER_RETRY, RECEIVER_CANCELED },
        { ERROR_CONFIG, RECEIVER_REFUSED, RECEIVER_OTHER },
    };
    for (size_t k = 0; k < RECEIVERS_COUNT; k++)
        for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
            const struct receiver_kind *kind = receivers_kinds[k];
            const struct http_response response = { 0 };
            const struct error error = { .code = cases[i].code };
            struct receiver_verdict verdict =
                (kind->classify ? kind->classify : receiver_classify)(&response, &error);
            CHECK_INT(verdict.outcome, cases[i].outcome);
            CHECK_INT(verdict.reason, cases[i].reason);
        }
}

/* Servers, gateways and relays in between answer as they like. */
TEST(every_2xx_counts_and_no_5xx_is_final)
{
    static const short again[] = { 401, 403, 407, 408, 425, 429 };
    for (size_t k = 0; k < RECEIVERS_COUNT; k++) {
        if (receivers_kinds[k] == &email_kind)
            continue; /* SMTP has its own statuses */
        for (int status = 200; status < 300; status++)
            CHECK_INT(fixture_verdict(receivers_kinds[k], status, "").outcome, RECEIVER_SENT);
        for (int status = 500; status < 600; status++)
            CHECK_INT(fixture_verdict(receivers_kinds[k], status, "x").outcome, RECEIVER_RETRY);
        for (size_t i = 0; i < ARRAY_COUNT(again); i++)
            CHECK_INT(fixture_verdict(receivers_kinds[k], again[i], "").outcome, RECEIVER_RETRY);
    }
}

/* Replace every `old` in text. */
static void put_replaced(const char *text, const char *old, const char *new, struct buf *out)
{
    for (const char *found; (found = strstr(text, old)); text = found + strlen(old)) {
        buf_append(out, text, (size_t)(found - text));
        buf_text(out, new);
    }
    buf_text(out, text);
}

/* --- golden files ----------------------------------------------------------------------------- */
static void check_golden(const char *variant, const struct receiver_kind *kind, const void *config,
                         enum fixture which)
{
    FIXTURE built = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    CLEANUP(buf_finish) struct buf want = { 0 };
    char path[128], chunk[4096];
    fixture_build(&built, kind, config, which);
    buf_printf(&got, "POST %s\n", built.request.http.url);
    for (size_t i = 0; i < built.request.http.header_count; i++)
        if (strcmp(built.request.headers[i].name, "User-Agent") != 0)
            buf_printf(&got, "%s: %s\n", built.request.headers[i].name,
                       built.request.headers[i].value);
    buf_char(&got, '\n');
    put_replaced(built.request.http.body, "\"version\":\"" VERSION "\"}",
                 "\"version\":\"of the program\"}", &got);
    buf_char(&got, '\n');
    snprintf(path, sizeof path, "golden/receivers/%s.%s.txt", variant, fixture_names[which]);
    if (getenv("GOLDEN_WRITE")) { /* renew them all, then look at the difference */
        FILE *renewed = fopen(path, "w");
        CHECK(renewed && fwrite(got.data, got.length, 1, renewed) == 1 && !fclose(renewed));
    }
    FILE *file = fopen(path, "r");
    for (size_t count; file && (count = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(&want, chunk, count);
    if (file)
        fclose(file);
    CHECK_TEXT(buf_cstr(&got), buf_cstr(&want));
}

TEST(requests_equal_the_golden_files)
{
    static const char *urls[] = { "https://alertmanager.example.com" };
    static const enum fixture pages[] = { FIXTURE_FINDING, FIXTURE_RESOLVED, FIXTURE_UNASSESSED,
                                          FIXTURE_SCORE, FIXTURE_SEVERAL };
    struct receivers_config config = { .alertmanager = { .urls = { urls, 1 } } };
    secret_set(&config.webhook.url, "https://hooks.example.com/in");
    secret_set(&config.webhook.signing_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    secret_set(&config.pagerduty.routing_key, "0123456789abcdef0123456789abcdef");
    secret_set(&config.slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret_set(&config.teams.url, "https://flows.example.com/workflows/1");
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        for (int body = 0; body < WEBHOOK_TEMPLATE; body++) {
            config.webhook.body = body;
            check_golden(webhook_body_words[body], &webhook_kind, &config.webhook, pages[i]);
        }
        check_golden("alertmanager_v2", &alertmanager_kind, &config.alertmanager, pages[i]);
        check_golden("pagerduty", &pagerduty_kind, &config.pagerduty, pages[i]);
        check_golden("slack", &slack_kind, &config.slack, pages[i]);
        check_golden("teams", &teams_kind, &config.teams, pages[i]);
    }
    options_finish(receivers_options, &config);
}

/* Of those that get reports. */
TEST(reports_equal_the_golden_files)
{
    struct receivers_config config = { 0 };
    secret_set(&config.webhook.url, "https://hooks.example.com/in");
    secret_set(&config.slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret_set(&config.teams.url, "https://flows.example.com/workflows/1");
    check_golden("standard", &webhook_kind, &config.webhook, FIXTURE_REPORT);
    check_golden("slack", &slack_kind, &config.slack, FIXTURE_REPORT);
    check_golden("teams", &teams_kind, &config.teams, FIXTURE_REPORT);
    options_finish(receivers_options, &config);
}

/* Whoever is told, of several recommendations each is there: what, where, how it stands, and how to
 * fix what is open. */
TEST(no_recommendation_is_left_out)
{
    static const char *const all[] = { "Storage accounts should restrict network access",
                                       "Buckets should not be public",
                                       "Machines should be encrypted",
                                       "logs",
                                       "arn:aws:s3:::logs",
                                       "AWS account 1234",
                                       "stprod02",
                                       "stprod04",
                                       "fixed 2025-11-21 13:00 UTC, 1 h ago",
                                       "exempted 2025-11-21 13:00 UTC",
                                       "Open the account",
                                       "Close the bucket" };
    struct receivers_config config = { 0 };
    secret_set(&config.pagerduty.routing_key, "0123456789abcdef0123456789abcdef");
    secret_set(&config.slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret_set(&config.teams.url, "https://flows.example.com/workflows/1");
    const struct {
        const struct receiver_kind *kind;
        const void *config;
    } kinds[] = { { &pagerduty_kind, &config.pagerduty },
                  { &slack_kind, &config.slack },
                  { &teams_kind, &config.teams } };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        FIXTURE built = { 0 };
        fixture_build(&built, kinds[i].kind, kinds[i].config, FIXTURE_SEVERAL);
        for (size_t j = 0; j < ARRAY_COUNT(all); j++)
            CHECK_CONTAINS(built.request.http.body, all[j]);
        CHECK(!built.request.truncated);
    }
    options_finish(receivers_options, &config);
}

/* A template is tried on every situation, whole and shrunk. */
TEST(templates_of_bodies_are_tried)
{
    static const struct {
        const char *template, *message;
    } cases[] = {
        { "{}", "" },
        { "{\"text\": \"{{title}}\"}", "" },
        { "[{{#blocks}}\"{{title}}\"{{^@last}}, {{/@last}}{{/blocks}}]", "" },
        { "{\"a\": {{count}}}", "c.yml:6: template: line 1: unknown field {{count}}" },
        { "{\n      \"a\": {{title}}}", "line 2: is a text and stands without quotes" },
        { "\"{{title}}\"", "told of an opened finding: the body is no JSON object or array" },
        { "[{{#blocks}}\"{{title}}\", {{/blocks}}]",
          "told of an opened finding: the body is no JSON, wrong behind byte" },
        { "{\"value\": {{value}}{{#test}},{{/test}}}", "told of a test: the body is no JSON" },
        { "[{{#blocks}}{{#metric}}{{value}}{{/metric}}{{/blocks}}{{#causes}}, 1{{/causes}}]",
          "told of a dropped score: the body is no JSON" },
        { "[{{#blocks}}{{#metric}}[{{bound}}]{{/metric}}{{/blocks}}]", "" },
        { "{{#blocks}}[{{/blocks}}]", "told of one with odd texts: the body is no JSON" },
        { "{\"a\": \"" TEN(TEN("{{title}} and more")) "\"}", "told of" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        CLEANUP(buf_finish) struct buf yaml = { 0 };
        struct sections config;
        buf_printf(&yaml,
                   "receivers:\n- name: x\n  webhook:\n    url: https://a\n    body: template\n"
                   "    template: |\n      %s\n    limit: 1KiB\n",
                   cases[i].template);
        read_list(buf_cstr(&yaml), &config, &arena, &report);
        if (*cases[i].message)
            CHECK_CONTAINS(buf_cstr(&report.text), cases[i].message);
        else
            CHECK_TEXT(buf_cstr(&report.text), "");
        options_finish(sections_options, &config);
    }
}

/* Of one finding and of several, of what fires and of what is over. */
TEST(every_receiver_says_what_held_it_back)
{
    static const char *urls[] = { "https://alertmanager.example.com" };
    static const enum fixture pages[] = { FIXTURE_FINDING, FIXTURE_RESOLVED, FIXTURE_SEVERAL,
                                          FIXTURE_SCORE };
    struct receivers_config config = { .alertmanager = { .urls = { urls, 1 } } };
    secret_set(&config.webhook.url, "https://hooks.example.com/in");
    secret_set(&config.pagerduty.routing_key, "0123456789abcdef0123456789abcdef");
    secret_set(&config.slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret_set(&config.teams.url, "https://flows.example.com/workflows/1");
    const struct {
        const struct receiver_kind *kind;
        const void *config;
    } kinds[] = { { &webhook_kind, &config.webhook },
                  { &alertmanager_kind, &config.alertmanager },
                  { &pagerduty_kind, &config.pagerduty },
                  { &slack_kind, &config.slack },
                  { &teams_kind, &config.teams } };
    for (size_t i = 0; i < ARRAY_COUNT(kinds) * ARRAY_COUNT(pages); i++) {
        FIXTURE built = { 0 };
        const size_t kind = i / ARRAY_COUNT(pages);
        fixture_notification(pages[i % ARRAY_COUNT(pages)], &built.arena, &built.notification);
        built.notification.held_back = "until the silence by alice ended";
        fixture_again(&built, kinds[kind].kind, kinds[kind].config);
        CHECK_CONTAINS(built.request.http.body, "until the silence by alice ended");
    }
    for (int body = 0; body < WEBHOOK_TEMPLATE; body++) {
        FIXTURE built = { 0 };
        config.webhook.body = body;
        fixture_notification(FIXTURE_FINDING, &built.arena, &built.notification);
        built.notification.held_back = "until the silence by alice ended";
        fixture_again(&built, &webhook_kind, &config.webhook);
        CHECK_CONTAINS(built.request.http.body, "until the silence by alice ended");
    }
    options_finish(receivers_options, &config);
}

/* --- examples --------------------------------------------------------------------------------- */
static void read_file(const char *path, struct buf *out)
{
    char chunk[4096];
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    for (size_t count; file && (count = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(out, chunk, count);
    if (file)
        fclose(file);
}

/* The secrets the examples name, in a folder of the test. */
static void write_secrets(const char *folder)
{
    static const char *const files[][2] = {
        { "webhook_url", "https://hooks.example.com/in" },
        { "google_chat_url", "https://chat.example.com/v1/spaces/A/messages?key=k&token=t" },
        { "mattermost_url", "https://mattermost.example.com/hooks/x" },
        { "discord_url", "https://discord.example.com/api/webhooks/1/x" },
        { "ntfy_url", "https://ntfy.example.com/" },
        { "ocsf_url", "https://lake.example.com/in" },
        { "ocsf_token", "a.token.of.length" },
        { "webhook_signing_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
        { "pagerduty_routing_key", "0123456789abcdef0123456789abcdef" },
        { "slack_url", "https://hooks.slack.com/services/T/B/X" },
        { "teams_url", "https://flows.example.com/workflows/1" },
        { "email_password", "correct horse battery" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        char path[4400];
        snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
        FILE *file = fopen(path, "w");
        CHECK(file && fputs(files[i][1], file) >= 0 && !fclose(file));
    }
}

TEST(examples_are_ready_to_copy)
{
    static const struct option file_options[] = {
        { "alerts", OPTION_GROUP, .section = settings_options },
        { 0 },
    };
    char secrets[4300];
    glob_t examples;
    snprintf(secrets, sizeof secrets, "%s/", test_folder());
    write_secrets(test_folder());
    CHECK(!glob("../packaging/examples/alerts/*.yml", 0, NULL, &examples));
    CHECK_INT(examples.gl_pathc, RECEIVERS_COUNT + 5); /* and bodies of webhooks */
    for (size_t i = 0; i < examples.gl_pathc; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        CLEANUP(buf_finish) struct buf text = { 0 };
        CLEANUP(buf_finish) struct buf yaml = { 0 };
        struct settings_config config = { 0 };
        read_file(examples.gl_pathv[i], &text);
        put_replaced(buf_cstr(&text), "/etc/defender_exporter/secrets/", secrets, &yaml);
        options_default(file_options, &config, &arena);
        CHECK(options_read(file_options, examples.gl_pathv[i], buf_cstr(&yaml), yaml.length,
                           &config, &arena, &report));
        const struct settings_context context = { .file = examples.gl_pathv[i],
                                                  .families = settings_family_lists[0] };
        struct settings *settings = settings_create(&config, &context, &report);
        CHECK_TEXT(buf_cstr(&report.text), "");
        CHECK(settings && settings->receiver_count == 1);
        settings_release(settings);
        options_finish(file_options, &config);
    }
    globfree(&examples);
}
