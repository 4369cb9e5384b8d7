/* Mail to the owners of findings: only where it was asked for, and only to domains that are listed.
 */
#include "alerts/receivers/email.h"

#include "notification_fixture.h"
#include "test.h"

static const char *owner_alone[] = { EMAIL_OWNER };
static const char *with_soc[] = { EMAIL_OWNER, "soc@example.com" };
static const char *domains[] = { "example.com", "Example.ORG" };
static const struct email_config base = { .smarthost = "127.0.0.1:25",
                                          .from = "defender@example.com",
                                          .to = { owner_alone, 1 },
                                          .owner_domains = { domains, 2 },
                                          .allow_private = true };

/* The envelope of a mail about resources of these owners, "a, b", or why there is none. */
static const char *envelope(const struct email_config *config, const char *const *owners,
                            const char *only)
{
    static struct buf out;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct receiver_context context = { .now = FIXTURE_AT, .name = "m", .recipients = only };
    struct notification notification;
    struct error error = { 0 };
    buf_reset(&out);
    buf_text(&out, "");
    fixture_notification(FIXTURE_GROUP, &arena, &notification);
    size_t count = 0;
    for (size_t i = 0; i < notification.block_count; i++)
        for (size_t n = 0; n < notification.blocks[i].resource_count && owners[count]; n++)
            notification.blocks[i].resources[n].owner = owners[count++];
    CHECK(!owners[count]); /* the fixture has that many */
    if (!email_kind.build(config, &context, &notification, &request, &error)) {
        buf_text(&out, error.message);
        return buf_cstr(&out);
    }
    for (size_t i = 0; i < request.mail.to_count; i++) {
        buf_printf(&out, "%s%s", i ? ", " : "", request.mail.to[i]);
        CHECK_CONTAINS(request.mail.message, request.mail.to[i]); /* and in its header */
    }
    CHECK(!strstr(request.mail.message, "{{"));
    return buf_cstr(&out);
}
#define OWNERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

TEST(owners_of_what_a_mail_is_about_get_it_once)
{
    struct email_config config = base;
    CHECK_TEXT(envelope(&config, OWNERS("ann@example.com", "Ann@Example.com"), NULL),
               "ann@example.com");
    CHECK_TEXT(envelope(&config, OWNERS("ann@example.com", "bob@example.org"), NULL),
               "ann@example.com, bob@example.org");
    config.to = (struct option_texts){ .texts = with_soc, .count = 2 };
    CHECK_TEXT(envelope(&config, OWNERS("ann@example.com"), NULL),
               "soc@example.com, ann@example.com");
    /* Of a second attempt only those who did not take it. */
    CHECK_TEXT(envelope(&config, OWNERS("ann@example.com"), "ann@example.com\n"),
               "ann@example.com");
}

TEST(nobody_else_gets_mail)
{
    static const char *const strange[] = {
        "ann@example.net",
        "ann@sub.example.com",
        "ann@example.com.evil.net",
        "ann",
        "@example.com",
        "a b@example.com",
        "x@y@example.com",
        "unspecified",
        "ann@example.com\r\nBcc: eve@example.com",
        "<ann@example.com>",
    };
    struct email_config config = base;
    for (size_t i = 0; i < ARRAY_COUNT(strange); i++)
        CHECK_TEXT(envelope(&config, OWNERS(strange[i]), NULL),
                   "no owner has an address in owner_domains");
    CHECK_TEXT(envelope(&config, OWNERS("ann@example.net", "ann@example.com"), NULL),
               "ann@example.com");
    config.to = (struct option_texts){ .texts = with_soc, .count = 2 };
    CHECK_TEXT(envelope(&config, OWNERS("ann@example.net"), NULL), "soc@example.com");
    config.to = (struct option_texts){ .texts = with_soc + 1, .count = 1 }; /* not asked for */
    CHECK_TEXT(envelope(&config, OWNERS("ann@example.com"), NULL), "soc@example.com");
}

/* A relay need not take more; source: RFC 5321, 4.5.3.1.8. */
TEST(more_than_a_hundred_are_told_of)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct receiver_context context = { .now = FIXTURE_AT, .name = "m" };
    struct notification_resource resources[103];
    struct notification notification;
    struct error error = { 0 };
    fixture_notification(FIXTURE_GROUP, &arena, &notification);
    struct notification_block *block = notification.blocks;
    for (size_t i = 0; i < ARRAY_COUNT(resources); i++) {
        CLEANUP(buf_finish) struct buf owner = { 0 };
        buf_printf(&owner, "ann%zu@example.com", i);
        resources[i] = block->resources[0];
        resources[i].owner = arena_text(&arena, buf_cstr(&owner));
    }
    notification.block_count = 1;
    block->resources = resources;
    block->resource_count = 100;
    CHECK(email_kind.build(&base, &context, &notification, &request, &error));
    CHECK_INT(request.mail.to_count, 100);
    CHECK_INT(request.left_out, 0);
    block->resource_count = ARRAY_COUNT(resources);
    CHECK(email_kind.build(&base, &context, &notification, &request, &error));
    CHECK_INT(request.mail.to_count, 100);
    CHECK_INT(request.left_out, 3);
}

TEST(domains_must_be_listed)
{
    struct email_config config = base;
    struct option_report report = { 0 };
    email_kind.check(&config, "c.yml", 1, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    config.owner_domains.count = 0;
    email_kind.check(&config, "c.yml", 1, &report);
    CHECK_CONTAINS(buf_cstr(&report.text), "{{governance_owner}} needs owner_domains");
    options_report_finish(&report);
}
