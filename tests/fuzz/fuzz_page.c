/* Any text as the JSON of a page: what reads must write and read again, shrink to an end, and make
 * a request of every kind that takes it. */
#include <stdlib.h>
#include <string.h>

#include "alerts/receivers.h"
#include "tests/unit/page_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build(const struct receiver_kind *kind, const void *config, const struct page *page)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct receiver_context context = { .name = "fuzz", .now = 1, .ends_at = 2 };
    struct error error;
    struct page copy = *page;
    if (!kind->build(config, &context, &copy, &request, &error) && error.code != ERROR_LIMIT)
        abort();
}

static void build_all(const struct page *page)
{
    static const char *urls[] = { "https://a.example" }, *to[] = { "a@b.example" };
    static char url[] = "https://a.example", key[] = "0123456789abcdef0123456789abcdef";
    const struct slack_config slack = { .url = { url } };
    const struct teams_config teams = { .url = { url } };
    const struct pagerduty_config pagerduty = { .routing_key = { key } };
    const struct alertmanager_config alertmanager = { .urls = { urls, 1 } };
    const struct email_config email = { .smarthost = "a:25", .from = "a@b", .to = { to, 1 } };
    struct webhook_config webhook = { .url = { url } };
    for (webhook.body = 0; webhook_body_words[webhook.body]; webhook.body++)
        build(&webhook_kind, &webhook, page);
    build(&slack_kind, &slack, page);
    build(&teams_kind, &teams, page);
    build(&pagerduty_kind, &pagerduty, page);
    build(&alertmanager_kind, &alertmanager, page);
    build(&email_kind, &email, page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    struct error error;
    struct page page;
    if (!page_read((const char *)data, size, &arena, &page, &error))
        return 0;
    page_write(&page, &first);
    if (!page_read(first.data, first.length, &arena, &page, &error))
        abort();
    page_write(&page, &second);
    if (strcmp(first.data, second.data) != 0)
        abort();
    build_all(&page);
    for (int steps = 0; page_shrink(&page, &arena); steps++)
        if (steps > 200)
            abort();
    return 0;
}
