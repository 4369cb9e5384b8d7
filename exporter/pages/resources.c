#include "exporter/pages/resources.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/text/resource_type.h"
#include "alerts/view/view_resources.h"
#include "collectors/attack_paths_across.h"
#include "collectors/baselines_explain.h"
#include "collectors/collector.h"
#include "collectors/prerequisites.h"
#include "exporter/pages/known.h"
#include "exporter/pages/told.h"

enum { ROWS_A_PAGE = 200 };

/* --- all of them ------------------------------------------------------------------------------ */

static enum risk_level worst_of(const struct view_resource *resource)
{
    int risk = 0;
    while (risk < RISK_NOT_EVALUATED && !resource->by_risk[risk])
        risk++;
    return (enum risk_level)risk;
}

static void append_resource(struct page_table *table, const struct view *view,
                            const struct view_resource *resource)
{
    struct page *page = table->page;
    const struct notification_context names = { .snapshot = view->snapshot };
    const uint32_t *numbers = view_resources_of(view)->grouped + resource->first;
    struct finding finding;
    char scratch[PART_ID_BYTES];
    view_finding(view, numbers[0], &finding, scratch);
    page_table_row(table);
    page_table_cell(table);
    page_link(page, "/resource?id=", finding.resource_id, true, told_finding_name(page, &finding));
    page_table_cell(table);
    page_text(page, resource_type_words(finding.resource_type));
    page_table_cell(table);
    page_text(page, finding.resource_group);
    page_table_cell(table);
    page_text(page, notification_names_subscription(&names, finding.subscription_id, page->arena));
    page_table_cell(table);
    page_risk(page, worst_of(resource));
    page_table_cell(table);
    page_number(page, resource->by_risk[worst_of(resource)]);
    page_table_cell(table);
    page_number(page, resource->count);
    page_table_cell(table);
    if (resource->overdue)
        page_number(page, resource->overdue);
    page_table_cell(table);
    page_age(page, resource->oldest_at);
}

void resources_list(struct page *page, const struct view *view, size_t from)
{
    static const struct page_column columns[] = {
        { "Resource", false },     { "Type", false },   { "Group", false },
        { "Subscription", false }, { "Worst", false },  { "Of that level", true },
        { "All", true },           { "Overdue", true }, { "Oldest", true },
        { NULL, false },
    };
    const struct view_resources *resources = view_resources_of(view);
    struct page_table table = { page, columns };
    page_begin(page, PAGE_RESOURCES, "Resources");
    page_filter(page, "/resources", NULL);
    if (!resources->count)
        page_empty(page);
    if (from < resources->count) {
        page_table_begin(&table, "Open findings by resource, most of the worst level first");
        for (size_t i = from; i < resources->count && i < from + ROWS_A_PAGE; i++)
            append_resource(&table, view, &resources->list[i]);
        page_table_end(&table);
    }
    page_more(page, "/resources", from, ROWS_A_PAGE, resources->count);
    page_end(page);
}

/* --- one of them ------------------------------------------------------------------------------ */

/* What a finding is, as people look for it. */
enum kind { KIND_RECOMMENDATION, KIND_RULE, KIND_ATTACK_PATH, KIND_ALERT, KIND_COUNT };

static enum kind kind_of(const struct finding *finding)
{
    if (finding->source->collector->baseline_rules)
        return KIND_RULE;
    if (finding->source->collector->security_alerts)
        return KIND_ALERT;
    return strncmp(finding->assessment_id, FINDING_ATTACK_PATH, strlen(FINDING_ATTACK_PATH))
               ? KIND_RECOMMENDATION
               : KIND_ATTACK_PATH;
}

static const struct page_column wrong[] = {
    { "What is wrong", false }, { "Risk", false }, { "Open", true },
    { "Due", false },           { NULL, false },
};
static const struct page_column rules[] = {
    { "Rule", false },     { "Risk", false },  { "Open", true }, { "Due", false },
    { "Expected", false }, { "Found", false }, { NULL, false },
};
static const struct page_column paths[] = {
    { "Attack path", false }, { "Risk", false },          { "Open", true },
    { "Due", false },         { "Leads through", false }, { NULL, false },
};

/* How each kind is listed, and by which collector it is told. */
static const struct {
    const char *title, *caption, *collector;
    const struct page_column *columns;
} kinds[KIND_COUNT] = {
    [KIND_RECOMMENDATION] = { "Recommendations", "Open findings, worst first", "assessments",
                              wrong },
    [KIND_RULE] = { "Baseline rules", "Rules that fail on it, worst first", "baselines", rules },
    [KIND_ATTACK_PATH] = { "Attack paths", "Paths that end here, worst first", "attack_paths",
                           paths },
    [KIND_ALERT] = { "Security alerts", "Active alerts, worst first", "security_alerts", wrong },
};

/* What else a row says. */
static void append_more(struct page_table *table, const struct view *view, enum kind kind,
                        const struct finding *finding)
{
    struct page *page = table->page;
    struct baselines_explained explained = { .found = "", .expected = "" };
    const struct attack_path *path = attack_paths_across_find(view->snapshot, &finding->id);
    if (kind == KIND_RULE) {
        baselines_explain(view->snapshot, finding, page->arena, &explained);
        page_table_cell(table);
        page_text(page, explained.expected);
        page_table_cell(table);
        page_text(page, explained.found);
    } else if (kind == KIND_ATTACK_PATH) {
        page_table_cell(table);
        page_text(page, path ? path->chain : "");
    }
}

static void append_finding(struct page_table *table, const struct view *view, enum kind kind,
                           uint32_t number)
{
    struct page *page = table->page;
    const struct view_finding *at = &view->findings[number];
    const struct view_recommendation *of =
        &view->recommendations[view_recommendation_of(view, number)];
    struct finding finding;
    char scratch[PART_ID_BYTES], id[17];
    view_finding(view, number, &finding, scratch);
    page_table_row(table);
    page_table_cell(table);
    page_link(page, "/f/", finding_id_text(&finding.id, id), false,
              *of->title ? of->title : of->assessment_id);
    page_table_cell(table);
    page_risk(page, finding.risk);
    page_table_cell(table);
    page_age(page, at->opened_at);
    page_table_cell(table);
    page_due(page, at->due_at);
    append_more(table, view, kind, &finding);
}

static void append_kind(struct page *page, const struct view *view,
                        const struct view_resource *resource, enum kind kind)
{
    const uint32_t *numbers = view_resources_of(view)->grouped + resource->first;
    struct page_table table = { page, kinds[kind].columns };
    size_t count = 0;
    for (size_t i = 0; i < resource->count; i++) {
        struct finding finding;
        char scratch[PART_ID_BYTES];
        view_finding(view, numbers[i], &finding, scratch);
        if (kind_of(&finding) != kind)
            continue;
        if (!count++) {
            page_heading(page, kinds[kind].title);
            page_table_begin(&table, kinds[kind].caption);
        }
        append_finding(&table, view, kind, numbers[i]);
    }
    if (count)
        page_table_end(&table);
}

/* --- what it is ------------------------------------------------------------------------------- */

struct unassessed {
    struct page *page;
    const char *resource_id;
    const char *why; /* "" = it is none that is not assessed */
};

static void visit_unassessed(void *context, const struct prerequisites_unassessed *machine)
{
    struct unassessed *looking = context;
    if (!strcmp(machine->machine_id, looking->resource_id))
        looking->why = arena_text(looking->page->arena, machine->why);
}

static void append_facts(struct page *page, const struct view *view,
                         const struct view_resource *resource)
{
    const struct notification_context names = { .snapshot = view->snapshot };
    struct finding finding;
    char scratch[PART_ID_BYTES];
    view_finding(view, view_resources_of(view)->grouped[resource->first], &finding, scratch);
    page_html(page, "<div class=\"card\"><dl>\n<dt>Open findings</dt><dd>");
    for (int risk = 0; risk < RISK_COUNT; risk++)
        if (resource->by_risk[risk]) {
            page_number(page, resource->by_risk[risk]);
            page_html(page, " ");
            page_risk(page, (enum risk_level)risk);
            page_html(page, " ");
        }
    page_html(page, "</dd>\n<dt>Oldest</dt><dd>");
    page_age(page, resource->oldest_at);
    page_html(page, "</dd>\n");
    if (resource->overdue) {
        page_html(page, "<dt>Overdue</dt><dd><b class=\"bad\">");
        page_number(page, resource->overdue);
        page_html(page, "</b></dd>\n");
    }
    told_fact(page, "Type", resource_type_words(finding.resource_type));
    told_fact(page, "Resource group", finding.resource_group);
    told_fact(page, "Subscription",
              notification_names_subscription(&names, finding.subscription_id, page->arena));
    told_fact(page, "Cloud", cloud_kind_names[finding.cloud]);
    told_fact(page, "Account", finding.account);
    told_fact(page, "Region", finding.location);
    told_fact(page, "Native id", finding.native_id);
    told_fact(page, "Resource", finding.resource_id);
    page_html(page, "</dl></div>\n");
}

bool resources_one(struct page *page, const struct view *view, const char *resource_id)
{
    char *id = arena_text(page->arena, resource_id);
    for (char *c = id; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
    const struct view_resource *resource = view_resources_find(view, id);
    struct unassessed looking = { page, id, "" };
    prerequisites_each(view->snapshot, visit_unassessed, &looking);
    if (!resource && !*looking.why)
        return false;
    page_begin(page, PAGE_RESOURCES, told_resource_name(page, id));
    if (*looking.why) {
        page_html(page, "<p class=\"wait\">Its system is not assessed, or not any more: it ");
        page_text(page, looking.why);
        page_html(page, ".</p>\n");
    }
    for (int kind = 0; kind < KIND_COUNT; kind++)
        known_warn(page, kinds[kind].collector);
    if (resource) {
        append_facts(page, view, resource);
        for (int kind = 0; kind < KIND_COUNT; kind++)
            append_kind(page, view, resource, (enum kind)kind);
    } else {
        page_paragraph(page, id);
        page_empty(page);
    }
    page_end(page);
    return true;
}
