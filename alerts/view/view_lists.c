#include "alerts/view/view_lists.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/view/view_made.h"
#include "alerts/view/view_numbers.h"
#include "alerts/view/view_resources.h"
#include "alerts/view/view_rows.h"
#include "collectors/baselines.h"
#include "collectors/baselines_explain.h"
#include "collectors/collector.h"
#include "collectors/compliance.h"
#include "core/memory.h"

/* --- resources -------------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column resource_columns[] = {
    { "resource_id",       VIEW_TEXT,    "ARM id of the resource" },
    { "name",              VIEW_TEXT,    "Its name", true },
    { "resource_type",     VIEW_TEXT,    "Its type", true },
    { "resource_group",    VIEW_TEXT,    "Its resource group" },
    { "subscription_id",   VIEW_TEXT,    "Its subscription" },
    { "subscription_name", VIEW_TEXT,    "Name of the subscription", true },
    { "cloud",             VIEW_TEXT,    "azure, aws, gcp ..." },
    { "findings",          VIEW_INTEGER, "Open findings", true },
    { "critical",          VIEW_INTEGER, "Of them critical", true },
    { "high",              VIEW_INTEGER, "Of them high", true },
    { "medium",            VIEW_INTEGER, "Of them medium" },
    { "low",               VIEW_INTEGER, "Of them low" },
    { "not_evaluated",     VIEW_INTEGER, "Of them without a risk level" },
    { "overdue",           VIEW_INTEGER, "Of them overdue", true },
    { "oldest_at",         VIEW_TIME,    "Since when the oldest is open", true },
    { 0 },
};
/* clang-format on */

static size_t count_resources(const struct view *view)
{
    return view_resources_of(view)->count;
}

static void fill_resource(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct view_resources *all = view_resources_of(reading->view);
    const struct view_resource *resource = &all->list[row];
    char *scratch = arena_zalloc(reading->arena, PART_ID_BYTES);
    struct finding finding;
    view_finding(reading->view, all->grouped[resource->first], &finding, scratch);
    view_table_text(&value, finding.resource_id);
    view_table_text(&value, finding.resource_name);
    view_table_text(&value, finding.resource_type);
    view_table_text(&value, finding.resource_group);
    view_table_text(&value, finding.subscription_id);
    view_table_text(&value, view_table_subscription(reading, finding.subscription_id));
    view_table_text(&value, cloud_kind_words[finding.cloud]);
    view_table_integer(&value, resource->count);
    for (int risk = 0; risk < RISK_COUNT; risk++)
        view_table_integer(&value, resource->by_risk[risk]);
    view_table_integer(&value, resource->overdue);
    view_table_integer(&value, resource->oldest_at);
}

/* --- baselines -------------------------------------------------------------------------------- */

/* Recommendations that are rules of a baseline. */
struct rules {
    uint32_t *list;
    size_t count;
};

static bool is_rule(const struct view *view, uint32_t recommendation)
{
    return view->recommendations[recommendation].source->collector->baseline_rules;
}

static bool has_rules(const struct source *source, const struct part *part)
{
    (void)part;
    return source->collector->baseline_rules;
}

static const struct view_numbers *results_of(const struct view *view)
{
    return view_numbers_of(view, "baseline results", has_rules);
}

static void rules_finish(void *owner)
{
    struct rules *rules = owner;
    free(rules->list);
    free(rules);
}

static const struct rules *rules_of(const struct view *view)
{
    static const char name[] = "baseline rules";
    const struct rules *known = view_made_find(view->made, name);
    if (known)
        return known;
    struct rules *rules = MEMORY_NEW(struct rules);
    rules->list = MEMORY_ARRAY(uint32_t, view->recommendation_count + 1);
    for (uint32_t i = 0; i < view->recommendation_count; i++)
        if (is_rule(view, i))
            rules->list[rules->count++] = i;
    return view_made_keep(view->made, name, rules, rules_finish);
}

/* "windows", "linux"; as it is told when it is neither. */
static const char *system_of(const char *category)
{
    static const char *const words[BASELINE_COUNT] = { [BASELINE_WINDOWS] = "windows",
                                                       [BASELINE_LINUX] = "linux" };
    for (int i = 0; i < BASELINE_COUNT; i++)
        if (!strcmp(category, baselines_assignments[i]))
            return words[i];
    return category;
}

/* clang-format off */
static const struct view_column result_columns[] = {
    { "finding_id",        VIEW_TEXT, "Identity, as in /f/ID" },
    { "machine",           VIEW_TEXT, "Name of the machine", true },
    { "system",            VIEW_TEXT, "windows, linux", true },
    { "severity",          VIEW_TEXT, "Of the rule", true },
    { "rule",              VIEW_TEXT, "What it asks for", true },
    { "rule_id",           VIEW_TEXT, "Its identity" },
    { "expected",          VIEW_TEXT, "What the rule wants, empty where nobody tells", true },
    { "found",             VIEW_TEXT, "What the machine has, empty where nobody tells", true },
    { "careful",           VIEW_TEXT, "What a wrong change can lock out" },
    { "subscription_id",   VIEW_TEXT, "Its subscription" },
    { "subscription_name", VIEW_TEXT, "Name of the subscription" },
    { "opened_at",         VIEW_TIME, "Since when it fails", true },
    { "resource_id",       VIEW_TEXT, "ARM id of the machine" },
    { 0 },
};

static const struct view_column rule_columns[] = {
    { "rule_id",   VIEW_TEXT,    "Its identity" },
    { "system",    VIEW_TEXT,    "windows, linux", true },
    { "rule",      VIEW_TEXT,    "What it asks for", true },
    { "machines",  VIEW_INTEGER, "Machines that fail it", true },
    { "critical",  VIEW_INTEGER, "Of them at this level" },
    { "high",      VIEW_INTEGER, "Of them at this level", true },
    { "medium",    VIEW_INTEGER, "Of them at this level", true },
    { "low",       VIEW_INTEGER, "Of them at this level", true },
    { "not_evaluated", VIEW_INTEGER, "Of them without a level" },
    { "oldest_at", VIEW_TIME,    "Since when the first fails", true },
    { "source",    VIEW_TEXT,    "Collector that tells of it" },
    { 0 },
};
/* clang-format on */

static size_t count_results(const struct view *view)
{
    return results_of(view)->count;
}

static void fill_result(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct view *view = reading->view;
    uint32_t number = results_of(view)->list[row];
    const struct view_finding *at = &view->findings[number];
    char *scratch = arena_zalloc(reading->arena, PART_ID_BYTES), id[17];
    struct baselines_explained said = { .found = "", .expected = "", .careful = "" };
    struct finding finding;
    view_finding(view, number, &finding, scratch);
    baselines_explain(view->snapshot, &finding, reading->arena, &said);
    view_table_text(&value, arena_text(reading->arena, finding_id_text(&finding.id, id)));
    view_table_text(&value, finding.resource_name);
    view_table_text(&value, system_of(finding.category));
    view_table_text(&value, finding_severity_words[finding.severity]);
    view_table_text(&value, view->recommendations[view_recommendation_of(view, number)].title);
    view_table_text(&value, finding.assessment_id);
    view_table_text(&value, said.expected);
    view_table_text(&value, said.found);
    view_table_text(&value, said.careful);
    view_table_text(&value, finding.subscription_id);
    view_table_text(&value, view_table_subscription(reading, finding.subscription_id));
    view_table_integer(&value, at->opened_at);
    view_table_text(&value, finding.resource_id);
}

static size_t count_rules(const struct view *view)
{
    return rules_of(view)->count;
}

static void fill_rule(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct view_recommendation *rule =
        &reading->view->recommendations[rules_of(reading->view)->list[row]];
    view_table_text(&value, rule->assessment_id);
    view_table_text(&value, system_of(rule->category));
    view_table_text(&value, rule->title);
    view_table_integer(&value, (int64_t)rule->count);
    for (int risk = 0; risk < RISK_COUNT; risk++)
        view_table_integer(&value, (int64_t)rule->by_risk[risk]);
    view_table_integer(&value, rule->oldest_at);
    view_table_text(&value, rule->source->name);
}

/* --- compliance ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column standing_columns[] = {
    { "row",               VIEW_TEXT,   "Identity of the row" },
    { "standard",          VIEW_TEXT,   "Name of the standard", true },
    { "control",           VIEW_TEXT,   "Its control; empty: the standard as a whole", true },
    { "title",             VIEW_TEXT,   "What the control asks for", true },
    { "subscription_id",   VIEW_TEXT,   "The subscription" },
    { "subscription_name", VIEW_TEXT,   "Name of the subscription", true },
    { "failed",            VIEW_NUMBER, "Failing controls; of a control failing resources", true },
    { "passed",            VIEW_NUMBER, "Controls that are met", true },
    { "skipped",           VIEW_NUMBER, "Controls that are not looked at" },
    { "unsupported",       VIEW_NUMBER, "Controls that Azure cannot look at" },
    { 0 },
};
/* clang-format on */

/* Without those that another row says. */
static void add_standings(struct view_rows *rows, const struct part *part)
{
    size_t count;
    const struct compliance_standing *standings = compliance_standings(part, &count);
    for (size_t i = 0; i < count; i++)
        if (!standings[i].dropped)
            view_rows_add(rows, part, &standings[i]);
}

static const struct view_rows *standings_of(const struct view *view)
{
    return view_rows_of(view, "compliance", add_standings);
}

static size_t count_standings(const struct view *view)
{
    return standings_of(view)->count;
}

static void fill_standing(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct part *part = standings_of(reading->view)->list[row].part;
    const struct compliance_standing *standing = standings_of(reading->view)->list[row].row;
    view_table_text(&value, standing->row_id);
    view_table_text(&value, standing->standard);
    view_table_text(&value, standing->control);
    view_table_text(&value, *standing->control
                                ? compliance_title(part, standing->standard, standing->control)
                                : "");
    view_table_text(&value, standing->subscription_id);
    view_table_text(&value, view_table_subscription(reading, standing->subscription_id));
    for (int state = 0; state < COMPLIANCE_STATE_COUNT; state++)
        view_table_number(&value, standing->counts[state]);
}

/* --- all of them ------------------------------------------------------------------------------ */

const struct view_table view_lists_resources = { "resources", "a resource with open findings",
                                                 resource_columns, count_resources, fill_resource,
                                                 true };
const struct view_table view_lists_baselines = { "baselines",
                                                 "a rule of a baseline that fails on a machine",
                                                 result_columns, count_results, fill_result, true };
const struct view_table view_lists_rules = { "baseline_rules",
                                             "a rule of a baseline that fails somewhere",
                                             rule_columns, count_rules, fill_rule, true };
const struct view_table view_lists_compliance = {
    "compliance", "a standard, or a failing control of it, in a subscription", standing_columns,
    count_standings, fill_standing, .source = "compliance"
};
