#include "rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "draw.h"

#define TEXT(type, member) { #member, FIELD_TEXT, offsetof(type, member) }
#define INTEGER(type, member) { #member, FIELD_INTEGER, offsetof(type, member) }
#define NUMBER(type, member) { #member, FIELD_NUMBER, offsetof(type, member) }
#define JSON(type, member) { #member, FIELD_JSON, offsetof(type, member) }

PRINTF_LIKE(2, 3)
static const char *print(struct arena *scratch, const char *format, ...)
{
    char text[TENANT_ID_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_text(scratch, text);
}

/* --- assessments ----------------------------------------------------------------------------- */

struct assessment_row {
    const char *id, *assessmentKey, *subscriptionId, *resourceGroup, *resourceId, *resourceType,
        *source, *title, *assessmentType, *severity, *riskLevel, *isContextualRisk, *riskFactors,
        *statusCode, *statusCause, *statusChangeDate, *firstEvaluationDate, *categories, *preview,
        *policyDefinitionId, *link;
    int64_t attackPathCount;
};

/* clang-format off */
static const struct field assessment_fields[] = {
    TEXT(struct assessment_row, id),
    TEXT(struct assessment_row, assessmentKey),
    TEXT(struct assessment_row, subscriptionId),
    TEXT(struct assessment_row, resourceGroup),
    TEXT(struct assessment_row, resourceId),
    TEXT(struct assessment_row, resourceType),
    TEXT(struct assessment_row, source),
    TEXT(struct assessment_row, title),
    TEXT(struct assessment_row, assessmentType),
    TEXT(struct assessment_row, severity),
    TEXT(struct assessment_row, riskLevel),
    TEXT(struct assessment_row, isContextualRisk),
    INTEGER(struct assessment_row, attackPathCount),
    TEXT(struct assessment_row, riskFactors),
    TEXT(struct assessment_row, statusCode),
    TEXT(struct assessment_row, statusCause),
    TEXT(struct assessment_row, statusChangeDate),
    TEXT(struct assessment_row, firstEvaluationDate),
    TEXT(struct assessment_row, categories),
    TEXT(struct assessment_row, preview),
    TEXT(struct assessment_row, policyDefinitionId),
    TEXT(struct assessment_row, link),
    { 0 }
};
/* clang-format on */

size_t rows_assessments(const struct view *view)
{
    return view->tenant->assessment_count;
}

bool rows_assessment_present(const struct view *view, size_t position)
{
    const struct assessment *assessment = &view->tenant->assessments[position];
    const struct resource *resource = &view->tenant->resources[assessment->resource];
    return view->in_scope[resource->subscription] && tenant_existed(resource, view->generation) &&
           assessment->changed_at >= view->since &&
           !(view->failing_only && assessment->status != TENANT_UNHEALTHY);
}

static const char *factors_text(const struct assessment *assessment, struct arena *scratch)
{
    char text[256] = "";
    for (int i = 0; i < TENANT_FACTORS; i++)
        if (assessment->factors & 1u << i) {
            strcat(text, *text ? "," : "");
            strcat(text, tenant_factor_words[i]);
        }
    return arena_text(scratch, text);
}

static const char *portal_link(const char *key, const char *resource_id, struct arena *scratch)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "portal.azure.com/#blade/Microsoft_Azure_Security/RecommendationsBlade/"
                      "assessmentKey/%s/resourceId/", key);
    for (const char *at = resource_id; *at; at++)
        if (*at == '/')
            buf_text(&text, "%2f");
        else
            buf_char(&text, *at);
    return arena_text(scratch, buf_cstr(&text));
}

static void assessment_fill(const struct view *view, size_t position, void *out,
                            struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    const struct assessment *assessment = &tenant->assessments[position];
    const struct resource *resource = &tenant->resources[assessment->resource];
    const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
    struct assessment_row *row = out;
    char id[TENANT_ID_BYTES], time[TENANT_TIME_BYTES];
    bool rated = assessment->risk != RISK_MISSING;
    row->id = tenant_lower(scratch, tenant_assessment_id(tenant, assessment, id));
    row->assessmentKey = known->key;
    row->subscriptionId = tenant->subscriptions[resource->subscription].id;
    row->resourceGroup = tenant_group_of(scratch, resource->id);
    row->resourceId = tenant_lower(scratch, resource->id);
    row->resourceType = tenant_lower(scratch, tenant_resource_type(resource));
    row->source = tenant_lower(scratch, tenant_source(resource));
    row->title = assessment->untitled ? "" : known->title;
    row->assessmentType = known->assessment_type;
    row->severity = known->severity;
    row->riskLevel = tenant_risk_words[assessment->risk];
    row->isContextualRisk = !rated ? "" : assessment->contextual ? "true" : "false";
    row->attackPathCount = assessment->attack_paths;
    row->riskFactors = factors_text(assessment, scratch);
    row->statusCode = tenant_status_words[assessment->status];
    row->statusCause = tenant_cause_words[assessment->cause];
    row->statusChangeDate = arena_text(scratch, tenant_time(assessment->changed_at, position, time));
    row->firstEvaluationDate =
        arena_text(scratch, tenant_time(assessment->first_at, position + 1, time));
    row->categories = known->category;
    row->preview = known->preview ? "true" : "false";
    row->policyDefinitionId = tenant_lower(scratch, known->policy);
    row->link = portal_link(known->key, resource->id, scratch);
}

/* --- secure scores --------------------------------------------------------------------------- */

struct score_row {
    const char *id, *subscriptionId, *environment, *controlId, *title, *controlType, *assessments;
    double current, max, ratio;
    int64_t weight, healthy, unhealthy, notApplicable;
};

static const struct field score_fields[] = {
    TEXT(struct score_row, id),          TEXT(struct score_row, subscriptionId),
    TEXT(struct score_row, environment), NUMBER(struct score_row, current),
    NUMBER(struct score_row, max),       NUMBER(struct score_row, ratio),
    INTEGER(struct score_row, weight),   { 0 }
};

static const struct field control_fields[] = {
    TEXT(struct score_row, id),          TEXT(struct score_row, subscriptionId),
    TEXT(struct score_row, controlId),   TEXT(struct score_row, title),
    NUMBER(struct score_row, current),   NUMBER(struct score_row, max),
    NUMBER(struct score_row, ratio),     INTEGER(struct score_row, weight),
    INTEGER(struct score_row, healthy),  INTEGER(struct score_row, unhealthy),
    INTEGER(struct score_row, notApplicable),
    TEXT(struct score_row, controlType), JSON(struct score_row, assessments),
    { 0 }
};

static size_t score_count(const struct view *view)
{
    return view->tenant->subscription_count;
}

static bool score_present(const struct view *view, size_t position)
{
    return view->in_scope[position] && !view->tenant->subscriptions[position].disabled;
}

static void score_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct score_state *score = tenant_score(view->tenant, position);
    struct score_row *row = out;
    row->subscriptionId = view->tenant->subscriptions[position].id;
    row->id = print(scratch, "/subscriptions/%s/providers/microsoft.security/securescores/ascscore",
                    row->subscriptionId);
    row->environment = "Azure";
    row->current = score->current;
    row->max = score->max;
    row->ratio = score->ratio;
    row->weight = (int64_t)score->weight;
}

static size_t control_count(const struct view *view)
{
    return view->tenant->subscription_count * CONTROL_COUNT;
}

/* Controls are listed in the order of their keys; that is fixed, so ranks are made on the fly. */
static size_t control_at(const struct tenant *tenant, size_t rank)
{
    for (size_t c = 0; c < CONTROL_COUNT; c++) {
        size_t before = 0;
        for (size_t other = 0; other < CONTROL_COUNT; other++)
            before += strcmp(tenant->catalogue.controls[other].key,
                             tenant->catalogue.controls[c].key) < 0;
        if (before == rank)
            return c;
    }
    return 0;
}

static bool control_present(const struct view *view, size_t position)
{
    return score_present(view, position / CONTROL_COUNT);
}

static void control_fill(const struct view *view, size_t position, void *out,
                         struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    size_t subscription = position / CONTROL_COUNT;
    size_t control = control_at(tenant, position % CONTROL_COUNT);
    const struct control *known = &tenant->catalogue.controls[control];
    const struct control_state *state = &tenant_score(view->tenant, subscription)->controls[control];
    CLEANUP(buf_finish) struct buf keys = { 0 };
    struct score_row *row = out;
    row->subscriptionId = tenant->subscriptions[subscription].id;
    row->controlId = known->key;
    row->id = print(scratch, "/subscriptions/%s/providers/microsoft.security/securescores/ascscore/"
                    "securescorecontrols/%s", row->subscriptionId, known->key);
    row->title = known->title;
    row->current = state->current;
    row->max = known->max;
    row->ratio = state->ratio;
    row->healthy = state->healthy;
    row->unhealthy = state->unhealthy;
    row->notApplicable = state->not_applicable;
    row->weight = row->healthy + row->unhealthy;
    row->controlType = "BuiltIn";
    buf_char(&keys, '[');
    for (size_t i = 0; i < tenant->catalogue.count; i++)
        if (tenant->catalogue.rows[i].control == (int)control)
            buf_printf(&keys, "%s{\"id\":\"/providers/Microsoft.Security/assessmentMetadata/%s\"}",
                       keys.length > 1 ? "," : "", tenant->catalogue.rows[i].key);
    buf_char(&keys, ']');
    row->assessments = arena_text(scratch, buf_cstr(&keys));
}

/* --- subscriptions --------------------------------------------------------------------------- */

struct subscription_row {
    const char *id, *subscriptionId, *name, *state, *managementGroup, *managementGroups;
};

static const struct field subscription_fields[] = {
    TEXT(struct subscription_row, id),    TEXT(struct subscription_row, subscriptionId),
    TEXT(struct subscription_row, name),  TEXT(struct subscription_row, state),
    TEXT(struct subscription_row, managementGroup),
    JSON(struct subscription_row, managementGroups),
    { 0 }
};

static bool subscription_present(const struct view *view, size_t position)
{
    return view->in_scope[position];
}

static void subscription_fill(const struct view *view, size_t position, void *out,
                              struct arena *scratch)
{
    const struct subscription *subscription = &view->tenant->subscriptions[position];
    struct subscription_row *row = out;
    row->subscriptionId = subscription->id;
    row->id = print(scratch, "/subscriptions/%s", subscription->id);
    row->name = subscription->name;
    row->state = subscription->disabled ? "Disabled" : "Enabled";
    row->managementGroups = tenant_management_groups(view->tenant, subscription, scratch);
    row->managementGroup = subscription->group < 0
                               ? view->tenant->id
                               : print(scratch, "mg-contoso-%d", subscription->group);
}

/* --- sub-assessments of the OS baselines (form A) -------------------------------------------- */

struct finding_row {
    const char *id, *subscriptionId, *machineId, *assessmentKey, *os, *ruleKey, *ruleId, *rule,
        *statusCode, *severity, *category, *timeGenerated;
};

static const struct field finding_fields[] = {
    TEXT(struct finding_row, id),         TEXT(struct finding_row, subscriptionId),
    TEXT(struct finding_row, machineId),  TEXT(struct finding_row, assessmentKey),
    TEXT(struct finding_row, os),         TEXT(struct finding_row, ruleKey),
    TEXT(struct finding_row, ruleId),     TEXT(struct finding_row, rule),
    TEXT(struct finding_row, statusCode), TEXT(struct finding_row, severity),
    TEXT(struct finding_row, category),   TEXT(struct finding_row, timeGenerated),
    { 0 }
};

size_t rows_machines(const struct view *view)
{
    return view->tenant->machine_count;
}

static bool machine_present(const struct view *view, const struct machine *machine, uint8_t form)
{
    const struct resource *resource = &view->tenant->resources[machine->resource];
    return machine->forms & form && view->in_scope[resource->subscription] &&
           tenant_existed(resource, view->generation);
}

static size_t rule_positions(const struct view *view)
{
    return view->tenant->machine_count * RULES_MAX;
}

static bool finding_present(const struct view *view, size_t position)
{
    const struct machine *machine = &view->tenant->machines[position / RULES_MAX];
    size_t rule = view->tenant->baseline.by_key[machine->os][position % RULES_MAX];
    return rule < machine->rules && machine->state != MACHINE_PENDING &&
           machine_present(view, machine, FORM_A) &&
           !(view->failing_only && !baseline_fails(machine, rule));
}

static void finding_fill(const struct view *view, size_t position, void *out,
                         struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    const struct machine *machine = &tenant->machines[position / RULES_MAX];
    size_t number = tenant->baseline.by_key[machine->os][position % RULES_MAX];
    const struct rule *rule = &tenant->baseline.rules[machine->os][number];
    const struct resource *resource = &tenant->resources[machine->resource];
    struct finding_row *row = out;
    char time[TENANT_TIME_BYTES];
    row->subscriptionId = tenant->subscriptions[resource->subscription].id;
    row->machineId = tenant_lower(scratch, resource->id);
    row->assessmentKey = tenant->catalogue.rows[tenant->catalogue.baseline[machine->os]].key;
    row->os = machine->os == OS_WINDOWS ? "windows" : "linux";
    row->ruleKey = rule->key;
    row->id = print(scratch, "%s/providers/microsoft.security/assessments/%s/subassessments/%s",
                    row->machineId, row->assessmentKey, rule->key);
    row->ruleId = rule->id;
    row->rule = rule->name;
    row->statusCode = baseline_fails(machine, number) ? "Unhealthy" : "Healthy";
    row->severity = baseline_severity(rule);
    row->category = rule->category;
    row->timeGenerated = arena_text(scratch, tenant_time(machine->checked_at, position, time));
}

/* --- machine configuration assignments (form B) ---------------------------------------------- */

struct assignment_row {
    const char *id, *subscriptionId, *resourceGroup, *machineId, *assignment, *complianceStatus,
        *lastChecked, *version, *assignmentType, *provisioningState, *reportId, *rules, *rule,
        *reasonCode, *reasonPhrase;
};

static const struct field assignment_fields[] = {
    TEXT(struct assignment_row, id),          TEXT(struct assignment_row, subscriptionId),
    TEXT(struct assignment_row, resourceGroup), TEXT(struct assignment_row, machineId),
    TEXT(struct assignment_row, assignment),  TEXT(struct assignment_row, complianceStatus),
    TEXT(struct assignment_row, lastChecked), TEXT(struct assignment_row, version),
    TEXT(struct assignment_row, assignmentType), TEXT(struct assignment_row, provisioningState),
    TEXT(struct assignment_row, reportId),    JSON(struct assignment_row, rules),
    { 0 }
};

static const struct field assignment_rule_fields[] = {
    TEXT(struct assignment_row, id),         TEXT(struct assignment_row, subscriptionId),
    TEXT(struct assignment_row, machineId),  TEXT(struct assignment_row, assignment),
    TEXT(struct assignment_row, rule),       TEXT(struct assignment_row, complianceStatus),
    TEXT(struct assignment_row, reasonCode), TEXT(struct assignment_row, reasonPhrase),
    { 0 }
};

bool rows_assignment_present(const struct view *view, size_t position)
{
    return machine_present(view, &view->tenant->machines[position], FORM_B);
}

const char *rows_assignment_id(const struct tenant *tenant, const struct machine *machine,
                               struct arena *scratch)
{
    return print(scratch, "%s/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/"
                 "%s", tenant->resources[machine->resource].id, baseline_assignment(machine->os));
}

static void assignment_fill(const struct view *view, size_t position, void *out,
                            struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    const struct machine *machine = &tenant->machines[position];
    const struct resource *resource = &tenant->resources[machine->resource];
    const char *id = rows_assignment_id(tenant, machine, scratch);
    struct assignment_row *row = out;
    char time[TENANT_TIME_BYTES], report[37];
    bool pending = machine->state == MACHINE_PENDING;
    row->id = tenant_lower(scratch, id);
    row->subscriptionId = tenant->subscriptions[resource->subscription].id;
    row->resourceGroup = tenant_group_of(scratch, resource->id);
    row->machineId = tenant_lower(scratch, resource->id);
    row->assignment = baseline_assignment(machine->os);
    row->complianceStatus = pending                     ? "Pending"
                            : baseline_failing(machine) ? "NonCompliant"
                                                        : "Compliant";
    row->lastChecked = pending ? "0001-01-01T00:00:00"
                               : arena_text(scratch, tenant_time(machine->checked_at, position, time));
    row->version = "1.0.0.0";
    row->assignmentType = "Audit";
    row->provisioningState = "Succeeded";
    draw_guid((uint64_t)machine->checked_at, DRAW_MACHINE, position, report);
    row->reportId = print(scratch, "%s/reports/%s", id, pending ? "" : report);
    row->rules = pending ? "null" : print(scratch, "%u", machine->rules);
}

static bool assignment_rule_present(const struct view *view, size_t position)
{
    const struct machine *machine = &view->tenant->machines[position / RULES_MAX];
    size_t rule = view->tenant->baseline.by_name[machine->os][position % RULES_MAX];
    return rule < machine->rules && rule < view->expand_limit &&
           machine->state != MACHINE_PENDING && machine_present(view, machine, FORM_B) &&
           !(view->failing_only && !baseline_fails(machine, rule));
}

static void assignment_rule_fill(const struct view *view, size_t position, void *out,
                                 struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    size_t number = position / RULES_MAX;
    const struct machine *machine = &tenant->machines[number];
    size_t rule = tenant->baseline.by_name[machine->os][position % RULES_MAX];
    bool fails = baseline_fails(machine, rule);
    struct assignment_row *row = out;
    assignment_fill(view, number, row, scratch);
    row->rule = tenant->baseline.rules[machine->os][rule].name;
    row->id = print(scratch, "%s|%s", row->id, row->rule);
    row->complianceStatus = fails ? "NonCompliant" : "Compliant";
    row->reasonPhrase = "Operation successful.";
    row->reasonCode = "DSC::RESOURCE::SUCCESS";
    if (!fails)
        return;
    baseline_reasons(&tenant->baseline, machine, rule, &row->reasonPhrase, scratch);
    row->reasonCode = *row->reasonPhrase ? "BaselineSettingNotCompliant" : "";
}

/* --- machines per rule, summarised ----------------------------------------------------------- */

struct summary_row {
    const char *id, *subscriptionId, *assessmentKey, *ruleKey, *statusCode, *rule, *severity;
    int64_t machines;
};

static const struct field summary_fields[] = {
    TEXT(struct summary_row, subscriptionId), TEXT(struct summary_row, assessmentKey),
    TEXT(struct summary_row, ruleKey),        TEXT(struct summary_row, statusCode),
    INTEGER(struct summary_row, machines),    TEXT(struct summary_row, rule),
    TEXT(struct summary_row, severity),       TEXT(struct summary_row, id),
    { 0 }
};

/* A position is subscription, recommendation (in the order of keys), rule by key, then status. */
struct summary_key {
    size_t subscription;
    enum os os;
    size_t rule;
    bool fails;
};

static size_t summary_count(const struct view *view)
{
    return view->tenant->subscription_count * OS_COUNT * RULES_MAX * 2;
}

static struct summary_key summary_key(const struct view *view, size_t position)
{
    const struct tenant *tenant = view->tenant;
    size_t rank = position / 2 % RULES_MAX;
    struct summary_key key = { .fails = position % 2 }; /* "Healthy" before "Unhealthy" */
    key.subscription = position / 2 / RULES_MAX / OS_COUNT;
    /* 1f65... (Linux) before 8c3d... (Windows) */
    key.os = position / 2 / RULES_MAX % OS_COUNT ? OS_WINDOWS : OS_LINUX;
    key.rule = tenant->baseline.by_key[key.os][rank];
    return key;
}

static int64_t summary_machines(const struct view *view, const struct summary_key *key,
                                int64_t enough)
{
    const struct tenant *tenant = view->tenant;
    int64_t machines = 0;
    for (size_t m = 0; m < tenant->machine_count && machines < enough; m++) {
        const struct machine *machine = &tenant->machines[m];
        if (machine->os == key->os && key->rule < machine->rules &&
            machine->state != MACHINE_PENDING &&
            tenant->resources[machine->resource].subscription == key->subscription &&
            baseline_fails(machine, key->rule) == key->fails &&
            machine_present(view, machine, FORM_A))
            machines++;
    }
    return machines;
}

static bool summary_present(const struct view *view, size_t position)
{
    struct summary_key key = summary_key(view, position);
    return view->in_scope[key.subscription] && !(view->failing_only && !key.fails) &&
           summary_machines(view, &key, 1) > 0;
}

static void summary_fill(const struct view *view, size_t position, void *out,
                         struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    struct summary_key key = summary_key(view, position);
    const struct rule *rule = &tenant->baseline.rules[key.os][key.rule];
    struct summary_row *row = out;
    row->subscriptionId = tenant->subscriptions[key.subscription].id;
    row->assessmentKey = tenant->catalogue.rows[tenant->catalogue.baseline[key.os]].key;
    row->ruleKey = rule->key;
    row->statusCode = key.fails ? "Unhealthy" : "Healthy";
    row->rule = rule->name;
    row->severity = baseline_severity(rule);
    row->machines = summary_machines(view, &key, INT64_MAX);
    row->id = print(scratch, "%s|%s|%s|%s", row->subscriptionId, row->assessmentKey, row->ruleKey,
                    row->statusCode);
}

/* --- the table ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rows rows_table[] = {
    { "assessments_rows", rows_assessments, rows_assessment_present, assessment_fill, assessment_fields, sizeof(struct assessment_row) },
    { "assessments_changed_rows", rows_assessments, rows_assessment_present, assessment_fill, assessment_fields, sizeof(struct assessment_row) },
    { "assessments_unhealthy_rows", rows_assessments, rows_assessment_present, assessment_fill, assessment_fields, sizeof(struct assessment_row) },
    { "secure_scores_rows", score_count, score_present, score_fill, score_fields, sizeof(struct score_row) },
    { "secure_score_controls_rows", control_count, control_present, control_fill, control_fields, sizeof(struct score_row) },
    { "subscriptions_rows", score_count, subscription_present, subscription_fill, subscription_fields, sizeof(struct subscription_row) },
    { "baseline_findings_rows", rule_positions, finding_present, finding_fill, finding_fields, sizeof(struct finding_row) },
    { "baseline_rules_summary", summary_count, summary_present, summary_fill, summary_fields, sizeof(struct summary_row) },
    { "baseline_guestconfiguration_rows", rows_machines, rows_assignment_present, assignment_fill, assignment_fields, sizeof(struct assignment_row) },
    { "baseline_guestconfiguration_rules_rows", rule_positions, assignment_rule_present, assignment_rule_fill, assignment_rule_fields, sizeof(struct assignment_row) },
};
/* clang-format on */

const struct rows *rows_find(const char *query)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows_table); i++)
        if (strcmp(rows_table[i].query, query) == 0)
            return &rows_table[i];
    return NULL;
}
