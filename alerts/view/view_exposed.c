#include "alerts/view/view_exposed.h"

#include "alerts/view/view_numbers.h"
#include "alerts/view/view_rows.h"
#include "collectors/attack_paths_across.h"
#include "collectors/collector.h"
#include "collectors/exemptions.h"
#include "collectors/security_alerts.h"

/* --- attack paths ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column path_columns[] = {
    { "finding_id",        VIEW_TEXT,    "Identity, as in /f/ID" },
    { "risk_level",        VIEW_TEXT,    "critical, high, medium, low, not_evaluated", true },
    { "name",              VIEW_TEXT,    "What the path is", true },
    { "entry",             VIEW_TEXT,    "Where somebody gets in", true },
    { "target",            VIEW_TEXT,    "What is at its end", true },
    { "chain",             VIEW_TEXT,    "What it leads through, with arrows" },
    { "choke",             VIEW_TEXT,    "What most paths lead through, of this one's", true },
    { "choke_paths",       VIEW_INTEGER, "How many lead through that", true },
    { "partial",           VIEW_FLAG,    "Whether Azure does not show all of it" },
    { "subscription_id",   VIEW_TEXT,    "Its subscription" },
    { "subscription_name", VIEW_TEXT,    "Name of the subscription" },
    { "opened_at",         VIEW_TIME,    "Since when it is open", true },
    { "due_at",            VIEW_TIME,    "When it is due, by governance or SLA" },
    { "path_id",           VIEW_TEXT,    "Azure's id" },
    { "resource_id",       VIEW_TEXT,    "ARM id of the resource at its end" },
    { 0 },
};
/* clang-format on */

static bool has_paths(const struct source *source, const struct part *part)
{
    size_t count;
    (void)source;
    attack_paths_of(part, &count);
    return count;
}

static const struct view_numbers *paths_of(const struct view *view)
{
    return view_numbers_of(view, "attack paths", has_paths);
}

static size_t count_paths(const struct view *view)
{
    return paths_of(view)->count;
}

static const char *id_of(const struct view_reading *reading, const struct finding *finding)
{
    char id[17];
    return arena_text(reading->arena, finding_id_text(&finding->id, id));
}

static const char *title_of(const struct view *view, uint32_t number)
{
    return view->recommendations[view_recommendation_of(view, number)].title;
}

static void fill_path(const struct view_reading *reading, size_t row, struct view_value *value)
{
    static const struct attack_path untold = {
        .id = "", .name = "", .entry = "", .target = "", .chain = "", .choke = ""
    };
    uint32_t number = paths_of(reading->view)->list[row];
    const struct view_finding *at = &reading->view->findings[number];
    struct finding finding;
    view_finding(reading->view, number, &finding, arena_zalloc(reading->arena, PART_ID_BYTES));
    const struct attack_path *path = attack_paths_across_find(reading->view->snapshot, &finding.id);
    path = path ? path : &untold;
    view_table_text(&value, id_of(reading, &finding));
    view_table_text(&value, finding_risk_words[finding.risk]);
    view_table_text(&value, *path->name ? path->name : title_of(reading->view, number));
    view_table_text(&value, path->entry);
    view_table_text(&value, path->target);
    view_table_text(&value, path->chain);
    view_table_text(&value, path->choke);
    view_table_integer(&value, path->choke_paths);
    view_table_integer(&value, path->partial);
    view_table_text(&value, finding.subscription_id);
    view_table_text(&value, view_table_subscription(reading, finding.subscription_id));
    view_table_integer(&value, at->opened_at);
    view_table_integer(&value, at->due_at);
    view_table_text(&value, path->id);
    view_table_text(&value, finding.resource_id);
}

/* --- security alerts -------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column alert_columns[] = {
    { "finding_id",        VIEW_TEXT,    "Identity, as in /f/ID" },
    { "severity",          VIEW_TEXT,    "high, medium, low, informational", true },
    { "risk_level",        VIEW_TEXT,    "The level it is treated as" },
    { "name",              VIEW_TEXT,    "What it says", true },
    { "type",              VIEW_TEXT,    "Kind of the alert" },
    { "tactics",           VIEW_TEXT,    "Of MITRE ATT&CK", true },
    { "active",            VIEW_FLAG,    "Whether nobody is at work on it", true },
    { "incident",          VIEW_FLAG,    "Whether it gathers several" },
    { "resource_name",     VIEW_TEXT,    "What it is about", true },
    { "resource_id",       VIEW_TEXT,    "ARM id of that" },
    { "resources",         VIEW_TEXT,    "ids of others it names, joined with commas" },
    { "more_resources",    VIEW_INTEGER, "How many are named besides" },
    { "subscription_id",   VIEW_TEXT,    "Its subscription" },
    { "subscription_name", VIEW_TEXT,    "Name of the subscription", true },
    { "opened_at",         VIEW_TIME,    "Since when it is open", true },
    { "alert_id",          VIEW_TEXT,    "Azure's id" },
    { 0 },
};
/* clang-format on */

static bool has_alerts(const struct source *source, const struct part *part)
{
    (void)part;
    return source->collector->security_alerts;
}

static const struct view_numbers *alerts_of(const struct view *view)
{
    return view_numbers_of(view, "security alerts", has_alerts);
}

static size_t count_alerts(const struct view *view)
{
    return alerts_of(view)->count;
}

static void fill_alert(const struct view_reading *reading, size_t row, struct view_value *value)
{
    static const struct security_alert untold = {
        .id = "", .name = "", .type = "", .tactics = "", .resources = "", .active = true
    };
    uint32_t number = alerts_of(reading->view)->list[row];
    const struct view_finding *at = &reading->view->findings[number];
    struct finding finding;
    view_finding(reading->view, number, &finding, arena_zalloc(reading->arena, PART_ID_BYTES));
    const struct security_alert *alert = security_alerts_find(reading->view->snapshot, &finding.id);
    enum security_alert_severity severity = security_alerts_severity(finding.severity);
    alert = alert ? alert : &untold;
    view_table_text(&value, id_of(reading, &finding));
    view_table_text(&value, security_alerts_severities[severity]);
    view_table_text(&value, finding_risk_words[finding.risk]);
    view_table_text(&value, *alert->name ? alert->name : title_of(reading->view, number));
    view_table_text(&value, alert->type);
    view_table_text(&value, alert->tactics);
    view_table_integer(&value, alert->active);
    view_table_integer(&value, alert->incident);
    view_table_text(&value, finding.resource_name);
    view_table_text(&value, finding.resource_id);
    view_table_text(&value, alert->resources);
    view_table_integer(&value, alert->more_resources);
    view_table_text(&value, finding.subscription_id);
    view_table_text(&value, view_table_subscription(reading, finding.subscription_id));
    view_table_integer(&value, at->opened_at);
    view_table_text(&value, alert->id);
}

/* --- exemptions ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column exemption_columns[] = {
    { "exemption",         VIEW_TEXT, "ARM id; behind # which policy of an initiative" },
    { "title",             VIEW_TEXT, "What it is called", true },
    { "category",          VIEW_TEXT, "mitigated, waiver, other", true },
    { "state",             VIEW_TEXT, "holds, expired", true },
    { "expires_at",        VIEW_TIME, "When it ends; empty: never", true },
    { "reason",            VIEW_TEXT, "Why, as somebody wrote it", true },
    { "scope",             VIEW_TEXT, "ARM id of what is exempted, with all below it", true },
    { "subscription_id",   VIEW_TEXT, "Its subscription" },
    { "subscription_name", VIEW_TEXT, "Name of the subscription", true },
    { "policy_id",         VIEW_TEXT, "The policy it is exempted from" },
    { "assignment_id",     VIEW_TEXT, "Where that is assigned" },
    { 0 },
};
/* clang-format on */

static void add_exemptions(struct view_rows *rows, const struct part *part)
{
    size_t count;
    const struct exemption_row *all = exemptions_of(part, &count);
    for (size_t i = 0; i < count; i++)
        view_rows_add(rows, part, &all[i]);
}

static const struct view_rows *exemptions_in_view(const struct view *view)
{
    return view_rows_of(view, "exemptions", add_exemptions);
}

static size_t count_exemptions(const struct view *view)
{
    return exemptions_in_view(view)->count;
}

static void fill_exemption(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct exemption_row *exemption = exemptions_in_view(reading->view)->list[row].row;
    CLEANUP(buf_finish) struct buf id = { 0 };
    buf_printf(&id, "%s%s%s", exemption->exemption_id, *exemption->reference ? "#" : "",
               exemption->reference);
    view_table_text(&value, arena_text(reading->arena, buf_cstr(&id)));
    view_table_text(&value, exemption->title);
    view_table_text(&value, exemptions_category(exemption));
    view_table_text(&value, exemptions_holds(exemption, reading->view->at) ? "holds" : "expired");
    view_table_integer(&value, exemption->expires_at);
    view_table_text(&value, exemption->reason);
    view_table_text(&value, exemption->scope);
    view_table_text(&value, exemption->subscription_id);
    view_table_text(&value, view_table_subscription(reading, exemption->subscription_id));
    view_table_text(&value, exemption->policy_id);
    view_table_text(&value, exemption->assignment_id);
}

/* --- all of them ------------------------------------------------------------------------------ */

const struct view_table view_exposed_paths = {
    "attack_paths",      "an attack path that is open", path_columns, count_paths, fill_path,
    .of_findings = true, .source = "attack_paths"
};
const struct view_table view_exposed_alerts = {
    "security_alerts",   "a security alert that is open", alert_columns, count_alerts, fill_alert,
    .of_findings = true, .source = "security_alerts"
};
const struct view_table view_exposed_exemptions = {
    "exemptions",      "a policy that is exempted somewhere",
    exemption_columns, count_exemptions,
    fill_exemption,    .source = "exemptions"
};
