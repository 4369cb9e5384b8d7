#include "exporter/pages/fix_first.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/points.h"
#include "collectors/catalogue.h"
#include "core/memory.h"

enum { ROWS_MAX = 100 };

/* --- the order -------------------------------------------------------------------------------- */

static int compare_gains(const void *left, const void *right)
{
    const struct view_recommendation *a = *(const struct view_recommendation *const *)left;
    const struct view_recommendation *b = *(const struct view_recommendation *const *)right;
    if (a->points != b->points)
        return a->points > b->points ? -1 : 1;
    return (a > b) - (a < b); /* as the view has them: worst first */
}

const struct view_recommendation **fix_first_order(const struct view *view)
{
    size_t count = view->recommendation_count;
    const struct view_recommendation **rows =
        MEMORY_ARRAY(const struct view_recommendation *, count + 1);
    for (size_t i = 0; i < count; i++)
        rows[i] = &view->recommendations[i];
    qsort(rows, count, sizeof *rows, compare_gains);
    return rows;
}

/* --- what is chosen --------------------------------------------------------------------------- */

static bool is_picked(const char *id, const char *const *picks, size_t pick_count)
{
    for (size_t i = 0; i < pick_count; i++)
        if (!strcmp(picks[i], id))
            return true;
    return false;
}

/* "5 chosen: +9.20 points, 53.8 % to 69.7 %; 34 findings closed, 3 of them overdue." */
static void append_sum(struct page *page, const struct view *view, const char *const *picks,
                       size_t pick_count)
{
    size_t chosen = 0, findings = 0, overdue = 0;
    for (size_t i = 0; i < view->recommendation_count; i++) {
        const struct view_recommendation *row = &view->recommendations[i];
        if (!is_picked(row->assessment_id, picks, pick_count))
            continue;
        chosen++;
        findings += row->count;
        overdue += row->overdue;
    }
    struct points_gain gain = points_together(view->snapshot, picks, pick_count);
    if (!chosen) {
        page_paragraph(page, "Choose recommendations and see what they gain together: a resource "
                             "that fails several counts once all of them are done.");
        return;
    }
    buf_printf(page->out, "<p role=\"status\"><b>%zu chosen: +%.2f points", chosen, gain.points);
    if (!isnan(gain.ratio_before))
        buf_printf(page->out, ", %.1f %% to %.1f %%", 100 * gain.ratio_before,
                   100 * gain.ratio_after);
    page_html(page, "</b>; ");
    page_number(page, findings);
    page_html(page, " findings closed, ");
    page_number(page, overdue);
    page_html(page, " of them overdue.</p>\n");
}

/* --- the page --------------------------------------------------------------------------------- */

static void append_row(struct page_table *table, const struct view_recommendation *row, bool picked)
{
    struct page *page = table->page;
    const struct catalogue_entry *known =
        catalogue_find(page->snapshot, row->source->tenant, row->assessment_id);
    page_table_row(table);
    page_table_cell(table);
    page_html(page, "<label><input type=\"checkbox\" name=\"pick\" value=\"");
    page_text(page, row->assessment_id);
    page_html(page, picked ? "\" checked> " : "\"> ");
    page_text(page, *row->title ? row->title : row->assessment_id);
    page_html(page, "</label>");
    page_table_cell(table);
    if (row->points > 0)
        buf_printf(page->out, "+%.2f", row->points);
    page_table_cell(table);
    page_number(page, row->count);
    page_table_cell(table);
    if (row->overdue)
        page_number(page, row->overdue);
    page_table_cell(table);
    if (row->attack_paths)
        page_number(page, row->attack_paths);
    page_table_cell(table);
    page_risk(page, row->risk);
    page_table_cell(table);
    page_text(page, known ? known->effort : "");
    page_table_cell(table);
    page_html(page, "<a href=\"");
    page_path(page, "/recommendations/", row->assessment_id, true);
    page_html(page, "\">How</a>");
}

static void append_rows(struct page *page, const struct view *view, const char *const *picks,
                        size_t pick_count)
{
    static const struct page_column columns[] = {
        { "Recommendation", false }, { "Points", true },       { "Findings", true },
        { "Overdue", true },         { "Attack paths", true }, { "Worst", false },
        { "Effort", false },         { "Steps", false },       { NULL, false },
    };
    struct page_table table = { page, columns };
    const struct view_recommendation **rows = fix_first_order(view);
    page_table_begin(&table, "Most points of the secure score first, then worst risk");
    for (size_t i = 0; i < view->recommendation_count && i < ROWS_MAX; i++)
        append_row(&table, rows[i], is_picked(rows[i]->assessment_id, picks, pick_count));
    page_table_end(&table);
    free(rows);
}

void fix_first_page(struct page *page, const struct view *view, const char *const *picks,
                    size_t pick_count)
{
    page_begin(page, PAGE_FIX_FIRST, "Fix first");
    if (!view->count) {
        page_empty(page);
        page_end(page);
        return;
    }
    append_sum(page, view, picks, pick_count);
    page_html(page, "<form method=\"get\" action=\"");
    page_path(page, "/fix-first", NULL, false);
    page_html(page, "\"><p><button>What do they gain?</button></p>\n");
    if (*page->filter) {
        page_html(page, "<input type=\"hidden\" name=\"filter\" value=\"");
        page_text(page, page->filter);
        page_html(page, "\">\n");
    }
    append_rows(page, view, picks, pick_count);
    page_html(page, "<p><button>What do they gain?</button></p></form>\n");
    page_end(page);
}
