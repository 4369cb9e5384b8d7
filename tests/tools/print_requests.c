/* Prints what every kind of receiver sends for every page of notification_fixture.h and every
 * situation of situations.h, one JSON object a line, so that others can judge it: the receivers'
 * own libraries in tests/integration/receivers.py, readers in tests/integration/readers.py.
 * print_requests NOW [QUESTION SITUATION ...]: the instant of the attempt, Unix seconds; only these
 * situations, and what answers a question (who, where, why, fix, until, silence) is taken out of
 * their messages before. */
#include <stdio.h>
#include <stdlib.h>

#include "alerts/receivers/receivers.h"
#include "bodies.h"
#include "situations.h"
#include "tests/unit/notification_fixture.h"
#include "tests/unit/test.h"

enum { BODIES_MAX = 4 }; /* of bodies_names */

/* How messages are sent. */
struct printer {
    int64_t now;
    const char *without; /* NULL = nothing is taken out */
    struct webhook_config bodies[BODIES_MAX];
    struct webhook_config webhook;
    struct slack_config slack;
    struct teams_config teams;
    struct pagerduty_config pagerduty;
    struct alertmanager_config alertmanager;
    struct email_config email;
};

static void secret(struct secret *secret, const char *text)
{
    secret_set(secret, text);
}

/* number: of several messages about one page, 1 ...; 0 = it is the only one. */
static void print(const struct printer *printer, const char *variant,
                  const struct receiver_kind *kind, const void *config, const char *page,
                  size_t number, bool fixture, struct notification *notification)
{
    char name[64];
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    CLEANUP(buf_finish) struct buf line = { 0 };
    struct json_writer writer = { .out = &line };
    struct error error = { 0 };
    const struct receiver_context context = { .now = printer->now,
                                              .ends_at = printer->now + 240,
                                              .name = "team" };
    if (!kind->build(config, &context, notification, &request, &error)) {
        fprintf(stderr, "%s of %s: %s\n", variant, page, error.message);
        exit(1);
    }
    if (number)
        snprintf(name, sizeof name, "%s.%zu", page, number);
    else
        snprintf(name, sizeof name, "%s", page);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "variant", variant);
    json_add_text(&writer, "page", name);
    json_add_text(&writer, "situation", page);
    json_add_bool(&writer, "fixture", fixture);
    json_add_bool(&writer, "truncated", request.truncated);
    json_add_text(&writer, "url", request.is_mail ? request.mail.url : request.http.url);
    json_open(&writer, "headers", '{');
    for (size_t i = 0; !request.is_mail && i < request.http.header_count; i++)
        json_add_text(&writer, request.http.headers[i].name, request.http.headers[i].value);
    json_close(&writer, '}');
    json_add_text(&writer, "body", request.is_mail ? request.mail.message : request.http.body);
    json_close(&writer, '}');
    puts(buf_cstr(&line));
}

/* In what ways one receiver of stage.c is told; NULL = in all. */
typedef void each_variant(void *context, const char *variant, const struct receiver_kind *kind,
                          const void *config);

static void for_each(struct printer *printer, const char *receiver, each_variant *call,
                     void *context)
{
    const struct {
        const char *receiver, *variant;
        const struct receiver_kind *kind;
        const void *config;
    } others[] = {
        { "alertmanager", "alertmanager_v2", &alertmanager_kind, &printer->alertmanager },
        { "pagerduty", "pagerduty", &pagerduty_kind, &printer->pagerduty },
        { "slack", "slack", &slack_kind, &printer->slack },
        { "teams", "teams", &teams_kind, &printer->teams },
        { "email", "email", &email_kind, &printer->email },
    };
    bool is_hook = !receiver || !strcmp(receiver, "hook");
    for (int body = 0; body < WEBHOOK_TEMPLATE && is_hook; body++) {
        printer->webhook.body = body;
        call(context, webhook_body_words[body], &webhook_kind, &printer->webhook);
    }
    for (size_t i = 0; bodies_names[i] && is_hook; i++)
        call(context, bodies_names[i], &webhook_kind, &printer->bodies[i]);
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (!receiver || !strcmp(receiver, others[i].receiver))
            call(context, others[i].variant, others[i].kind, others[i].config);
}

/* --- pages ------------------------------------------------------------------------------------ */
static void print_pages(void *context, const char *variant, const struct receiver_kind *kind,
                        const void *config)
{
    const struct printer *printer = context;
    for (int which = 0; which < FIXTURE_COUNT; which++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct notification notification;
        fixture_notification((enum fixture)which, &arena, &notification);
        print(printer, variant, kind, config, fixture_names[which], 0, true, &notification);
    }
}

/* --- what is taken out ------------------------------------------------------------------------ */
static void forget_resource(const char *question, struct notification_resource *resource)
{
    if (!strcmp(question, "who"))
        resource->subscription_id = resource->subscription_name = resource->environment = "";
    if (!strcmp(question, "where"))
        resource->name = resource->id = resource->native_id = resource->group = resource->link = "";
}

static void forget_block(const char *question, struct notification_block *block)
{
    for (size_t i = 0; i < block->resource_count; i++)
        forget_resource(question, &block->resources[i]);
    if (!strcmp(question, "why")) {
        block->internet_exposed = false;
        block->attack_paths = 0;
        block->risk_factors = block->threats = block->attack_path_names = "";
    }
    if (!strcmp(question, "fix"))
        block->remediation = block->remediation_markdown = "";
    if (!strcmp(question, "until"))
        block->due_at = 0;
    if (!strcmp(question, "silence"))
        block->silence_command = "";
}

static void forget(const char *question, struct notification *notification, struct arena *arena)
{
    struct alert *alerts = arena_zalloc(arena, (notification->alert_count + 1) * sizeof *alerts);
    for (size_t i = 0; i < notification->alert_count; i++) {
        alerts[i] = notification->alerts[i];
        if (!strcmp(question, "until"))
            alerts[i].due_at = 0;
    }
    notification->alerts = alerts;
    for (size_t i = 0; i < notification->block_count; i++)
        forget_block(question, &notification->blocks[i]);
    if (!strcmp(question, "who"))
        notification->subscription_id = notification->subscription_name = "";
    if (!strcmp(question, "why") || !strcmp(question, "until"))
        notification->text = "";
    if (!strcmp(question, "until"))
        notification->due_at = 0;
    if (!strcmp(question, "silence"))
        notification->silence_command = notification->silence_amtool = "";
    notification_derive(notification, arena);
}

/* --- situations ------------------------------------------------------------------------------- */
struct told {
    struct printer *printer;
    const char *situation;
    struct situation_messages *messages;
};

static void print_messages(void *context, const char *variant, const struct receiver_kind *kind,
                           const void *config)
{
    const struct told *told = context;
    const struct situation_messages *messages = told->messages;
    for (size_t i = 0; i < messages->count && i < SITUATION_MESSAGES_MAX; i++) {
        struct notification notification = messages->items[i]; /* it may be shrunk */
        print(told->printer, variant, kind, config, told->situation,
              messages->count > 1 ? i + 1 : 0, false, &notification);
    }
}

static void print_situation(void *context, const char *situation, const char *receiver,
                            struct situation_messages *messages, struct arena *arena)
{
    struct told told = { context, situation, messages };
    for (size_t i = 0; told.printer->without && i < messages->count && i < SITUATION_MESSAGES_MAX;
         i++)
        forget(told.printer->without, &messages->items[i], arena);
    for_each(told.printer, receiver, print_messages, &told);
}

static bool is_among(const char *name, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

int main(int count, char **arguments)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    static const char *urls[] = { "http://127.0.0.1:9093" };
    static const char *to[] = { "soc@example.com", "cloud@example.com" };
    struct printer printer = {
        .now = count > 1 ? strtoll(arguments[1], NULL, 10) : FIXTURE_AT,
        .without = count > 2 ? arguments[2] : NULL,
        .pagerduty = { .change_events = true },
        .alertmanager = { .urls = { urls, 1 } },
        .email = { .smarthost = "127.0.0.1:25", .from = "defender@example.com", .to = { to, 2 } },
    };
    secret(&printer.webhook.url, "https://hooks.example.com/in");
    secret(&printer.webhook.signing_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=");
    secret(&printer.webhook.signing_secret_old,
           "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    secret(&printer.webhook.github_secret, "it's a secret to everybody");
    secret(&printer.slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret(&printer.teams.url, "https://flows.example.com/workflows/1");
    secret(&printer.pagerduty.routing_key, "0123456789abcdef0123456789abcdef");
    for (size_t i = 0; bodies_names[i]; i++)
        bodies_read(EXAMPLES "/alerts", bodies_names[i], &arena, &printer.bodies[i]);
    if (!printer.without)
        for_each(&printer, NULL, print_pages, &printer);
    for (size_t i = 0; situation_names[i]; i++)
        if (!printer.without || is_among(situation_names[i], arguments + 3, count - 3))
            situation_play(i, print_situation, &printer);
    options_finish(webhook_options, &printer.webhook);
    for (size_t i = 0; bodies_names[i]; i++)
        secret_finish(&printer.bodies[i].url);
    options_finish(slack_options, &printer.slack);
    options_finish(teams_options, &printer.teams);
    options_finish(pagerduty_options, &printer.pagerduty);
    return test_failures() > 0;
}
