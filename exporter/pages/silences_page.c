#include "exporter/pages/silences_page.h"


enum { ROWS_A_PAGE = 50 };

static void append_matchers(struct page *page, const struct match_list *matchers)
{
    for (size_t i = 0; i < matchers->count; i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        match_print(&matchers->matches[i], &text);
        page_html(page, i ? ", " : "");
        page_text(page, buf_cstr(&text));
    }
}

static void append_acts(struct page *page, const struct page_forms *forms,
                        const struct silence *silence)
{
    if (silence_state(silence, page->now) == SILENCE_EXPIRED) {
        page_html(page, "<a href=\"");
        page_path(page, "/silences/new?like=", silence->id, true);
        page_html(page, "\">Make again<span class=\"unseen\"> the silence of ");
        page_text(page, silence->created_by);
        page_html(page, "</span></a>");
        return;
    }
    page_form_begin(page, forms, "", "/silences/", silence->id);
    page_form_button(page, "expire", "End now", silence->comment, true);
    page_form_end(page);
}

static void append_row(struct page_table *table, const struct page_forms *forms,
                       const struct silence *silence)
{
    struct page *page = table->page;
    page_table_row(table);
    page_table_cell(table);
    page_html(page, "<a href=\"");
    page_path(page, "/silences/", silence->id, true);
    page_html(page, "\">");
    append_matchers(page, &silence->matchers);
    page_html(page, "</a>");
    page_table_cell(table);
    page_text(page, silence->created_by);
    page_table_cell(table);
    page_text(page, silence->comment);
    page_table_cell(table);
    page_instant(page, silence->starts_at);
    page_table_cell(table);
    page_instant(page, silence->ends_at);
    if (forms->denied)
        return;
    page_table_cell(table);
    append_acts(page, forms, silence);
}

static void append_states(struct page *page, const size_t counts[], enum silence_state here)
{
    static const struct {
        enum silence_state state;
        const char *name;
    } states[] = { { SILENCE_ACTIVE, "Active" },
                   { SILENCE_PENDING, "Pending" },
                   { SILENCE_EXPIRED, "Expired" } };
    page_html(page, "<ul class=\"tiles\">\n");
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        CLEANUP(buf_finish) struct buf path = { 0 };
        buf_printf(&path, "/silences?state=%s", silence_state_words[states[i].state]);
        page_html(page, "<li><a href=\"");
        page_path(page, buf_cstr(&path), NULL, true);
        buf_printf(page->out, "\"%s>%s</a> <b>",
                   states[i].state == here ? " aria-current=\"true\"" : "", states[i].name);
        page_number(page, counts[states[i].state]);
        page_html(page, "</b></li>\n");
    }
    page_html(page, "</ul>\n");
}

/* Why there is none. */
static void append_none(struct page *page, enum silence_state state)
{
    static const char *const none[] = {
        [SILENCE_PENDING] = "No silence waits for its begin.",
        [SILENCE_ACTIVE] = "No silence is active: whatever fires is told.",
        [SILENCE_EXPIRED] = "No silence ended in the last five days.",
    };
    page_paragraph(page, none[state]);
}

static void append_table(struct page *page, const struct page_forms *forms,
                         const struct silences_page *shown, size_t count)
{
    static const struct page_column columns[] = {
        { "Mutes alerts with", false },
        { "By", false },
        { "Why", false },
        { "Begins", false },
        { "Ends", false },
        { "Act", false },
        { NULL, false },
    };
    static const struct page_column no_acts[] = {
        { "Mutes alerts with", false },
        { "By", false },
        { "Why", false },
        { "Begins", false },
        { "Ends", false },
        { NULL, false },
    };
    struct page_table table = { page, forms->denied ? no_acts : columns };
    bool over = shown->state == SILENCE_EXPIRED;
    size_t place = 0, all = shown->list->count;
    page_table_begin(&table,
                     over ? "Those that ended last come first" : "Those that end first come first");
    for (size_t i = 0; i < all && place < shown->from + ROWS_A_PAGE; i++) {
        const struct silence *silence = &shown->list->silences[over ? all - 1 - i : i];
        if (silence_state(silence, page->now) == shown->state && place++ >= shown->from)
            append_row(&table, forms, silence);
    }
    page_table_end(&table);
    if (place < count) {
        CLEANUP(buf_finish) struct buf path = { 0 };
        buf_printf(&path, "/silences?state=%s&from=%zu", silence_state_words[shown->state], place);
        page_html(page, "<p><a href=\"");
        page_path(page, buf_cstr(&path), NULL, true);
        buf_printf(page->out, "\">The next of %zu</a></p>\n", count);
    }
}

void silences_page(struct page *page, const struct page_forms *forms,
                   const struct silences_page *shown)
{
    size_t counts[3] = { 0 };
    for (size_t i = 0; i < shown->list->count; i++)
        counts[silence_state(&shown->list->silences[i], page->now)]++;
    page_begin(page, PAGE_SILENCES, "Silences");
    if (*shown->done)
        page_form_done(page, shown->done);
    page_form_denied(page, forms);
    if (!forms->denied) {
        page_html(page, "<p><a class=\"button\" href=\"");
        page_path(page, "/silences/new", NULL, true);
        page_html(page, "\">A new silence</a></p>\n");
    }
    append_states(page, counts, shown->state);
    if (counts[shown->state] > shown->from)
        append_table(page, forms, shown, counts[shown->state]);
    else
        append_none(page, shown->state);
    page_end(page);
}
