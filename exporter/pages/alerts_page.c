#include "exporter/pages/alerts_page.h"

#include <string.h>

#include "alerts/rules/active.h"
#include "alerts/rules/notification_silence.h"

enum { ROWS_A_PAGE = 50 };

const char *const alerts_page_words[] = { "firing", "pending", "silenced", "inhibited", NULL };

static const struct page_column columns[] = {
    { "Alert", false }, { "Since", true }, { "Why", false }, { "Act", false }, { NULL, false },
};
static const struct page_column no_acts[] = {
    { "Alert", false },
    { "Since", true },
    { "Why", false },
    { NULL, false },
};

/* A walk over all alerts of one state. */
struct walk {
    struct page *page;
    const struct page_forms *forms;
    const struct alert_row_context *context;
    const struct alerts_page *asked;
    struct page_table table;
    size_t counts[ALERT_ROW_PLACES];
    bool stops, stopped; /* behind the last that is shown: the others are counted elsewhere */
};

/* --- rows ------------------------------------------------------------------------------------- */

/* Lead to the form that silences this alert. */
static void append_act(struct page *page, const struct alert_row_context *context,
                       const struct alert_row *row)
{
    CLEANUP(buf_finish) struct buf matchers = { 0 };
    const struct silence_never *never = silence_limits_never(context->settings->silence_limits);
    if (row->silence)
        return;
    if (!notification_silence_matchers(context->settings->rules, never, row->alert, &matchers)) {
        page_html(page, "never silenced");
        return;
    }
    page_html(page, "<a href=\"");
    page_path(page, "/silences/new?matchers=", buf_cstr(&matchers), true);
    page_html(page, "\">Silence<span class=\"unseen\"> ");
    page_text(page, alert_label_value(row->alert, "resource_name"));
    page_html(page, "</span></a>");
}

static bool append_row(struct walk *walk, const struct alert_row *row, struct error *error)
{
    struct page *page = walk->table.page;
    page_table_row(&walk->table);
    page_table_cell(&walk->table);
    if (!alert_row_title(page, walk->context, row->alert, error))
        return false;
    page_table_cell(&walk->table);
    page_age(page, row->alert->starts_at);
    page_table_cell(&walk->table);
    if (!alert_row_why(page, walk->context, row, error))
        return false;
    if (walk->forms->denied)
        return true;
    page_table_cell(&walk->table);
    append_act(page, walk->context, row);
    return true;
}

static bool visit(void *context, const struct alert *alert, struct error *error)
{
    struct walk *walk = context;
    const struct alerts_page *asked = walk->asked;
    struct alert_row row;
    enum match_answer answer =
        match_ask(asked->filter, alert->labels, alert->label_count, walk->context->budget);
    if (answer == MATCH_LIMIT)
        return error_set(error, ERROR_LIMIT, "the regular expressions of the filter take too long");
    if (answer == MATCH_NO)
        return true;
    if (!alert_row_find(walk->context, alert, walk->page->now, &row, error))
        return false;
    size_t place = walk->counts[row.place]++;
    if (row.place != asked->place || place < asked->from)
        return true;
    walk->stopped = walk->stops && place >= asked->from + ROWS_A_PAGE;
    if (walk->stopped)
        return false;
    return place >= asked->from + ROWS_A_PAGE || append_row(walk, &row, error);
}

/* --- counts ----------------------------------------------------------------------------------- */

/* Whether an alert's labels have to be looked at to say where it stands. */
static bool asks_labels(const struct walk *walk)
{
    const struct silence_list *silences = walk->context->silences;
    return walk->asked->filter->count || walk->context->inhibits ||
           (silences->count && silence_state(&silences->silences[0], walk->page->now) ==
                                   SILENCE_ACTIVE); /* these are the first */
}

/* Walk those of a state, or only count them where nothing of them is asked. */
static bool walk_state(struct walk *walk, enum alert_state state, enum alert_row_place place,
                       struct error *error)
{
    struct database *database = walk->context->database;
    bool shown = (walk->asked->place == ALERT_ROW_PENDING) == (state == ALERT_PENDING);
    int64_t count = 0;
    walk->stops = !asks_labels(walk);
    walk->stopped = false;
    if (walk->stops && !active_count(database, state, &count, error))
        return false;
    if ((shown || !walk->stops) && !active_each(database, state, visit, walk, error) &&
        !walk->stopped)
        return false;
    if (walk->stops)
        walk->counts[place] = (size_t)count;
    return true;
}

/* --- the page --------------------------------------------------------------------------------- */

static void append_places(struct page *page, const size_t counts[], enum alert_row_place here)
{
    static const char *const names[] = { "Firing", "Pending", "Silenced", "Inhibited" };
    page_html(page, "<ul class=\"tiles\">\n");
    for (int i = 0; i < ALERT_ROW_PLACES; i++) {
        CLEANUP(buf_finish) struct buf path = { 0 };
        buf_printf(&path, "/alerts?state=%s", alerts_page_words[i]);
        page_html(page, "<li><a href=\"");
        page_path(page, buf_cstr(&path), NULL, true);
        buf_printf(page->out, "\"%s>%s</a> <b>", i == (int)here ? " aria-current=\"true\"" : "",
                   names[i]);
        page_number(page, counts[i]);
        page_html(page, "</b></li>\n");
    }
    page_html(page, "</ul>\n");
}

static void append_filter(struct page *page, enum alert_row_place place)
{
    page_html(page, "<form class=\"filter\" method=\"get\" action=\"");
    page_path(page, "/alerts", NULL, false);
    page_html(page, "\">");
    page_form_hidden(page, "state", alerts_page_words[place]);
    page_html(page, "<label for=\"filter\">Filter</label><input id=\"filter\" name=\"filter\" "
                    "placeholder=\"alertname=&quot;...&quot;, risk_level=~&quot;critical|high&quot;"
                    "\" value=\"");
    page_text(page, page->filter);
    page_html(page, "\"><button>Show</button></form>\n");
}

/* Why there is none. */
static void append_none(struct page *page, enum alert_row_place place)
{
    static const char *const none[] = {
        [ALERT_ROW_FIRING] = "Of what could be seen, no alert fires that nothing mutes.",
        [ALERT_ROW_PENDING] = "No alert waits to fire.",
        [ALERT_ROW_SILENCED] = "No alert that fires is silenced.",
        [ALERT_ROW_INHIBITED] = "No alert that fires is inhibited by another.",
    };
    page_paragraph(page, none[place]);
    if (*page->filter)
        page_paragraph(page, "Only alerts with these labels were looked at.");
}

static void append_next(struct page *page, const struct walk *walk)
{
    const struct alerts_page *asked = walk->asked;
    size_t next = asked->from + ROWS_A_PAGE, count = walk->counts[asked->place];
    CLEANUP(buf_finish) struct buf path = { 0 };
    if (next >= count)
        return;
    buf_printf(&path, "/alerts?state=%s&from=%zu", alerts_page_words[asked->place], next);
    page_html(page, "<p><a href=\"");
    page_path(page, buf_cstr(&path), NULL, true);
    page_html(page, "\">The next of ");
    page_number(page, count);
    page_html(page, "</a></p>\n");
}

bool alerts_page(struct page *page, const struct page_forms *forms,
                 const struct alert_row_context *context, const struct alerts_page *asked,
                 struct error *error)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct page inner = *page;
    struct walk walk = { page, forms, context, asked,
                         .table = { &inner, forms->denied ? no_acts : columns } };
    inner.out = &rows;
    page_table_begin(&walk.table, "Worst risk first, then oldest");
    if (!walk_state(&walk, ALERT_FIRING, ALERT_ROW_FIRING, error) ||
        !walk_state(&walk, ALERT_PENDING, ALERT_ROW_PENDING, error))
        return false;
    page_table_end(&walk.table);
    page_begin(page, PAGE_ALERTS, "Alerts");
    if (*asked->trouble)
        page_form_wrong(page, asked->trouble);
    append_places(page, walk.counts, asked->place);
    append_filter(page, asked->place);
    page_form_denied(page, forms);
    if (walk.counts[asked->place] > asked->from)
        page_html(page, buf_cstr(&rows));
    else
        append_none(page, asked->place);
    append_next(page, &walk);
    page_end(page);
    return true;
}
