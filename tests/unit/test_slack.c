#include "alerts/receivers/slack.h"

#include "alerts/text/text.h"
#include "notification_fixture.h"
#include "test.h"

static void config_finish(struct slack_config *config)
{
    options_finish(slack_options, config);
}
#define CONFIG CLEANUP(config_finish) struct slack_config

static struct slack_config make(void)
{
    struct slack_config config = { 0 };
    secret_set(&config.url, "https://hooks.slack.example.com/services/T/B/X");
    return config;
}

/* Every text object of a block is within the limit of its place. */
static void check_text(const struct json *object, size_t limit)
{
    const char *text = json_text(json_get(object, "text"));
    const char *type = json_text(json_get(object, "type"));
    CHECK(text && *text && text_points(text) <= limit);
    CHECK(!strcmp(type, "plain_text") ||
          (!strcmp(type, "mrkdwn") && json_bool(json_get(object, "verbatim"), false)));
    for (const char *c = text; (c = strchr(c, '<')); c++) /* ours alone, and never a mention */
        CHECK(!strncmp(c, "<http", 5));
}

static void check_block(const struct json *block)
{
    const char *type = json_text(json_get(block, "type"));
    if (!strcmp(type, "header"))
        check_text(json_get(block, "text"), 150);
    if (!strcmp(type, "section") && json_get(block, "text"))
        check_text(json_get(block, "text"), 3000);
    const struct json *fields = json_get(block, "fields"), *elements = json_get(block, "elements");
    CHECK(json_count(fields) <= 10 && json_count(elements) <= 10);
    for (const struct json *field = json_first(fields); field; field = json_next(field))
        check_text(field, 2000);
    for (const struct json *element = json_first(elements); element; element = json_next(element))
        check_text(element, 2000);
}

TEST(every_notification_keeps_every_limit)
{
    CONFIG config = make();
    for (int which = 0; which < FIXTURE_COUNT; which++) {
        FIXTURE built = { 0 };
        fixture_build(&built, &slack_kind, &config, (enum fixture)which);
        CHECK(built.ok && built.json);
        CHECK(text_points(built.request.http.body) <= 10000);
        CHECK(text_points(fixture_text(&built, "text")) <= 4000);
        CHECK(json_count(json_get(built.json, "blocks")) <= 50);
        CHECK(!strstr(built.request.http.body, "<!") && !strstr(built.request.http.body, "<@"));
        for (const struct json *block = json_first(json_get(built.json, "blocks")); block;
             block = json_next(block))
            check_block(block);
        CHECK_CONTAINS(built.request.http.body,
                       which == FIXTURE_REPORT ? FIXTURE_PAGE : FIXTURE_LINK);
    }
}

TEST(a_long_title_stands_below_the_header_in_full)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    CLEANUP(buf_finish) struct buf title = { 0 };
    fixture_build(&built, &slack_kind, &config, FIXTURE_HOSTILE);
    const struct json *header = json_first(json_get(built.json, "blocks"));
    const char *text = json_text(json_path(header, "text.text"));
    CHECK_INT(text_points(text) > 140, 1);
    CHECK_CONTAINS(text, "\xe2\x80\xa6");
    slack_escape(&title, built.notification.title);
    CHECK_TEXT(json_text(json_path(json_next(header), "text.text")), buf_cstr(&title));
}

TEST(only_a_fix_has_a_green_tick)
{
    static const struct {
        const char *reason, *mark;
    } want[] = { { "fixed", "\xe2\x9c\x85 F" },
                 { "resource_deleted", "\xe2\x9a\xaa F" },
                 { "no_longer_assessed", "\xe2\x9a\xaa F" },
                 { "exempted", "\xe2\x9a\xaa F" },
                 { "", "\xe2\x9a\xaa F" } };
    CONFIG config = make();
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        FIXTURE built = { 0 };
        fixture_build(&built, &slack_kind, &config, FIXTURE_RESOLVED);
        built.notification.reason = want[i].reason;
        fixture_again(&built, &slack_kind, &config);
        const struct json *header = json_first(json_get(built.json, "blocks"));
        const char *title = json_text(json_get(json_get(header, "text"), "text"));
        CHECK(title && !strncmp(title, want[i].mark, strlen(want[i].mark)));
    }
}

TEST(text_is_escaped)
{
    static const char *const cases[][2] = {
        { "a < b > c & d", "a &lt; b &gt; c &amp; d" },
        { "<!channel> <@U123> <#C1>", "&lt;!channel&gt; &lt;@U123&gt; &lt;#C1&gt;" },
        { "&lt;!here&gt;", "&amp;lt;!here&amp;gt;" },
        { "<https://evil.example|click>", "&lt;https://evil.example|click&gt;" },
        { "", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        slack_escape(&out, cases[i][0]);
        CHECK_TEXT(buf_cstr(&out), cases[i][1]);
    }
}

/* The section about the fix, made from this text. */
static void fix_of(const char *remediation, struct buf *out)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    const struct receiver_context context = { .name = "team" };
    struct error ignored;
    fixture_notification(FIXTURE_FINDING, &built.arena, &built.notification);
    built.notification.blocks->remediation = remediation;
    notification_derive(&built.notification, &built.arena);
    CHECK(slack_kind.build(&config, &context, &built.notification, &built.request, &built.error));
    built.json = json_parse(built.request.http.body, built.request.http.body_bytes, &ignored);
    buf_reset(out);
    for (const struct json *block = json_first(json_get(built.json, "blocks")); block;
         block = json_next(block)) {
        const char *text = json_text(json_path(block, "text.text"));
        if (text && !strncmp(text, "*How to fix it*\n", 16))
            buf_text(out, text + 16);
    }
}

TEST(addresses_are_links_and_never_cut)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    fix_of("See https://aka.ms/x?a=1&b=2. Or (http://y.example).", &out);
    CHECK_TEXT(buf_cstr(&out), "See <https://aka.ms/x?a=1&amp;b=2>. Or (<http://y.example>).");
    for (int i = 0; i < 2970; i++)
        buf_char(&text, 'x');
    buf_text(&text, " https://aka.ms/a-rather-long-address-that-does-not-fit");
    fix_of(buf_cstr(&text), &out);
    CHECK_INT(text_points(buf_cstr(&out)), 2970 + 2);
    CHECK(!strstr(buf_cstr(&out), "https"));
    CHECK_CONTAINS(buf_cstr(&out), " \xe2\x80\xa6");
}

/* At every length around the limit: an entity is whole or not there. */
TEST(entities_are_not_cut)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    for (int lead = 0; lead < 6; lead++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        for (int i = 0; i < lead; i++)
            buf_char(&text, 'x');
        for (int i = 0; i < 700; i++)
            buf_char(&text, '&');
        fix_of(buf_cstr(&text), &out);
        size_t points = text_points(buf_cstr(&out));
        CHECK(points > 2970 && points <= 3000 - 16);
        CHECK_CONTAINS(buf_cstr(&out) + out.length - 8, "&amp;\xe2\x80\xa6");
    }
}

TEST(links_cannot_be_broken_open)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    const struct receiver_context context = { .name = "team" };
    fixture_notification(FIXTURE_FINDING, &built.arena, &built.notification);
    built.notification.blocks->links->url = "https://x.example/a|b>c&d";
    notification_derive(&built.notification, &built.arena);
    CHECK(slack_kind.build(&config, &context, &built.notification, &built.request, &built.error));
    CHECK_CONTAINS(built.request.http.body,
                   "<https://x.example/a%7Cb&gt;c&amp;d|Open in the Azure portal>");
}

TEST(verdicts)
{
    static const struct {
        int status;
        const char *body;
        enum receiver_outcome outcome;
    } cases[] = {
        { 200, "ok", RECEIVER_SENT },
        { 200, "ok\n", RECEIVER_SENT },
        { 200, "{\"ok\":true}", RECEIVER_SENT },
        { 200, "{\"ok\":true,\"warning\":\"x\"}", RECEIVER_SENT },
        { 200, "", RECEIVER_SENT },
        { 204, "", RECEIVER_SENT },
        { 200, "{\"success\":true}", RECEIVER_SENT },
        { 200, "{\"ok\":false,\"error\":\"channel_not_found\"}", RECEIVER_REFUSED },
        { 200, "{\"ok\":false,\"error\":\"rate_limited\"}", RECEIVER_RETRY },
        { 200, "no_service", RECEIVER_REFUSED },
        { 200, "invalid_payload\n", RECEIVER_REFUSED },
        { 200, "<html>sign in</html>", RECEIVER_RETRY },
        { 400, "invalid_payload", RECEIVER_REFUSED },
        { 403, "action_prohibited", RECEIVER_RETRY },
        { 404, "no_service", RECEIVER_REFUSED },
        { 410, "channel_is_archived", RECEIVER_REFUSED },
        { 429, "rate_limited", RECEIVER_RETRY },
        { 500, "rollup_error", RECEIVER_RETRY },
        { 302, "", RECEIVER_REFUSED },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(fixture_verdict(&slack_kind, cases[i].status, cases[i].body).outcome,
                  cases[i].outcome);
}
