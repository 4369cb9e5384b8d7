#include "alerts/receivers/teams.h"

#include "notification_fixture.h"
#include "test.h"

static void config_finish(struct teams_config *config)
{
    options_finish(teams_options, config);
}
#define CONFIG CLEANUP(config_finish) struct teams_config

static struct teams_config make(void)
{
    struct teams_config config = { 0 };
    secret_set(&config.url, "https://flows.example.com/workflows/1");
    return config;
}

static const struct json *card_of(const struct fixture_request *built)
{
    return json_get(json_first(json_get(built->json, "attachments")), "content");
}

TEST(message_wraps_one_card)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    fixture_build(&built, &teams_kind, &config, FIXTURE_FINDING);
    const struct json *attachment = json_first(json_get(built.json, "attachments"));
    const struct json *card = card_of(&built), *title = json_first(json_get(card, "body"));
    CHECK_TEXT(fixture_text(&built, "type"), "message");
    CHECK_TEXT(json_text(json_get(attachment, "contentType")),
               "application/vnd.microsoft.card.adaptive");
    CHECK_INT(json_type(json_get(attachment, "contentUrl")), JSON_NULL);
    CHECK_TEXT(json_text(json_get(card, "version")), "1.4");
    CHECK_TEXT(json_text(json_get(title, "text")), built.notification.title);
    CHECK_TEXT(json_text(json_get(title, "color")), "attention");
    CHECK_TEXT(json_text(json_get(json_first(json_get(card, "actions")), "url")), FIXTURE_LINK);
    CHECK_CONTAINS(built.request.http.body, "[Networking](https://aka.ms/x)"); /* Markdown */
}

TEST(resolved_is_green)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    fixture_build(&built, &teams_kind, &config, FIXTURE_RESOLVED);
    CHECK_TEXT(json_text(json_get(json_first(json_get(card_of(&built), "body")), "color")), "good");
}

/* A mixed notification has the reason that is no fix. */
TEST(what_is_no_fix_is_not_green)
{
    static const char *const reasons[] = { "no_longer_assessed", "exempted", "plan_off", "" };
    CONFIG config = make();
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
        FIXTURE built = { 0 };
        fixture_build(&built, &teams_kind, &config, FIXTURE_RESOLVED);
        built.notification.reason = reasons[i];
        fixture_again(&built, &teams_kind, &config);
        CHECK_TEXT(json_text(json_get(json_first(json_get(card_of(&built), "body")), "color")),
                   "default");
    }
}

/* What a flow makes of it: every escape and everything but plain ASCII in its longest form. */
static size_t counted(const char *json)
{
    size_t bytes = 0;
    for (const char *c = json; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if ((byte & 0xc0) == 0x80)
            continue;
        if (byte == '\\') {
            bytes += 6;
            c += c[1] == 'u' ? 5 : 1;
        } else {
            bytes += byte >= 0xf0 ? 12 : byte >= 0x80 || strchr("<>&'+", byte) != NULL ? 6 : 1;
        }
    }
    return bytes;
}

TEST(size_is_measured_after_encoding_again)
{
    CONFIG config = make();
    static const char *const patterns[] = { "plain words ", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                            "\"",           "<&>'+",        "\n" };
    for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
        FIXTURE built = { 0 };
        const struct receiver_context context = { .name = "team" };
        fixture_notification(FIXTURE_GROUP, &built.arena, &built.notification);
        struct notification_block *block = built.notification.blocks;
        block->description_markdown = block->remediation_markdown = block->description =
            block->remediation =
                fixture_long(&built.arena, patterns[i], 20000 / strlen(patterns[i]));
        notification_derive(&built.notification, &built.arena);
        CHECK(
            teams_kind.build(&config, &context, &built.notification, &built.request, &built.error));
        CHECK(counted(built.request.http.body) <= TEAMS_BODY_BYTES);
        CHECK(counted(built.request.http.body) > 1000);
    }
}

TEST(every_notification_fits_and_keeps_title_and_link)
{
    CONFIG config = make();
    for (int which = 0; which < FIXTURE_COUNT; which++) {
        FIXTURE built = { 0 };
        fixture_build(&built, &teams_kind, &config, (enum fixture)which);
        CHECK(built.ok && built.json);
        CHECK(counted(built.request.http.body) <= TEAMS_BODY_BYTES);
        CHECK_CONTAINS(built.request.http.body,
                       which == FIXTURE_REPORT ? FIXTURE_PAGE : FIXTURE_LINK);
        CHECK(!built.request.truncated || strstr(built.request.http.body, "left out to fit"));
    }
}

TEST(plain_text_is_no_markdown)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    const struct receiver_context context = { .name = "team" };
    struct error ignored;
    fixture_notification(FIXTURE_FINDING, &built.arena, &built.notification);
    built.notification.title = "a*b_c [x](https://evil.example) `d` ~e~ #f \\g\nh";
    CHECK(teams_kind.build(&config, &context, &built.notification, &built.request, &built.error));
    built.json = json_parse(built.request.http.body, built.request.http.body_bytes, &ignored);
    CHECK_TEXT(json_text(json_get(json_first(json_get(card_of(&built), "body")), "text")),
               "a\\*b\\_c \\[x\\](https://evil.example) \\`d\\` \\~e\\~ \\#f \\\\g\n\nh");
}

TEST(verdicts)
{
    static const struct {
        int status;
        const char *body;
        enum receiver_outcome outcome;
    } cases[] = {
        { 202, "", RECEIVER_SENT },
        { 202, "anything", RECEIVER_SENT },
        { 200, "", RECEIVER_SENT },
        { 200, "1", RECEIVER_SENT },
        { 204, "", RECEIVER_SENT },
        { 201, "{\"id\":\"7\"}", RECEIVER_SENT },
        { 200, "Webhook message delivery failed with error: HTTP error 413", RECEIVER_REFUSED },
        { 200, "Webhook message delivery failed with error: HTTP error 429", RECEIVER_RETRY },
        { 200, "Webhook Bad Request - invalid payload", RECEIVER_REFUSED },
        { 202, "{\"error\":{\"code\":\"WorkflowTriggerIsNotEnabled\"}}", RECEIVER_REFUSED },
        { 400, "", RECEIVER_REFUSED },
        { 401, "", RECEIVER_RETRY },
        { 403, "", RECEIVER_RETRY },
        { 404, "", RECEIVER_REFUSED },
        { 412, "", RECEIVER_RETRY },
        { 413, "", RECEIVER_REFUSED },
        { 429, "", RECEIVER_RETRY },
        { 500, "", RECEIVER_RETRY },
        { 502, "", RECEIVER_RETRY },
        { 504, "", RECEIVER_RETRY },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(fixture_verdict(&teams_kind, cases[i].status, cases[i].body).outcome,
                  cases[i].outcome);
}
