#include "exporter/pages/subscriptions_list.h"

#include <string.h>

#include "collectors/subscriptions.h"

/* --- why -------------------------------------------------------------------------------------- */

/* What the words of subscriptions_why mean to who can do something about it. */
static const struct {
    const char *word, *sentence;
} whys[] = {
    { "not_included", "no include key of subscriptions names it" },
    { "id", "excluded by its id" },
    { "name", "excluded by its name" },
    { "tag", "excluded by a tag" },
    { "management_group", "excluded by a management group" },
    { "other_tenant", "another tenant of this program tells of it" },
    { "not_listed", "Azure does not list it to this identity (any more)" },
    { "not_shown", "Azure lists it, but this identity may read nothing in it: it lacks Reader or "
                   "Security Reader" },
    { "refused", "the last collection could not read it" },
    { "disabled", "Azure says that it is disabled or deleted" },
};

static const char *sentence_of(const char *word)
{
    size_t i = 0;
    while (i < ARRAY_COUNT(whys) - 1 && strcmp(whys[i].word, word) != 0)
        i++;
    return whys[i].sentence;
}

/* --- the list --------------------------------------------------------------------------------- */

/* What is counted and what is shown. */
struct listing {
    struct page_table table;
    size_t by_state[SUBSCRIPTION_STATE_COUNT];
    bool known; /* somebody told of subscriptions */
};

static void count(struct listing *listing)
{
    const struct snapshot *snapshot = listing->table.page->snapshot;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct subscription *items = subscriptions_of(snapshot->parts[i], &count);
        listing->known = listing->known || items;
        for (size_t n = 0; n < count; n++)
            listing->by_state[subscriptions_state(snapshot, snapshot->parts[i], &items[n])]++;
    }
}

static void append_one(struct listing *listing, const struct part *part,
                       const struct subscription *item, enum subscription_state state)
{
    struct page *page = listing->table.page;
    page_table_row(&listing->table);
    page_table_cell(&listing->table);
    page_text(page, *item->name ? item->name : item->id);
    page_table_cell(&listing->table);
    buf_printf(page->out, "<span class=\"%s\">%s</span>",
               state == SUBSCRIPTION_DENIED ? "bad" : "soft", subscriptions_state_words[state]);
    page_table_cell(&listing->table);
    page_text(page, sentence_of(subscriptions_why(page->snapshot, part, item)));
    page_table_cell(&listing->table);
    page_text(page, item->id);
    page_table_cell(&listing->table);
    if (item->seen_at)
        page_instant(page, item->seen_at);
    else
        page_html(page, "never");
}

/* What somebody may have to mend comes first. */
static const enum subscription_state unseen[] = { SUBSCRIPTION_DENIED, SUBSCRIPTION_DISABLED,
                                                  SUBSCRIPTION_FILTERED };

/* Those of one state, as far as there is room. */
static void append_state(struct listing *listing, enum subscription_state state)
{
    const struct snapshot *snapshot = listing->table.page->snapshot;
    size_t shown = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct subscription *items = subscriptions_of(snapshot->parts[i], &count);
        for (size_t n = 0; n < count && shown < SUBSCRIPTIONS_LIST_MAX; n++) {
            if (subscriptions_state(snapshot, snapshot->parts[i], &items[n]) != state)
                continue;
            append_one(listing, snapshot->parts[i], &items[n], state);
            shown++;
        }
    }
}

/* "and 70 more filtered", leading to all of them. */
static void append_more(struct listing *listing, enum subscription_state state)
{
    struct page *page = listing->table.page;
    CLEANUP(buf_finish) struct buf filter = { 0 };
    CLEANUP(buf_finish) struct buf path = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (listing->by_state[state] <= SUBSCRIPTIONS_LIST_MAX)
        return;
    buf_printf(&filter, "state=\"%s\"", subscriptions_state_words[state]);
    page_query(&path, "/api/v1/subscriptions", "filter", buf_cstr(&filter));
    page_query(&path, "", "format", "csv");
    buf_printf(&text, "and %zu more %s", listing->by_state[state] - SUBSCRIPTIONS_LIST_MAX,
               subscriptions_state_words[state]);
    page_html(page, "<p>");
    page_link(page, buf_cstr(&path), NULL, false, buf_cstr(&text));
    page_html(page, "</p>\n");
}

void subscriptions_list(struct page *page)
{
    static const struct page_column columns[] = {
        { "Subscription", false }, { "State", false },       { "Why", false },
        { "Id", false },           { "Last listed", false }, { NULL, false },
    };
    struct listing listing = { .table = { page, columns } };
    CLEANUP(buf_finish) struct buf text = { 0 };
    size_t others = 0;
    count(&listing);
    page_heading(page, "Subscriptions");
    for (int i = 0; i < SUBSCRIPTION_STATE_COUNT; i++) {
        buf_printf(&text, "%s%zu %s", i ? ", " : "", listing.by_state[i],
                   subscriptions_state_words[i]);
        others += i == SUBSCRIPTION_VISIBLE ? 0 : listing.by_state[i];
    }
    page_paragraph(page, listing.known ? buf_cstr(&text) : "not discovered yet");
    if (!others)
        return;
    page_table_begin(&listing.table, "Those that are not looked at, and why");
    for (size_t i = 0; i < ARRAY_COUNT(unseen); i++)
        append_state(&listing, unseen[i]);
    page_table_end(&listing.table);
    for (size_t i = 0; i < ARRAY_COUNT(unseen); i++)
        append_more(&listing, unseen[i]);
}
