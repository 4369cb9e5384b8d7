#include "exporter/pages/known.h"

#include <ctype.h>
#include <string.h>

#include "alerts/text/text.h"
#include "collectors/collector.h"
#include "core/log.h"

enum { OLD_INTERVALS = 3 }; /* so many without a success are worth a word */

/* A line begins: "Compliance results of tenant-b". */
static void begin(struct page *page, const struct source *source, bool warns)
{
    const char *words = source->collector->words ? source->collector->words : source->name;
    page_html(page, warns ? "<p class=\"known wait\">" : "<p class=\"known soft\">");
    buf_char(page->out, (char)toupper((unsigned char)*words));
    page_text(page, words + 1);
    if (strcmp(source->name, source->collector->name) != 0) {
        page_html(page, " of ");
        page_text(page, source->name);
    }
}

static void append_age(struct page *page, int64_t at)
{
    CLEANUP(buf_finish) struct buf age = { 0 };
    text_about(&age, page->now > at ? page->now - at : 0);
    page_text(page, buf_cstr(&age));
}

static void say_nothing(struct page *page, const struct source *source,
                        const struct source_status *status)
{
    begin(page, source, true);
    page_html(page, ": nothing is known of them. ");
    if (!status->enabled) {
        page_html(page, "They are not collected: <code>collectors.");
        page_text(page, source->collector->name);
        page_html(page, ".enabled: true</code> in the configuration switches that on.");
    } else if (!status->attempted) {
        page_html(page, "They have not been collected yet.");
    } else if (!status->success) {
        char error[1024];
        page_html(page, "They could not be collected: ");
        log_redacted(status->error.message, error, sizeof error);
        page_text(page, error);
    } else {
        page_html(page, "They are too old to be shown.");
    }
    page_html(page, "</p>\n");
}

/* Subscriptions of which what was known is shown, and those of which nothing is. */
static void count_unread(const struct part *part, size_t *carried, size_t *unknown)
{
    *carried = *unknown = 0;
    for (size_t i = 0; i < part->cover_count; i++) {
        *carried += part->cover[i].carried && part->cover[i].collected_at;
        *unknown += part->cover[i].carried && !part->cover[i].collected_at;
    }
}

static void append_subscriptions(struct page *page, size_t count, const char *what)
{
    if (count)
        buf_printf(page->out, "; %zu subscription%s could not be read: %s", count,
                   count == 1 ? "" : "s", what);
}

static void say_known(struct page *page, const struct source_status *status,
                      const struct part *part, bool warn_only)
{
    size_t carried, unknown, odd = odd_count(&part->odd);
    int64_t age_ms = 1000 * (page->now - part->collected_at);
    bool old = status->interval_ms && age_ms > OLD_INTERVALS * status->interval_ms;
    count_unread(part, &carried, &unknown);
    bool fails = status->attempted && !status->success;
    bool warns = carried || unknown || odd || old || fails || part->truncated || !status->enabled ||
                 part->summary;
    if (warn_only && !warns)
        return;
    begin(page, part->source, warns);
    page_html(page, ": ");
    append_age(page, part->collected_at);
    page_html(page, " old");
    page_html(page, fails ? "; the last collection failed" : "");
    page_html(page, status->enabled ? "" : "; they are not collected any more");
    page_html(page, part->summary ? "; only counted by Azure, none is listed" : "");
    append_subscriptions(page, carried, "what was known is shown");
    append_subscriptions(page, unknown, "nothing is known of what is there");
    page_html(page, part->truncated ? "; Azure told not all of it" : "");
    if (odd)
        buf_printf(page->out, "; %zu row%s could not be understood", odd, odd == 1 ? "" : "s");
    page_html(page, ".</p>\n");
}

static bool say(struct page *page, const char *collector, bool warn_only)
{
    const struct snapshot *snapshot = page->snapshot;
    bool any = false;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        if (strcmp(source->collector->name, collector) != 0)
            continue;
        if (snapshot->parts[i])
            say_known(page, &snapshot->status[i], snapshot->parts[i], warn_only);
        else
            say_nothing(page, source, &snapshot->status[i]);
        any = any || snapshot->parts[i];
    }
    return any;
}

bool known_say(struct page *page, const char *collector)
{
    return say(page, collector, false);
}

void known_warn(struct page *page, const char *collector)
{
    say(page, collector, true);
}
