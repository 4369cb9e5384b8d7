#include "exporter/pages/recommendations.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/text/quantity.h"
#include "alerts/text/resource_type.h"

enum { RESOURCES_A_PAGE = 200, TOLD_MAX = 64 };

/* --- all of them ------------------------------------------------------------------------------ */

static const char *name_of(const struct view_recommendation *recommendation)
{
    return *recommendation->title ? recommendation->title : recommendation->assessment_id;
}

static void append_points(struct page *page, double points)
{
    if (points > 0)
        buf_printf(page->out, "+%.2f", points);
}

static void append_row(struct page_table *table, const struct view_recommendation *recommendation,
                       enum risk_level risk)
{
    struct page *page = table->page;
    page_table_row(table);
    page_table_cell(table);
    page_html(page, "<a href=\"");
    page_path(page, "/recommendations/", recommendation->assessment_id, true);
    page_html(page, "\">");
    page_text(page, name_of(recommendation));
    page_html(page, "</a>");
    page_table_cell(table);
    page_number(page, recommendation->by_risk[risk]);
    page_table_cell(table);
    page_age(page, recommendation->oldest_by_risk[risk]);
    page_table_cell(table);
    if (recommendation->overdue_by_risk[risk])
        page_number(page, recommendation->overdue_by_risk[risk]);
    page_table_cell(table);
    append_points(page, recommendation->points);
    page_table_cell(table);
    if (recommendation->attack_paths)
        page_number(page, recommendation->attack_paths);
    page_table_cell(table);
    page_text(page, recommendation->source->name);
}

static void append_level(struct page *page, const struct view *view, enum risk_level risk)
{
    static const struct page_column columns[] = {
        { "Recommendation", false }, { "Findings", true }, { "Oldest", true },
        { "Overdue", true },         { "Points", true },   { "Attack paths", true },
        { "From", false },           { NULL, false },
    };
    struct page_table table = { page, columns };
    CLEANUP(buf_finish) struct buf caption = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < view->recommendation_count; i++)
        count += view->recommendations[i].by_risk[risk] > 0;
    if (!count)
        return;
    buf_printf(page->out, "<h2 id=\"%s\">", finding_risk_words[risk]);
    page_risk(page, risk);
    page_html(page, "</h2>\n");
    buf_printf(&caption, "%zu recommendation%s, %zu finding%s", count, count == 1 ? "" : "s",
               view->by_risk[risk], view->by_risk[risk] == 1 ? "" : "s");
    page_table_begin(&table, buf_cstr(&caption));
    for (size_t i = 0; i < view->recommendation_count; i++)
        if (view->recommendations[i].by_risk[risk])
            append_row(&table, &view->recommendations[i], risk);
    page_table_end(&table);
}

void recommendations_list(struct page *page, const struct view *view)
{
    page_begin(page, PAGE_RECOMMENDATIONS, "Recommendations");
    page_filter(page, "/recommendations");
    if (!view->count)
        page_empty(page);
    for (int risk = 0; risk < RISK_COUNT; risk++)
        append_level(page, view, (enum risk_level)risk);
    page_end(page);
}

/* --- one of them ------------------------------------------------------------------------------ */

/* Its first findings, as many as a message tells of. */
static const struct notification_block *tell(const struct page *page,
                                             const struct told_context *context,
                                             const struct view_recommendation *recommendation,
                                             struct error *error)
{
    size_t count = recommendation->count < TOLD_MAX ? recommendation->count : TOLD_MAX;
    struct told_finding *findings = arena_zalloc(page->arena, count * sizeof *findings);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = context->view->grouped[recommendation->first + i];
        const struct view_finding *at = &context->view->findings[number];
        char *scratch = arena_zalloc(page->arena, PART_ID_BYTES);
        findings[i] = (struct told_finding){
            .open = true,
            .opened_at = at->opened_at,
            .due_at = at->due_at,
            .reason = "",
        };
        view_finding(context->view, number, &findings[i].finding, scratch);
    }
    return told_block(page, context, findings, count, error);
}

static void append_facts(struct page *page, const struct view_recommendation *recommendation,
                         const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf points = { 0 };
    page_html(page, "<div class=\"card\"><dl>\n<dt>Worst risk</dt><dd>");
    page_risk(page, recommendation->risk);
    page_html(page, "</dd>\n<dt>Open findings</dt><dd>");
    page_number(page, recommendation->count);
    page_html(page, "</dd>\n<dt>Oldest</dt><dd>");
    page_age(page, recommendation->oldest_at);
    page_html(page, "</dd>\n");
    if (recommendation->overdue) {
        page_html(page, "<dt>Overdue</dt><dd><b class=\"bad\">");
        page_number(page, recommendation->overdue);
        page_html(page, "</b></dd>\n");
    }
    if (recommendation->points > 0) {
        quantity_write(&points, recommendation->points, "points", 2);
        told_fact(page, "Points to gain", buf_cstr(&points));
    }
    told_facts(page, block);
    page_html(page, "</dl></div>\n");
}

static void append_resource(struct page_table *table, const struct view *view,
                            const struct notification_context *names, uint32_t number)
{
    struct page *page = table->page;
    const struct view_finding *at = &view->findings[number];
    char scratch[PART_ID_BYTES];
    struct finding finding;
    view_finding(view, number, &finding, scratch);
    page_table_row(table);
    page_table_cell(table);
    told_finding_link(page, &finding);
    page_table_cell(table);
    page_risk(page, finding.risk);
    page_table_cell(table);
    page_text(page, resource_type_words(finding.resource_type));
    page_table_cell(table);
    page_text(page, finding.resource_group);
    page_table_cell(table);
    page_text(page, notification_names_subscription(names, finding.subscription_id, page->arena));
    page_table_cell(table);
    page_age(page, at->opened_at);
    page_table_cell(table);
    page_due(page, at->due_at);
}

/* Lead on to those after `to`. */
static void append_next(struct page *page, const struct view_recommendation *recommendation,
                        size_t to)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    struct page inner = *page;
    if (to >= recommendation->count)
        return;
    inner.out = &path;
    inner.prefix = "";
    page_path(&inner, "/recommendations/", recommendation->assessment_id, false);
    page_html(page, "<p><a href=\"");
    page_text(page, page->prefix);
    buf_printf(page->out, "%s?from=%zu", buf_cstr(&path), to);
    inner.filter = page->filter;
    buf_reset(&path);
    page_path(&inner, "?", NULL, true);
    page_html(page, *page->filter ? buf_cstr(&path) + 1 : "");
    buf_printf(page->out, "\">The next of %zu</a></p>\n", recommendation->count);
}

static void append_resources(struct page *page, const struct view *view,
                             const struct view_recommendation *recommendation, size_t from)
{
    static const struct page_column columns[] = {
        { "Resource", false },     { "Risk", false }, { "Type", false }, { "Group", false },
        { "Subscription", false }, { "Open", true },  { "Due", false },  { NULL, false },
    };
    const struct notification_context names = { .snapshot = view->snapshot };
    struct page_table table = { page, columns };
    size_t to = from + RESOURCES_A_PAGE < recommendation->count ? from + RESOURCES_A_PAGE
                                                                : recommendation->count;
    page_heading(page, "Affected resources");
    page_table_begin(&table, "Worst first, then oldest");
    for (size_t i = from; i < to; i++)
        append_resource(&table, view, &names, view->grouped[recommendation->first + i]);
    page_table_end(&table);
    append_next(page, recommendation, to);
}

bool recommendations_one(struct page *page, const struct told_context *context,
                         const char *assessment_id, size_t from, struct error *error)
{
    const struct view_recommendation *recommendation =
        view_recommendation_find(context->view, assessment_id);
    if (!recommendation || from >= recommendation->count)
        return error_set(error, ERROR_NOT_FOUND, "no finding of this recommendation is open");
    const struct notification_block *block = tell(page, context, recommendation, error);
    if (!block)
        return false;
    page_begin(page, PAGE_RECOMMENDATIONS, name_of(recommendation));
    told_links(page, block);
    append_facts(page, recommendation, block);
    told_sections(page, block);
    append_resources(page, context->view, recommendation, from);
    page_end(page);
    return true;
}
