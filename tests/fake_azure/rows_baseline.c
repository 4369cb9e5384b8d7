/* The rows of the OS baselines, in both their forms. */
#include <stdio.h>
#include <string.h>

#include "core/compiler.h"
#include "draw.h"
#include "rows.h"

/* --- sub-assessments of the OS baselines (form A) -------------------------------------------- */

struct finding_row {
    const char *id, *subscriptionId, *machineId, *assessmentKey, *os, *ruleKey, *ruleId, *rule,
        *statusCode, *severity, *category, *timeGenerated, *form;
};

static const struct field finding_fields[] = { TEXT(struct finding_row, id),
                                               TEXT(struct finding_row, subscriptionId),
                                               TEXT(struct finding_row, machineId),
                                               TEXT(struct finding_row, assessmentKey),
                                               TEXT(struct finding_row, os),
                                               TEXT(struct finding_row, form),
                                               TEXT(struct finding_row, ruleKey),
                                               TEXT(struct finding_row, ruleId),
                                               TEXT(struct finding_row, rule),
                                               TEXT(struct finding_row, statusCode),
                                               TEXT(struct finding_row, severity),
                                               TEXT(struct finding_row, category),
                                               TEXT(struct finding_row, timeGenerated),
                                               { 0 } };

/* In the individual model each rule is a recommendation of its own. */
static const char *form_of(const struct tenant *tenant, uint32_t subscription)
{
    return tenant->subscriptions[subscription].model == TENANT_INDIVIDUAL ? "individual"
                                                                          : "grouped";
}

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

static void finding_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
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
    row->form = form_of(tenant, resource->subscription);
    if (tenant->subscriptions[resource->subscription].model == TENANT_INDIVIDUAL)
        row->id = rows_print(scratch, "%s/providers/microsoft.security/assessments/%s",
                             row->machineId, rule->key);
    else
        row->id =
            rows_print(scratch, "%s/providers/microsoft.security/assessments/%s/subassessments/%s",
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

static const struct field assignment_fields[] = { TEXT(struct assignment_row, id),
                                                  TEXT(struct assignment_row, subscriptionId),
                                                  TEXT(struct assignment_row, resourceGroup),
                                                  TEXT(struct assignment_row, machineId),
                                                  TEXT(struct assignment_row, assignment),
                                                  TEXT(struct assignment_row, complianceStatus),
                                                  TEXT(struct assignment_row, lastChecked),
                                                  TEXT(struct assignment_row, version),
                                                  TEXT(struct assignment_row, assignmentType),
                                                  TEXT(struct assignment_row, provisioningState),
                                                  TEXT(struct assignment_row, reportId),
                                                  JSON(struct assignment_row, rules),
                                                  { 0 } };

static const struct field assignment_rule_fields[] = { TEXT(struct assignment_row, id),
                                                       TEXT(struct assignment_row, subscriptionId),
                                                       TEXT(struct assignment_row, machineId),
                                                       TEXT(struct assignment_row, assignment),
                                                       TEXT(struct assignment_row, rule),
                                                       TEXT(struct assignment_row,
                                                            complianceStatus),
                                                       TEXT(struct assignment_row, reasonCode),
                                                       TEXT(struct assignment_row, reasonPhrase),
                                                       { 0 } };

bool rows_assignment_present(const struct view *view, size_t position)
{
    return machine_present(view, &view->tenant->machines[position], FORM_B);
}

const char *rows_assignment_id(const struct tenant *tenant, const struct machine *machine,
                               struct arena *scratch)
{
    return rows_print(scratch,
                      "%s/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/"
                      "%s",
                      tenant->resources[machine->resource].id, baseline_assignment(machine->os));
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
    row->lastChecked = pending
                           ? "0001-01-01T00:00:00"
                           : arena_text(scratch, tenant_time(machine->checked_at, position, time));
    row->version = baseline_version(&tenant->baseline, machine->os, scratch);
    row->assignmentType = "Audit";
    row->provisioningState = "Succeeded";
    draw_guid((uint64_t)machine->checked_at, DRAW_MACHINE, position, report);
    row->reportId = rows_print(scratch, "%s/reports/%s", id, pending ? "" : report);
    row->rules = pending ? "null" : rows_print(scratch, "%u", machine->rules);
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
    row->id = rows_print(scratch, "%s|%s", row->id, row->rule);
    row->complianceStatus = fails ? "NonCompliant" : "Compliant";
    row->reasonPhrase = "Operation successful.";
    row->reasonCode = "DSC::RESOURCE::SUCCESS";
    if (!fails)
        return;
    baseline_reasons(&tenant->baseline, machine, rule, &row->reasonPhrase, scratch);
    row->reasonCode =
        *row->reasonPhrase ? baseline_code(&tenant->baseline, machine, rule, scratch) : "";
}

/* --- machines per rule, summarised ----------------------------------------------------------- */

struct summary_row {
    const char *form, *id, *subscriptionId, *assessmentKey, *ruleKey, *statusCode, *rule, *severity;
    int64_t machines;
};

static const struct field summary_fields[] = { TEXT(struct summary_row, subscriptionId),
                                               TEXT(struct summary_row, assessmentKey),
                                               TEXT(struct summary_row, ruleKey),
                                               TEXT(struct summary_row, statusCode),
                                               INTEGER(struct summary_row, machines),
                                               TEXT(struct summary_row, rule),
                                               TEXT(struct summary_row, severity),
                                               TEXT(struct summary_row, form),
                                               TEXT(struct summary_row, id),
                                               { 0 } };

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

static void summary_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
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
    row->form = form_of(tenant, key.subscription);
    row->id = rows_print(scratch, "%s|%s|%s|%s|%s", row->form, row->subscriptionId,
                         row->assessmentKey, row->ruleKey, row->statusCode);
}

/* --- rules per machine, summarised ----------------------------------------------------------- */

struct machine_row {
    const char *form, *id, *subscriptionId, *assessmentKey, *machineId;
    int64_t healthy, unhealthy;
};

static const struct field machine_fields[] = { TEXT(struct machine_row, subscriptionId),
                                               TEXT(struct machine_row, assessmentKey),
                                               TEXT(struct machine_row, machineId),
                                               INTEGER(struct machine_row, healthy),
                                               INTEGER(struct machine_row, unhealthy),
                                               TEXT(struct machine_row, form),
                                               TEXT(struct machine_row, id),
                                               { 0 } };

static bool machine_row_present(const struct view *view, size_t position)
{
    const struct machine *machine = &view->tenant->machines[position];
    return machine->state != MACHINE_PENDING && machine_present(view, machine, FORM_A);
}

static void machine_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    const struct machine *machine = &tenant->machines[position];
    const struct resource *resource = &tenant->resources[machine->resource];
    struct machine_row *row = out;
    row->subscriptionId = tenant->subscriptions[resource->subscription].id;
    row->assessmentKey = tenant->catalogue.rows[tenant->catalogue.baseline[machine->os]].key;
    row->machineId = tenant_lower(scratch, resource->id);
    row->unhealthy = (int64_t)baseline_failing(machine);
    row->healthy = machine->rules - row->unhealthy;
    row->form = form_of(tenant, resource->subscription);
    row->id = rows_print(scratch, "%s|%s|%s", row->form, row->machineId, row->assessmentKey);
}

/* --- what is said of rules that fail somewhere ------------------------------------------------ */

struct text_row {
    const char *form, *id, *assessmentKey, *ruleKey, *rule, *description, *impact, *remediation;
};

static const struct field text_fields[] = { TEXT(struct text_row, assessmentKey),
                                            TEXT(struct text_row, ruleKey),
                                            TEXT(struct text_row, rule),
                                            TEXT(struct text_row, description),
                                            TEXT(struct text_row, impact),
                                            TEXT(struct text_row, remediation),
                                            TEXT(struct text_row, form),
                                            TEXT(struct text_row, id),
                                            { 0 } };

static size_t text_count(const struct view *view)
{
    (void)view;
    return OS_COUNT * RULES_MAX;
}

/* 1f65... (Linux) before 8c3d... (Windows), rules by key */
static enum os text_os(size_t position)
{
    return position / RULES_MAX ? OS_WINDOWS : OS_LINUX;
}

static bool text_present(const struct view *view, size_t position)
{
    enum os os = text_os(position);
    size_t rule = view->tenant->baseline.by_key[os][position % RULES_MAX];
    for (size_t i = 0; i < view->tenant->machine_count; i++) {
        const struct machine *machine = &view->tenant->machines[i];
        if (machine->os == os && rule < machine->rules && machine->state != MACHINE_PENDING &&
            baseline_fails(machine, rule) && machine_present(view, machine, FORM_A))
            return true;
    }
    return false;
}

static void text_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    enum os os = text_os(position);
    size_t number = tenant->baseline.by_key[os][position % RULES_MAX];
    struct baseline_text text;
    baseline_text(&tenant->baseline, os, number, scratch, &text);
    struct text_row *row = out;
    row->assessmentKey = tenant->catalogue.rows[tenant->catalogue.baseline[os]].key;
    row->ruleKey = tenant->baseline.rules[os][number].key;
    row->rule = tenant->baseline.rules[os][number].name;
    row->form = form_of(tenant, 0); /* texts of one form are enough */
    row->id = rows_print(scratch, "%s|%s|%s", row->assessmentKey, row->ruleKey, row->form);
    row->description = text.description;
    row->impact = text.impact;
    row->remediation = text.remediation;
}

/* clang-format off */
const struct rows rows_baseline[] = {
    { "baseline_findings_rows", rule_positions, finding_present, finding_fill,
      finding_fields, sizeof(struct finding_row) },
    { "baseline_rules_summary", summary_count, summary_present, summary_fill,
      summary_fields, sizeof(struct summary_row) },
    { "baseline_texts_summary", text_count, text_present, text_fill,
      text_fields, sizeof(struct text_row) },
    { "baseline_machines_summary", rows_machines, machine_row_present, machine_fill,
      machine_fields, sizeof(struct machine_row) },
    { "baseline_guestconfiguration_rows", rows_machines, rows_assignment_present, assignment_fill,
      assignment_fields, sizeof(struct assignment_row) },
    { "baseline_guestconfiguration_rules_rows", rule_positions, assignment_rule_present,
      assignment_rule_fill, assignment_rule_fields, sizeof(struct assignment_row) },
    { 0 }
};
/* clang-format on */
