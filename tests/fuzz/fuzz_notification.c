/* Any text as the JSON of a page: what reads must write and read again, shrink to an end, and make
 * a request of every kind that takes it. */
#include <string.h>

#include "alerts/receivers/receivers.h"
#include "fuzz.h"
#include "tests/unit/notification_fixture.h"

static void build(const struct receiver_kind *kind, const void *config,
                  const struct notification *notification)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct receiver_context context = { .name = "fuzz", .now = 1, .ends_at = 2 };
    struct error error;
    struct notification copy = *notification;
    FUZZ_CHECK(kind->build(config, &context, &copy, &request, &error) || error.code == ERROR_LIMIT);
}

static void build_all(const struct notification *notification)
{
    static const char *urls[] = { "https://a.example" }, *to[] = { "a@b.example" };
    static char url[] = "https://a.example", key[] = "0123456789abcdef0123456789abcdef";
    const struct slack_config slack = { .url = { url } };
    const struct teams_config teams = { .url = { url } };
    const struct pagerduty_config pagerduty = { .routing_key = { key } };
    const struct alertmanager_config alertmanager = { .urls = { urls, 1 } };
    const struct email_config email = { .smarthost = "a:25", .from = "a@b", .to = { to, 1 } };
    struct webhook_config webhook = { .url = { url }, .limit = 32 * 1024 };
    webhook.template = "{\"title\":\"{{title}}\",\"text\":\"{{#cut 300}}{{text}}{{/cut}}\","
                       "\"blocks\":[{{#blocks}}\"{{description}}\"{{^@last}},{{/@last}}"
                       "{{/blocks}}]}";
    for (webhook.body = 0; webhook_body_words[webhook.body]; webhook.body++)
        build(&webhook_kind, &webhook, notification);
    build(&slack_kind, &slack, notification);
    build(&teams_kind, &teams, notification);
    build(&pagerduty_kind, &pagerduty, notification);
    build(&alertmanager_kind, &alertmanager, notification);
    build(&email_kind, &email, notification);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    struct error error;
    struct notification notification;
    if (!notification_read((const char *)data, size, &arena, &notification, &error))
        return 0;
    notification_write(&notification, &first);
    FUZZ_CHECK(notification_read(first.data, first.length, &arena, &notification, &error));
    notification_write(&notification, &second);
    FUZZ_CHECK(!strcmp(first.data, second.data));
    build_all(&notification);
    for (int steps = 0; notification_shrink(&notification, &arena); steps++)
        FUZZ_CHECK(steps <= 200);
    return 0;
}
