/* Whatever somebody in a tenant writes into names: every kind of receiver makes a request of it
 * that fits, parses, and holds nothing that acts. */
#include "alerts/receivers/receivers.h"
#include "alerts/text/text.h"
#include "core/bounds.h"
#include "core/utf8.h"
#include "notification_fixture.h"
#include "test.h"

#define EVIL "https://evil.example/login"
static const char *const hostile[] = {
    "invoice\xe2\x80\xaegnp.exe",
    "\xe2\x81\xa6left\xe2\x81\xa9 \xe2\x81\xa7right",
    "ad\xe2\x80\x8bmin\xe2\x80\x8d\xef\xbb\xbf",
    "\x01\x02\x1b[31mred\x07\x7f",
    "a\\u0000b\\x00",
    "lone \xed\xa0\x80 surrogate \xed\xbf\xbf",
    "\xff\xfe\xc3\x28 no UTF-8 \xf8",
    "[click](" EVIL ") ![x](" EVIL ") <" EVIL ">",
    "<" EVIL "|click> <!here> <!channel> <@U1> <#C1>",
    "</td><script>alert(1)</script><img src=x onerror=alert(1)><a href='" EVIL "'>x</a>",
    "{\"type\":\"Action.OpenUrl\",\"url\":\"" EVIL "\"} {{DATE(2020)}} <at>all</at>",
    EVIL,
    "HTTPS://EVIL.EXAMPLE and www.evil.example",
    "@channel @here @everyone <!everyone>",
    "x\r\nBcc: victim@evil.example\r\n\r\nbody",
    "\",\"text\":\"injected\",\"x\":{\"y\":[",
    "=?utf-8?B?aGk=?= =?utf-8?Q?=0d=0aBcc:x?=",
    "{{title}}{{#resources}}{{/resources}}{{text",
    "'; $(reboot) `reboot` | tee /etc/passwd & \\",
    "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85*bold* _it_ ~no~ `code` # head",
};

/* Every text of a notification that somebody in the tenant may choose. */
static void infest(struct notification *notification, const char *text, struct arena *arena)
{
    struct notification_block *block = arena_alloc(arena, sizeof *block);
    *block = notification->blocks[0];
    const char **names[] = {
        &notification->title, &notification->text, &notification->subscription_name,
        &block->category,     &block->effort,      &block->risk_factors,
        &block->threats,      &block->title,       &block->user_impact,
        &block->what,         &block->control,     &block->attack_path_names,
        &block->risk_note,
    };
    CLEANUP(buf_finish) struct buf unlinked = { 0 };
    text_unlink(&unlinked, text);
    const char *kept = arena_text(arena, buf_cstr(&unlinked));
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        *names[i] = kept;
    for (size_t i = 0; i < block->resource_count; i++) {
        struct notification_resource *resource = &block->resources[i];
        resource->name = resource->type = resource->group = kept;
        resource->subscription_name = resource->environment = resource->location = kept;
    }
    notification->blocks = block;
    struct alert *alert = arena_alloc(arena, sizeof *alert);
    *alert = notification->alerts[0];
    alert_label(alert, "resource_name", text);
    alert_seal(alert);
    notification->alerts = alert;
    notification_derive(notification, arena);
}

static bool is_clean(const char *body, size_t length, bool mail)
{
    for (size_t i = 0, step; i < length; i += step) {
        step = utf8_length(body + i, length - i);
        unsigned char c = (unsigned char)body[i];
        if (!step || c == 0x7f || (c < ' ' && !(mail && (c == '\r' || c == '\n'))))
            return false;
    }
    return true;
}

/* What a body of this kind must not hold. HTML means nothing to Slack and Teams, their marks mean
 * nothing to mail. */
static const struct {
    const struct receiver_kind *kind;
    const char *never[8];
} acts[] = {
    { &slack_kind, { "<!", "<@", "<#", EVIL, "HTTPS://EVIL", "www.evil" } },
    { &teams_kind, { "](javascript", "](http://e", "[click]", EVIL, "HTTPS://EVIL", "www.evil" } },
    { &email_kind, { EVIL, "HTTPS://EVIL", "www.evil" } },
};

static void check_body(const struct receiver_kind *kind, const struct receiver_request *request)
{
    const char *body = request->is_mail ? request->mail.message : request->http.body;
    CHECK(is_clean(body, strlen(body), request->is_mail));
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++)
        for (size_t j = 0; acts[i].kind == kind && acts[i].never[j]; j++)
            CHECK(!strstr(body, acts[i].never[j]));
    if (request->is_mail) {
        const char *html = strstr(body, "text/html"), *bcc = strstr(body, "\nBcc:");
        CHECK(!bcc || bcc > strstr(body, "\r\n\r\n")); /* no header */
        CHECK(html && !strstr(html, "<script") && !strstr(html, "<img"));
        return;
    }
    struct error error = { 0 };
    struct json *json = json_parse(body, strlen(body), &error);
    CHECK_TEXT(error.message, "");
    json_free(json);
}

static void check_kind(const struct receiver_kind *kind, const void *config, const char *text)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct receiver_context context = { .now = FIXTURE_AT,
                                              .ends_at = FIXTURE_AT + 300,
                                              .name = "team" };
    struct notification notification;
    struct error error = { 0 };
    fixture_notification(FIXTURE_FINDING, &arena, &notification);
    infest(&notification, text, &arena);
    bool ok = kind->build(config, &context, &notification, &request, &error);
    CHECK_TEXT(error.message, "");
    if (!ok)
        return;
    check_body(kind, &request);
}

static void check_all(const char *text)
{
    static const char *urls[] = { "https://alertmanager.example.com" };
    static const char *to[] = { "soc@example.com" };
    struct receivers_config config = {
        .alertmanager = { .urls = { urls, 1 } },
        .email = { .smarthost = "relay:25", .from = "a@b.example", .to = { to, 1 } },
        .webhook = { .template =
                         "{\"title\": \"{{title}}\", \"text\": \"{{#cut 300}}{{text}}{{/cut}}"
                         "{{#blocks}}{{description}}{{#resources}}{{name}}{{/resources}}"
                         "{{/blocks}}\"}",
                     .limit = 32 * 1024 },
    };
    secret_set(&config.webhook.url, "https://hooks.example.com/in");
    secret_set(&config.pagerduty.routing_key, "0123456789abcdef0123456789abcdef");
    secret_set(&config.slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret_set(&config.teams.url, "https://flows.example.com/workflows/1");
    check_kind(&alertmanager_kind, &config.alertmanager, text);
    check_kind(&pagerduty_kind, &config.pagerduty, text);
    check_kind(&slack_kind, &config.slack, text);
    check_kind(&teams_kind, &config.teams, text);
    check_kind(&email_kind, &config.email, text);
    for (int body = 0; webhook_body_words[body]; body++) {
        config.webhook.body = body;
        check_kind(&webhook_kind, &config.webhook, text);
    }
    options_finish(receivers_options, &config);
}

/* As they come through the bounds, and as a database of an earlier version may hold them. */
TEST(hostile_names_act_nowhere)
{
    for (size_t i = 0; i < ARRAY_COUNT(hostile); i++) {
        CLEANUP(buf_finish) struct buf bounded = { 0 };
        bounds_text(BOUND_TITLE, hostile[i], strlen(hostile[i]), &bounded);
        check_all(buf_cstr(&bounded));
        check_all(hostile[i]);
    }
}

TEST(every_length_has_a_form_that_fits)
{
    for (size_t i = 0; i < ARRAY_COUNT(hostile); i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        while (text.length < (i % 5 ? 8000 : 100000))
            buf_text(&text, hostile[i]);
        check_all(buf_cstr(&text));
    }
}

TEST(so_do_ten_thousand_risk_factors)
{
    CLEANUP(buf_finish) struct buf factors = { 0 };
    for (int i = 0; i < 10000; i++)
        buf_printf(&factors, "%sExposure to the internet %d", i ? ", " : "", i);
    check_all(buf_cstr(&factors));
}
