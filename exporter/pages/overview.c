#include "exporter/pages/overview.h"

#include <math.h>
#include <string.h>

#include "alerts/ledger/history.h"
#include "alerts/ledger/ledger_changes.h"
#include "alerts/ledger/ledger_rows.h"
#include "alerts/ledger/points.h"
#include "alerts/view/view_plan.h"
#include "exporter/pages/controls.h"
#include "exporter/pages/told.h"
#include "exporter/pages/trend.h"

enum { FIRST_MAX = 5, CHANGES_MAX = 20, CHANGED_S = 86400, TREND_S = 90 * 86400 };

#define OVERALL "defender_secure_score_overall_ratio"

/* --- numbers ---------------------------------------------------------------------------------- */

static void append_tile(struct page *page, const char *metric)
{
    buf_printf(page->out, "<li title=\"%s\">", metric);
}

/* The score over time, and what it was. */
struct past {
    struct trend trend;
    double then[2]; /* so long ago; NAN = not told */
};
static const struct {
    int64_t ago_s;
    const char *span;
} spans[] = { { 30 * 86400, "30 d" }, { TREND_S, "90 d" } };

static void add_point(void *context, int64_t at, double value)
{
    struct past *past = context;
    trend_add(&past->trend, at, value);
    for (size_t i = 0; i < 2; i++)
        if (at <= past->trend.to - spans[i].ago_s)
            past->then[i] = value;
}

/* "+1.8 in 30 d", and its line over 90 days. */
static void append_trend(struct page *page, double ratio, struct database *database)
{
    struct past past = { { .from = page->now - TREND_S, .to = page->now }, { NAN, NAN } };
    struct error error;
    if (database && history_read(database, OVERALL, past.trend.from, add_point, &past, &error)) {
        for (size_t i = 0; i < 2 && !isnan(ratio); i++)
            if (!isnan(past.then[i]))
                buf_printf(page->out, " <small>%+.1f in %s</small>", 100 * (ratio - past.then[i]),
                           spans[i].span);
        trend_write(page, &past.trend, "Secure score of the last 90 days");
    }
    trend_finish(&past.trend);
}

static void append_score(struct page *page, const struct view *view, struct database *database)
{
    double ratio = points_together(view->snapshot, NULL, 0).ratio_before;
    append_tile(page, OVERALL);
    page_link(page, "/controls", NULL, true, "Secure score");
    page_html(page, " <b>");
    if (isnan(ratio))
        page_html(page, "-");
    else
        buf_printf(page->out, "%.1f %%", 100 * ratio);
    page_html(page, "</b>");
    append_trend(page, ratio, database);
    page_html(page, "</li>\n");
}

/* "+3 -1 in 24 h"; nothing when nothing came or went. */
static void append_change(struct page *page, const struct ledger_change *change, const char *span)
{
    if (change->came || change->went)
        buf_printf(page->out, " <small>+%lld \u2212%lld in %s</small>", (long long)change->came,
                   (long long)change->went, span);
}

/* Of all that is open: a filter is not asked of what is over. */
static void read_changes(struct page *page, struct database *database,
                         struct ledger_changes *changes)
{
    struct error error;
    if (!database || *page->filter || !ledger_changes_read(database, page->now, changes, &error))
        *changes = (struct ledger_changes){ 0 };
}

static void append_levels(struct page *page, const struct view *view, struct database *database)
{
    struct ledger_changes changes;
    read_changes(page, database, &changes);
    page_html(page, "<ul class=\"tiles\">\n");
    append_score(page, view, database);
    for (int risk = 0; risk < RISK_COUNT; risk++) {
        append_tile(page, "defender_findings");
        page_html(page, "<a href=\"");
        page_path(page, "/recommendations?by=risk&group=", finding_risk_words[risk], true);
        page_html(page, "\">");
        page_risk(page, (enum risk_level)risk);
        page_html(page, "</a> <b>");
        page_count(page, view->by_risk[risk]);
        page_html(page, "</b>");
        append_change(page, &changes.day[risk], "24 h");
        append_change(page, &changes.week[risk], "7 d");
        page_html(page, "</li>\n");
    }
    append_tile(page, "defender_findings_overdue");
    page_link(page, "/recommendations?order=due", NULL, true, "Overdue");
    page_html(page, " <b>");
    page_count(page, view->overdue);
    page_html(page, "</b></li>\n");
    append_tile(page, "defender_findings_due_soon");
    page_link(page, "/recommendations?order=due", NULL, true, "Due soon");
    page_html(page, " <b>");
    page_count(page, view->due_soon);
    page_html(page, "</b></li>\n</ul>\n");
}

/* --- what to fix first ------------------------------------------------------------------------ */

static void append_first(struct page *page, const struct view *view)
{
    static const struct page_column columns[] = {
        { "Recommendation", false }, { "Points", true }, { "Findings", true },
        { "Worst", false },          { NULL, false },
    };
    struct page_table table = { page, columns };
    size_t count = view->recommendation_count, most = count < FIRST_MAX ? count : FIRST_MAX;
    const struct view_recommendation *const *rows = view_plan_of(view);
    page_table_begin(&table, "Recommendations that gain most points of the secure score");
    for (size_t i = 0; i < most; i++) {
        page_table_row(&table);
        page_table_cell(&table);
        told_recommendation(page, rows[i]);
        page_table_cell(&table);
        if (rows[i]->points > 0)
            buf_printf(page->out, "+%.2f", rows[i]->points);
        page_table_cell(&table);
        page_number(page, rows[i]->count);
        page_table_cell(&table);
        page_risk(page, rows[i]->risk);
    }
    page_table_end(&table);
}

/* --- the oldest ------------------------------------------------------------------------------- */

static void append_oldest(struct page *page, const struct view *view)
{
    static const struct page_column columns[] = {
        { "Resource", false }, { "Risk", false }, { "Recommendation", false },
        { "Open", true },      { "Due", false },  { NULL, false },
    };
    struct page_table table = { page, columns };
    size_t most = view->count < FIRST_MAX ? view->count : FIRST_MAX;
    page_table_begin(&table, "Findings that wait longest, worst risk first");
    for (size_t i = 0; i < most; i++) {
        uint32_t number = view_order(view, VIEW_BY_RISK)[i];
        const struct view_finding *at = &view->findings[number];
        const struct view_recommendation *of =
            &view->recommendations[view_recommendation_of(view, number)];
        char scratch[PART_ID_BYTES];
        struct finding finding;
        view_finding(view, number, &finding, scratch);
        page_table_row(&table);
        page_table_cell(&table);
        told_finding_link(page, &finding);
        page_table_cell(&table);
        page_risk(page, finding.risk);
        page_table_cell(&table);
        page_text(page, *of->title ? of->title : of->assessment_id);
        page_table_cell(&table);
        page_age(page, at->opened_at);
        page_table_cell(&table);
        page_due(page, at->due_at);
    }
    page_table_end(&table);
}

/* --- what changed ----------------------------------------------------------------------------- */

/* The last events, each as a line; the newest is the last. */
struct changes {
    struct page *page;
    struct buf lines[CHANGES_MAX];
    size_t count;
};

static bool visit_change(void *context, const struct event *event, struct error *error)
{
    struct changes *changes = context;
    (void)error;
    if (event->quiet || event->at < changes->page->now - CHANGED_S || changes->count == CHANGES_MAX)
        return true;
    struct page line = *changes->page;
    line.out = &changes->lines[changes->count++];
    page_html(&line, "<li>");
    page_age(&line, event->at);
    page_html(&line, " ago \u00b7 ");
    told_event(&line, event);
    if (event->record) {
        const struct finding *finding = &event->record->finding;
        page_html(&line, " \u00b7 ");
        told_finding_link(&line, finding);
        page_html(&line, " \u00b7 ");
        page_text(&line, finding->title);
    }
    page_html(&line, "</li>\n");
    return true;
}

static void append_changes(struct page *page, const struct view *view, struct database *database)
{
    struct changes changes = { page };
    struct error error;
    int64_t last = 0;
    bool read = database && ledger_rows_last(database, &last, &error) &&
                ledger_follow(database, view->snapshot->sources, last - CHANGES_MAX, CHANGES_MAX,
                              visit_change, &changes, &last, &error);
    if (!read) {
        page_paragraph(page, "The database cannot be read now: what changed is not known.");
    } else if (!changes.count) {
        page_paragraph(page, "Nothing that is known of changed in the last 24 hours.");
    } else {
        page_html(page, "<div class=\"card\"><ol class=\"life\">\n");
        for (size_t i = changes.count; i; i--)
            page_html(page, buf_cstr(&changes.lines[i - 1]));
        page_html(page, "</ol></div>\n");
    }
    for (size_t i = 0; i < changes.count; i++)
        buf_finish(&changes.lines[i]);
}

void overview_page(struct page *page, const struct view *view, struct database *database)
{
    page_begin(page, PAGE_OVERVIEW, "Overview");
    append_levels(page, view, database);
    if (!view->count) {
        page_empty(page);
        page_end(page);
        return;
    }
    page_html(page, "<h2><a href=\"");
    page_path(page, "/fix-first", NULL, true);
    page_html(page, "\">Fix first</a></h2>\n");
    append_first(page, view);
    controls_top(page, FIRST_MAX);
    page_heading(page, "Oldest");
    append_oldest(page, view);
    page_heading(page, "What changed in 24 hours");
    append_changes(page, view, database);
    page_end(page);
}
