#include "exporter/pages/silence_page.h"

#include <string.h>

#include "alerts/text/text.h"
#include "core/clock.h"

enum { PREVIEW_ROWS = 20 };

/* --- what it would mute ----------------------------------------------------------------------- */

/* A walk over all alerts. */
struct preview {
    struct page *page;
    const struct alert_row_context *context;
    const struct match_list *matchers;
    const char *id; /* of the silence that is changed: it silences nothing else; "" */
    struct page_table table;
    size_t all, covered, already;
};

static bool append_row(struct preview *preview, const struct alert_row *row, struct error *error)
{
    struct page_table *table = &preview->table;
    struct page *page = table->page;
    const struct alert *alert = row->alert;
    page_table_row(table);
    page_table_cell(table);
    if (!alert_row_title(page, preview->context, alert, error))
        return false;
    page_table_cell(table);
    page_text(page, alert->rule);
    page_table_cell(table);
    page_html(page, alert->state == ALERT_PENDING ? "pending" : "firing");
    page_table_cell(table);
    page_age(page, alert->starts_at);
    page_table_cell(table);
    if (row->silence && strcmp(row->silence->id, preview->id) != 0)
        alert_row_silence(page, row->silence);
    return true;
}

static bool visit(void *context, const struct alert *alert, struct error *error)
{
    struct preview *preview = context;
    struct alert_row row;
    enum match_answer answer =
        match_ask(preview->matchers, alert->labels, alert->label_count, preview->context->budget);
    preview->all++;
    if (answer == MATCH_LIMIT)
        return error_set(error, ERROR_LIMIT,
                         "the regular expressions of this silence take too long");
    if (answer == MATCH_NO)
        return true;
    if (!alert_row_find(preview->context, alert, preview->page->now, &row, error))
        return false;
    preview->already += row.silence && strcmp(row.silence->id, preview->id) != 0;
    return preview->covered++ >= PREVIEW_ROWS || append_row(preview, &row, error);
}

/* "It mutes 3 of the 12 alerts that fire or pend now, of which 1 is silenced already, and ..." */
static void append_counts(struct page *page, const struct preview *preview)
{
    page_html(page, "<p>It mutes <b>");
    page_number(page, preview->covered);
    page_html(page, "</b> of the ");
    page_number(page, preview->all);
    page_html(page, " alerts that fire or pend now");
    if (preview->already) {
        page_html(page, ", of which ");
        page_number(page, preview->already);
        page_html(page, preview->already == 1 ? " is silenced already" : " are silenced already");
    }
    page_html(page, ", and all like them that come before it ends.</p>\n");
}

static bool append_preview(struct page *page, const struct alert_row_context *context,
                           const struct silence_page *shown, struct error *error)
{
    static const struct page_column columns[] = {
        { "Alert", false }, { "Rule", false },         { "State", false },
        { "Since", true },  { "Silenced now", false }, { NULL, false },
    };
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct page inner = *page;
    struct preview preview = { page, context, shown->matchers, shown->draft->id,
                               .table = { &inner, columns } };
    inner.out = &rows;
    page_table_begin(&preview.table, "The first of them, worst first");
    if (!active_each(context->database, ALERT_STATE_COUNT, visit, &preview, error))
        return false;
    page_table_end(&preview.table);
    page_heading(page, "What it mutes");
    append_counts(page, &preview);
    if (preview.covered)
        page_html(page, buf_cstr(&rows));
    return true;
}

/* --- the form --------------------------------------------------------------------------------- */

/* What the configuration sets bounds to. */
static void append_limits(struct page *page, const struct settings *settings)
{
    const struct silence_never *never = silence_limits_never(settings->silence_limits);
    int64_t most_s = silence_limits_longest_s(settings->silence_limits);
    CLEANUP(buf_finish) struct buf text = { 0 };
    char most[48];
    if (most_s)
        buf_printf(&text, "A silence lasts %s at most. ",
                   clock_format_duration(most_s * 1000, most));
    for (size_t i = 0; never && i < never->count; i++) {
        buf_text(&text, i ? "; " : "Alerts like these are never silenced: ");
        for (size_t j = 0; j < never->lists[i].count; j++) {
            buf_text(&text, j ? ", " : "");
            match_print(&never->lists[i].matches[j], &text);
        }
    }
    if (text.length)
        page_paragraph(page, buf_cstr(&text));
}

static void append_fields(struct page *page, const struct page_forms *forms,
                          const struct silence_draft *draft)
{
    const bool known = *forms->user && !*draft->id;
    const struct page_field fields[] = {
        { "matchers", "Mutes alerts with",
          "Matchers as rules have them, one a line; all must hold.", draft->matchers, 4, true,
          false },
        { "begins", "Begins", "An instant such as 2026-11-28 08:00, in UTC; empty: now.",
          draft->begins, 0, false, false },
        { "until", "Until", "So long, such as 4h or 2d, or an instant in UTC.", draft->until, 0,
          true, false },
        { "by", "Made by", known ? "You are logged in." : "Who others can ask.",
          known ? forms->user : draft->by, 0, true, known },
        { "comment", "Why", "", draft->comment, 2, true, false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
        page_form_field(page, &fields[i]);
}

static void append_form(struct page *page, const struct page_forms *forms,
                        const struct silence_page *shown, bool previewed)
{
    const struct silence_draft *draft = shown->draft;
    CLEANUP(buf_finish) struct buf seen = { 0 };
    if (previewed)
        silence_draft_print(shown->matchers, &seen);
    page_form_begin(page, forms, "act", "/silences/", *draft->id ? draft->id : "new");
    append_fields(page, forms, draft);
    page_form_hidden(page, "seen", buf_cstr(&seen));
    page_html(page, "<div class=\"buttons\">");
    page_form_button(page, "preview", previewed ? "Show again" : "Show what it mutes", "",
                     previewed);
    if (previewed)
        page_form_button(page, "keep", *draft->id ? "Change it" : "Silence them", "", false);
    page_html(page, "</div>");
    page_form_end(page);
}

static void append_state(struct page *page, const struct silence *before)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    enum silence_state state = silence_state(before, page->now);
    buf_printf(&text, "Made by %s, changed last ",
               *before->created_by ? before->created_by : "nobody");
    text_instant(&text, before->updated_at, page->now);
    buf_printf(&text, ". It is %s.", silence_state_words[state]);
    page_paragraph(page, buf_cstr(&text));
}

/* A silence that is over, or that the one who looks may not change. */
static void append_as_it_is(struct page *page, const struct silence_draft *draft)
{
    const struct {
        const char *name, *text;
    } facts[] = {
        { "Mutes alerts with", draft->matchers },
        { "Begins", draft->begins },
        { "Until", draft->until },
        { "Why", draft->comment },
    };
    page_html(page, "<div class=\"card\"><dl>\n");
    for (size_t i = 0; i < ARRAY_COUNT(facts); i++) {
        buf_printf(page->out, "<dt>%s</dt><dd class=\"lines\">", facts[i].name);
        page_text(page, facts[i].text);
        page_html(page, "</dd>\n");
    }
    page_html(page, "</dl></div>\n");
}

bool silence_page(struct page *page, const struct page_forms *forms,
                  const struct alert_row_context *context, const struct silence_page *shown,
                  struct error *error)
{
    const struct silence *before = shown->before;
    bool over = before && silence_state(before, page->now) == SILENCE_EXPIRED;
    bool fixed = over || forms->denied, previewed = shown->matchers && !over;
    CLEANUP(buf_finish) struct buf preview = { 0 };
    struct page inner = *page;
    inner.out = &preview;
    if (previewed && !append_preview(&inner, context, shown, error))
        return false;
    page_begin(page, PAGE_SILENCES, before ? "A silence" : "A new silence");
    if (*shown->wrong)
        page_form_wrong(page, shown->wrong);
    if (before)
        append_state(page, before);
    page_form_denied(page, forms);
    if (!fixed)
        append_limits(page, context->settings);
    if (fixed)
        append_as_it_is(page, shown->draft);
    else
        append_form(page, forms, shown, previewed);
    page_html(page, buf_cstr(&preview));
    page_end(page);
    return true;
}
