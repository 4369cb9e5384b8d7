#include "exporter/pages/recommendations.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/text/quantity.h"
#include "alerts/text/resource_type.h"
#include "collectors/baselines_explain.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "exporter/pages/recommendation_past.h"

enum { RESOURCES_A_PAGE = 200, TOLD_MAX = 64 };

static const char *name_of(const struct view_recommendation *recommendation)
{
    return *recommendation->title ? recommendation->title : recommendation->assessment_id;
}

/* Its first findings, as many as a message tells of. */
static const struct notification_block *tell(const struct page *page,
                                             const struct told_context *context,
                                             const struct view_recommendation *recommendation,
                                             struct told_finding **told, struct error *error)
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
    *told = findings;
    return told_block(page, context, findings, count, error);
}

static void append_facts(struct page *page, const struct view_recommendation *recommendation,
                         const struct finding *finding, const struct notification_block *block)
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
    told_facts(page, finding, block);
    page_html(page, "</dl></div>\n");
}

/* Which columns there are, and what is listed. */
struct listing {
    const struct told_context *context;
    const struct view_recommendation *recommendation;
    enum view_order order;
    bool owners, rules; /* whom they are assigned to; what was found on each */
    struct page_table table;
};

static void append_found(struct listing *listing, const struct finding *finding)
{
    struct page *page = listing->table.page;
    struct baselines_explained explained = { .found = "" };
    baselines_explain(listing->context->view->snapshot, finding, page->arena, &explained);
    page_table_cell(&listing->table);
    page_text(page, explained.found);
}

static void append_resource(struct listing *listing, uint32_t number)
{
    struct page_table *table = &listing->table;
    struct page *page = table->page;
    const struct view *view = listing->context->view;
    const struct notification_context names = { .snapshot = view->snapshot };
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
    page_text(page, notification_names_subscription(&names, finding.subscription_id, page->arena));
    page_table_cell(table);
    page_age(page, at->opened_at);
    page_table_cell(table);
    page_due(page, at->due_at);
    if (listing->owners) {
        page_table_cell(table);
        page_text(page, told_owner(listing->context, &finding));
    }
    if (listing->rules)
        append_found(listing, &finding);
}

/* Numbers of its findings in the order that is asked for. */
static const uint32_t *order_of(const struct listing *listing, struct arena *arena)
{
    const struct view *view = listing->context->view;
    const struct view_recommendation *of = listing->recommendation;
    size_t count = 0, index = (size_t)(of - view->recommendations);
    if (listing->order == VIEW_BY_RISK)
        return view->grouped + of->first;
    uint32_t *numbers = arena_alloc(arena, of->count * sizeof *numbers);
    const uint32_t *order = view_order(view, listing->order);
    for (size_t i = 0; i < view->count && count < of->count; i++)
        if (view_recommendation_of(view, order[i]) == index)
            numbers[count++] = order[i];
    return numbers;
}

static void append_table(struct page *page, struct listing *listing, size_t from)
{
    struct page_column columns[] = {
        { "Resource", false },     { "Risk", false }, { "Type", false }, { "Group", false },
        { "Subscription", false }, { "Open", true },  { "Due", false },  { NULL, false },
        { NULL, false },           { NULL, false },
    };
    size_t count = listing->recommendation->count, column = 7;
    const uint32_t *numbers = order_of(listing, page->arena);
    if (listing->owners)
        columns[column++].name = "Owner";
    if (listing->rules)
        columns[column].name = "Found";
    listing->table = (struct page_table){ page, columns };
    page_table_begin(&listing->table, "Open findings, each leading to its page");
    for (size_t i = from; i < count && i < from + RESOURCES_A_PAGE; i++)
        append_resource(listing, numbers[i]);
    page_table_end(&listing->table);
}

static void append_resources(struct page *page, struct listing *listing,
                             const struct recommendations_one_asked *asked)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    CLEANUP(buf_finish) struct buf ordered = { 0 };
    buf_text(&path, "/recommendations/");
    page_segment(&path, asked->assessment_id);
    page_query(&ordered, buf_cstr(&path), "order", asked->order);
    page_heading(page, "Affected resources");
    page_choices(page, "In the order of", buf_cstr(&path), "order", view_order_words,
                 view_order_words[listing->order]);
    append_table(page, listing, asked->from);
    page_more(page, buf_cstr(&ordered), asked->from, RESOURCES_A_PAGE,
              listing->recommendation->count);
}

/* The order of such a word; VIEW_ORDER_COUNT when it is none, risk when there is none. */
static int order_named(const char *word)
{
    int order = *word ? 0 : VIEW_BY_RISK;
    while (*word && order < VIEW_ORDER_COUNT && strcmp(view_order_words[order], word) != 0)
        order++;
    return order;
}

/* One of which nothing is open: what is remembered of it, or why there is no page. */
static bool append_over(struct page *page, const struct told_context *context, const char *id,
                        struct error *error)
{
    const struct catalogue_entry *known = catalogue_find(context->view->snapshot, NULL, id);
    const struct recommendation_past *past = recommendation_past_read(page, context, id, error);
    if (!past)
        return false;
    if (recommendation_past_is_known(past)) {
        page_begin(page, PAGE_RECOMMENDATIONS, known && *known->title ? known->title : id);
        page_empty(page);
        recommendation_past_append(past);
        page_end(page);
        return true;
    }
    if (known)
        return error_set(error, ERROR_NOT_FOUND,
                         "no finding of \"%.200s\" is open in what could be seen", known->title);
    return error_set(error, ERROR_NOT_FOUND,
                     "no such recommendation is known, and no finding of it is open");
}

bool recommendations_one(struct page *page, const struct told_context *context,
                         const struct recommendations_one_asked *asked, struct error *error)
{
    const struct view_recommendation *recommendation =
        view_recommendation_find(context->view, asked->assessment_id);
    int order = order_named(asked->order);
    if (!recommendation)
        return append_over(page, context, asked->assessment_id, error);
    if (asked->from && asked->from >= recommendation->count)
        return error_set(error, ERROR_NOT_FOUND, "it has not so many open findings");
    if (order == VIEW_ORDER_COUNT)
        return error_set(error, ERROR_NOT_FOUND, "nothing is put in order by such a word");
    struct told_finding *findings;
    const struct notification_block *block = tell(page, context, recommendation, &findings, error);
    const struct recommendation_past *past =
        block ? recommendation_past_read(page, context, asked->assessment_id, error) : NULL;
    if (!past)
        return false;
    struct listing listing = {
        .context = context,
        .recommendation = recommendation,
        .order = (enum view_order)order,
        .owners = context->settings->config->governance_owner,
        .rules = recommendation->source->collector->baseline_rules,
    };
    page_begin(page, PAGE_RECOMMENDATIONS, name_of(recommendation));
    told_links(page, block);
    append_facts(page, recommendation, &findings[0].finding, block);
    told_sections(page, context, &findings[0].finding, block);
    append_resources(page, &listing, asked);
    recommendation_past_append(past);
    page_end(page);
    return true;
}
