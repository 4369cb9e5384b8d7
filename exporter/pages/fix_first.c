#include "exporter/pages/fix_first.h"

#include <math.h>
#include <string.h>

#include "alerts/view/view_plan.h"
#include "collectors/catalogue.h"

enum { ROWS_MAX = 100 };

/* --- what is chosen --------------------------------------------------------------------------- */

/* "5 chosen: +9.20 points, 53.8 % to 69.7 %; 34 findings closed, 3 of them overdue." */
static void append_sum(struct page *page, const struct view *view, const char *const *picks,
                       size_t pick_count)
{
    struct view_plan_gain gain = view_plan_together(view, picks, pick_count);
    if (!gain.chosen) {
        page_paragraph(page, "Choose recommendations and see what they gain together: a resource "
                             "that fails several counts once all of them are done.");
        return;
    }
    buf_printf(page->out, "<p role=\"status\"><b>%zu chosen: +%.2f points", gain.chosen,
               gain.points);
    if (!isnan(gain.ratio_before))
        buf_printf(page->out, ", %.1f %% to %.1f %%", 100 * gain.ratio_before,
                   100 * gain.ratio_after);
    page_html(page, "</b>; ");
    page_number(page, gain.findings);
    page_html(page, " findings closed, ");
    page_number(page, gain.overdue);
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
    const struct view_recommendation *const *rows = view_plan_of(view);
    page_table_begin(&table, "Most points of the secure score first, then worst risk");
    for (size_t i = 0; i < view->recommendation_count && i < ROWS_MAX; i++)
        append_row(&table, rows[i], view_plan_is_picked(rows[i]->assessment_id, picks, pick_count));
    page_table_end(&table);
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
