/* Prints what every kind of receiver sends for every page of notification_fixture.h, one JSON
 * object a line, so that the receivers' own libraries can judge it: tests/integration/receivers.py.
 * print_requests NOW: the instant of the attempt, Unix seconds. */
#include <stdio.h>
#include <stdlib.h>

#include "alerts/receivers/receivers.h"
#include "tests/unit/notification_fixture.h"

static void secret(struct secret *secret, const char *text)
{
    secret_set(secret, text);
}

static void print(const char *variant, enum fixture which, const struct receiver_request *request)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    struct json_writer writer = { .out = &line };
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "variant", variant);
    json_add_text(&writer, "page", fixture_names[which]);
    json_add_bool(&writer, "truncated", request->truncated);
    json_add_text(&writer, "url", request->is_mail ? request->mail.url : request->http.url);
    json_open(&writer, "headers", '{');
    for (size_t i = 0; !request->is_mail && i < request->http.header_count; i++)
        json_add_text(&writer, request->http.headers[i].name, request->http.headers[i].value);
    json_close(&writer, '}');
    json_add_text(&writer, "body", request->is_mail ? request->mail.message : request->http.body);
    json_close(&writer, '}');
    puts(buf_cstr(&line));
}

static void print_all(const char *variant, const struct receiver_kind *kind, const void *config,
                      int64_t now)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct receiver_context context = { .now = now, .ends_at = now + 240, .name = "team" };
    for (int which = 0; which < FIXTURE_COUNT; which++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct error error = { 0 };
        struct notification notification;
        fixture_notification((enum fixture)which, &arena, &notification);
        if (!kind->build(config, &context, &notification, &request, &error)) {
            fprintf(stderr, "%s: %s\n", variant, error.message);
            exit(1);
        }
        print(variant, (enum fixture)which, &request);
    }
}

int main(int count, char **arguments)
{
    static const char *urls[] = { "http://127.0.0.1:9093" };
    static const char *to[] = { "soc@example.com", "cloud@example.com" };
    int64_t now = count > 1 ? strtoll(arguments[1], NULL, 10) : FIXTURE_AT;
    struct webhook_config webhook = { 0 };
    struct slack_config slack = { 0 };
    struct teams_config teams = { 0 };
    struct pagerduty_config pagerduty = { .change_events = true };
    struct alertmanager_config alertmanager = { .urls = { urls, 1 } };
    struct email_config email = { .smarthost = "127.0.0.1:25",
                                  .from = "defender@example.com",
                                  .to = { to, 2 } };
    secret(&webhook.url, "https://hooks.example.com/in");
    secret(&webhook.signing_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=");
    secret(&webhook.signing_secret_old, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    secret(&webhook.github_secret, "it's a secret to everybody");
    secret(&slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret(&teams.url, "https://flows.example.com/workflows/1");
    secret(&pagerduty.routing_key, "0123456789abcdef0123456789abcdef");
    for (int body = 0; webhook_body_words[body]; body++) {
        webhook.body = body;
        print_all(webhook_body_words[body], &webhook_kind, &webhook, now);
    }
    print_all("alertmanager_v2", &alertmanager_kind, &alertmanager, now);
    print_all("pagerduty", &pagerduty_kind, &pagerduty, now);
    print_all("slack", &slack_kind, &slack, now);
    print_all("teams", &teams_kind, &teams, now);
    print_all("email", &email_kind, &email, now);
    options_finish(webhook_options, &webhook);
    options_finish(slack_options, &slack);
    options_finish(teams_options, &teams);
    options_finish(pagerduty_options, &pagerduty);
    return 0;
}
