#include "alerts/view/view_table.h"

#include <math.h>
#include <string.h>

#include "alerts/view/view_exposed.h"
#include "alerts/view/view_lists.h"
#include "alerts/view/view_plan.h"
#include "alerts/view/view_rows.h"
#include "collectors/assessments.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/secure_scores.h"
#include "collectors/subscriptions.h"
#include "core/log.h"

enum { LINK_BYTES = 4096 };

/* --- findings --------------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column finding_columns[] = {
    { "finding_id",        VIEW_TEXT,    "Identity, as in /f/ID", true },
    { "risk_level",        VIEW_TEXT,    "critical, high, medium, low, not_evaluated", true },
    { "title",             VIEW_TEXT,    "Of the recommendation", true },
    { "assessment_id",     VIEW_TEXT,    "Key of the recommendation" },
    { "resource_name",     VIEW_TEXT,    "Name of the resource", true },
    { "resource_type",     VIEW_TEXT,    "Type of the resource" },
    { "resource_group",    VIEW_TEXT,    "Its resource group" },
    { "subscription_id",   VIEW_TEXT,    "Its subscription" },
    { "subscription_name", VIEW_TEXT,    "Name of the subscription", true },
    { "cloud",             VIEW_TEXT,    "azure, aws, gcp ..." },
    { "account",           VIEW_TEXT,    "Account, project or organization outside Azure" },
    { "severity",          VIEW_TEXT,    "Severity of the recommendation" },
    { "category",          VIEW_TEXT,    "Category of the recommendation" },
    { "risk_factors",      VIEW_TEXT,    "Joined with commas" },
    { "attack_paths",      VIEW_INTEGER, "Attack paths through the resource" },
    { "internet_exposed",  VIEW_FLAG,    "Whether a risk factor says so" },
    { "opened_at",         VIEW_TIME,    "Since when it is open", true },
    { "due_at",            VIEW_TIME,    "When it is due, by governance or SLA", true },
    { "overdue",           VIEW_FLAG,    "Whether that is over" },
    { "source",            VIEW_TEXT,    "Collector that tells of it" },
    { "resource_id",       VIEW_TEXT,    "ARM id of the resource" },
    { "link",              VIEW_TEXT,    "The recommendation in the portal" },
    { 0 },
};
/* clang-format on */

static size_t count_findings(const struct view *view)
{
    return view->count;
}

static void fill_finding(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct view *view = reading->view;
    uint32_t number = view_order(view, reading->order)[row];
    const struct view_finding *at = &view->findings[number];
    char *scratch = arena_zalloc(reading->arena, PART_ID_BYTES);
    char *link = arena_zalloc(reading->arena, LINK_BYTES), id[17];
    struct finding finding;
    view_finding(view, number, &finding, scratch);
    view_table_text(&value, arena_text(reading->arena, finding_id_text(&finding.id, id)));
    view_table_text(&value, finding_risk_words[finding.risk]);
    view_table_text(&value, view->recommendations[view_recommendation_of(view, number)].title);
    view_table_text(&value, finding.assessment_id);
    view_table_text(&value, finding.resource_name);
    view_table_text(&value, finding.resource_type);
    view_table_text(&value, finding.resource_group);
    view_table_text(&value, finding.subscription_id);
    view_table_text(&value, view_table_subscription(reading, finding.subscription_id));
    view_table_text(&value, cloud_kind_words[finding.cloud]);
    view_table_text(&value, finding.account);
    view_table_text(&value, finding_severity_words[finding.severity]);
    view_table_text(&value, finding.category);
    view_table_text(&value, finding.risk_factors);
    view_table_integer(&value, finding.attack_paths);
    view_table_integer(&value, finding.internet_exposed);
    view_table_integer(&value, at->opened_at);
    view_table_integer(&value, at->due_at);
    view_table_integer(&value, at->due_at && at->due_at <= view->at);
    view_table_text(&value, finding.source->name);
    view_table_text(&value, finding.resource_id);
    view_table_text(&value, finding_link(&finding, reading->portal, link, LINK_BYTES));
}

/* --- recommendations -------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column recommendation_columns[] = {
    { "assessment_id", VIEW_TEXT,    "Key of the recommendation" },
    { "risk_level",    VIEW_TEXT,    "The worst of its open findings", true },
    { "title",         VIEW_TEXT,    "What it says", true },
    { "category",      VIEW_TEXT,    "Its category" },
    { "findings",      VIEW_INTEGER, "Open findings", true },
    { "critical",      VIEW_INTEGER, "Of them critical", true },
    { "high",          VIEW_INTEGER, "Of them high", true },
    { "medium",        VIEW_INTEGER, "Of them medium" },
    { "low",           VIEW_INTEGER, "Of them low" },
    { "not_evaluated", VIEW_INTEGER, "Of them without a risk level" },
    { "overdue",       VIEW_INTEGER, "Of them overdue", true },
    { "due_soon",      VIEW_INTEGER, "Of them due soon" },
    { "attack_paths",  VIEW_INTEGER, "The most of one finding" },
    { "points",        VIEW_NUMBER,  "Points of the secure score to gain", true },
    { "oldest_at",     VIEW_TIME,    "Since when the oldest is open", true },
    { "due_at",        VIEW_TIME,    "When the first is due" },
    { "effort",        VIEW_TEXT,    "Effort of the fix" },
    { "user_impact",   VIEW_TEXT,    "Impact of the fix on users" },
    { "source",        VIEW_TEXT,    "Collector that tells of it", true },
    { 0 },
};
/* clang-format on */

static size_t count_recommendations(const struct view *view)
{
    return view->recommendation_count;
}

static void fill_recommendation(const struct view_reading *reading, size_t row,
                                struct view_value *value)
{
    const struct view_recommendation *of = &reading->view->recommendations[row];
    const struct catalogue_entry *known =
        catalogue_find(reading->view->snapshot, of->source->tenant, of->assessment_id);
    view_table_text(&value, of->assessment_id);
    view_table_text(&value, finding_risk_words[of->risk]);
    view_table_text(&value, of->title);
    view_table_text(&value, of->category);
    view_table_integer(&value, (int64_t)of->count);
    for (int risk = 0; risk < RISK_COUNT; risk++)
        view_table_integer(&value, (int64_t)of->by_risk[risk]);
    view_table_integer(&value, (int64_t)of->overdue);
    view_table_integer(&value, (int64_t)of->due_soon);
    view_table_integer(&value, of->attack_paths);
    view_table_number(&value, of->points);
    view_table_integer(&value, of->oldest_at);
    view_table_integer(&value, of->due_at);
    view_table_text(&value, known ? known->effort : "");
    view_table_text(&value, known ? known->user_impact : "");
    view_table_text(&value, of->source->name);
}

/* --- controls of the secure score ------------------------------------------------------------- */

/* clang-format off */
static const struct view_column control_columns[] = {
    { "subject",           VIEW_TEXT,    "Identity of the control where it is" },
    { "title",             VIEW_TEXT,    "Name of the control", true, "control" },
    { "subscription_id",   VIEW_TEXT,    "Its subscription" },
    { "subscription_name", VIEW_TEXT,    "Name of the subscription", true },
    { "cloud",             VIEW_TEXT,    "azure, aws, gcp ...", true },
    { "connector",         VIEW_TEXT,    "Its connector, none of the subscription's own" },
    { "points",            VIEW_NUMBER,  "Points it has", true },
    { "max_points",        VIEW_NUMBER,  "Points it can have", true },
    { "healthy",           VIEW_NUMBER,  "Healthy resources", true },
    { "unhealthy",         VIEW_NUMBER,  "Unhealthy resources", true },
    { "not_applicable",    VIEW_NUMBER,  "Resources it does not apply to" },
    { 0 },
};
/* clang-format on */

static void add_controls(struct view_rows *rows, const struct part *part)
{
    size_t count;
    const struct secure_control *controls = secure_scores_controls(part, &count);
    for (size_t i = 0; i < count; i++)
        view_rows_add(rows, part, &controls[i]);
}

static const struct view_rows *controls_of(const struct view *view)
{
    return view_rows_of(view, "controls", add_controls);
}

static size_t count_controls(const struct view *view)
{
    return controls_of(view)->count;
}

static void fill_control(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct secure_control *control = controls_of(reading->view)->list[row].row;
    view_table_text(&value, control->row_id);
    view_table_text(&value, control->title);
    view_table_text(&value, control->subscription_id);
    view_table_text(&value, view_table_subscription(reading, control->subscription_id));
    view_table_text(&value, cloud_kind_words[control->scope.cloud]);
    view_table_text(&value, control->scope.connector);
    view_table_number(&value, control->points);
    view_table_number(&value, control->max_points);
    view_table_number(&value, control->healthy);
    view_table_number(&value, control->unhealthy);
    view_table_number(&value, control->not_applicable);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column subscription_columns[] = {
    { "subscription_id",  VIEW_TEXT, "Identity", true },
    { "name",             VIEW_TEXT, "Name", true, "subscription_name" },
    { "state",            VIEW_TEXT, "visible, denied, filtered, disabled", true },
    { "why",              VIEW_TEXT, "Why it is not visible: not_included, id, name, tag, "
                                     "management_group, other_tenant (it is filtered), "
                                     "not_listed, not_shown, refused (denied), disabled", true },
    { "left_out",         VIEW_TEXT, "Clouds of which its results are left out" },
    { "management_group", VIEW_TEXT, "Where it is", true },
    { "tenant_id",        VIEW_TEXT, "Its tenant" },
    { "seen_at",          VIEW_TIME, "When Azure listed it last", true },
    { 0 },
};
/* clang-format on */

static void add_subscriptions(struct view_rows *rows, const struct part *part)
{
    size_t count;
    const struct subscription *items = subscriptions_of(part, &count);
    for (size_t i = 0; i < count; i++)
        view_rows_add(rows, part, &items[i]);
}

static const struct view_rows *subscriptions_in_view(const struct view *view)
{
    return view_rows_of(view, "subscriptions", add_subscriptions);
}

static size_t count_subscriptions(const struct view *view)
{
    return subscriptions_in_view(view)->count;
}

static void fill_subscription(const struct view_reading *reading, size_t row,
                              struct view_value *value)
{
    const struct snapshot *snapshot = reading->view->snapshot;
    const struct part *part = subscriptions_in_view(reading->view)->list[row].part;
    const struct subscription *subscription = subscriptions_in_view(reading->view)->list[row].row;
    enum subscription_state state = subscriptions_state(snapshot, part, subscription);
    CLEANUP(buf_finish) struct buf left_out = { 0 };
    view_table_text(&value, subscription->id);
    view_table_text(&value, subscription->name);
    view_table_text(&value, subscriptions_state_words[state]);
    view_table_text(&value, subscriptions_why(snapshot, part, subscription));
    assessments_left_out(snapshot, subscription->id, &left_out);
    view_table_text(&value, arena_text(reading->arena, buf_cstr(&left_out)));
    view_table_text(&value, subscription->management_group);
    view_table_text(&value, subscription->tenant_id);
    view_table_integer(&value, subscription->seen_at);
}

/* --- collectors ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column collector_columns[] = {
    { "collector",       VIEW_TEXT,    "Name in the configuration", true },
    { "brings",          VIEW_TEXT,    "What it brings" },
    { "state",           VIEW_TEXT,    "ok, failed, waiting, off", true },
    { "last_success_at", VIEW_TIME,    "When it succeeded last", true },
    { "interval_s",      VIEW_NUMBER,  "Every so many seconds", true },
    { "duration_s",      VIEW_NUMBER,  "How long the last run took", true },
    { "rows",            VIEW_INTEGER, "Rows of the last run", true },
    { "odd_rows",        VIEW_INTEGER, "Of them not understood", true },
    { "truncated",       VIEW_FLAG,    "Whether Azure cut something" },
    { "error",           VIEW_TEXT,    "Of the last run that failed", true },
    { 0 },
};
/* clang-format on */

static size_t count_collectors(const struct view *view)
{
    return view->snapshot->sources->count;
}

static const char *state_of(const struct source_status *status)
{
    if (!status->enabled)
        return "off";
    if (!status->attempted)
        return "waiting";
    return status->success ? "ok" : "failed";
}

static void fill_collector(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct source *source = &reading->view->snapshot->sources->sources[row];
    const struct source_status *status = &reading->view->snapshot->status[row];
    char error[1024] = "";
    if (status->error.code != ERROR_NONE)
        log_redacted(status->error.message, error, sizeof error);
    view_table_text(&value, source->name);
    view_table_text(&value, source->collector->words ? source->collector->words : source->name);
    view_table_text(&value, state_of(status));
    view_table_integer(&value, status->last_success_at);
    view_table_number(&value, status->enabled ? (double)status->interval_ms / 1000 : NAN);
    view_table_number(&value, status->attempted ? (double)status->duration_ms / 1000 : NAN);
    view_table_integer(&value, (int64_t)status->rows);
    view_table_integer(&value, (int64_t)odd_count(&status->odd));
    view_table_integer(&value, status->truncated);
    view_table_text(&value, arena_text(reading->arena, error));
}

/* --- all of them ------------------------------------------------------------------------------ */

static const struct view_table findings = { "findings", "an open finding", finding_columns,
                                            count_findings, fill_finding, true, true };
static const struct view_table recommendations = { "recommendations",
                                                   "a recommendation with open findings",
                                                   recommendation_columns, count_recommendations,
                                                   fill_recommendation, true };
static const struct view_table controls = { "controls", "a control of the secure score",
                                            control_columns, count_controls, fill_control,
                                            .source = "secure_scores" };
static const struct view_table subscriptions = { "subscriptions", "a subscription",
                                                 subscription_columns, count_subscriptions,
                                                 fill_subscription };
static const struct view_table collectors = { "collectors", "a collector and its last run",
                                              collector_columns, count_collectors, fill_collector };

const struct view_table *const view_tables[] = {
    &findings,           &recommendations,     &view_plan_table,         &controls,
    &view_lists_resources, &view_lists_baselines, &view_lists_rules,     &view_lists_compliance,
    &view_exposed_paths, &view_exposed_alerts, &view_exposed_exemptions, &subscriptions,
    &collectors,         NULL,
};

const char *view_table_subscription(const struct view_reading *reading, const char *id)
{
    const struct subscription *known = subscriptions_find(reading->view->snapshot, id);
    return known ? known->name : "";
}

const struct view_table *view_table_named(const char *name)
{
    for (const struct view_table *const *table = view_tables; *table; table++)
        if (!strcmp((*table)->name, name))
            return *table;
    return NULL;
}

size_t view_table_count(const struct view_table *table, const struct view_reading *reading)
{
    return reading->rows ? reading->row_count : table->count(reading->view);
}

void view_table_row(const struct view_table *table, const struct view_reading *reading, size_t row,
                    struct view_value *values)
{
    table->fill(reading, reading->rows ? reading->rows[row] : row, values);
}

static bool has_identity(const struct view_table *table, const struct view_reading *reading,
                         size_t row, const char *identity)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
    struct view_reading inner = *reading;
    inner.arena = &arena;
    view_table_row(table, &inner, row, values);
    return !strcmp(values[0].text, identity);
}

size_t view_table_behind(const struct view_table *table, const struct view_reading *reading,
                         size_t hint, const char *identity)
{
    size_t count = view_table_count(table, reading);
    if (hint < count && has_identity(table, reading, hint, identity))
        return hint + 1;
    for (size_t row = 0; row < count; row++)
        if (has_identity(table, reading, row, identity))
            return row + 1;
    return hint < count ? hint : count;
}
