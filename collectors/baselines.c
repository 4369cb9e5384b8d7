#include "collectors/baselines_reason.h"
#include "collectors/baselines_report.h"
#include "collectors/baselines_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "collectors/waivers.h"
#include "core/memory.h"
#include "kql.h"

const char *const baselines_assignments[] = { "AzureWindowsBaseline", "AzureLinuxBaseline", NULL };
const char *const baselines_assessment_ids[] = { "8c3d9ad0-3639-4686-9cd2-2b2ab2609bda",
                                                 "1f655fb7-63ca-4980-91a3-56dbc2b715c6", NULL };
const char *const baselines_state_words[] = { "compliant", "non_compliant", "pending", NULL };

enum { MV_EXPAND_LIMIT = 400 }; /* source: Resource Graph query language */
enum {
    QUERY_NAMES, QUERY_MACHINES, QUERY_FINDINGS, QUERY_ASSIGNMENTS, QUERY_ASSIGNMENT_RULES,
    QUERY_TEXTS
};

extern const struct collector baselines_collector;

struct row {
    const char *subscription_id, *machine_id, *assessment_id, *assignment;
    const char *rule_id, *rule, *status, *severity, *reason, *code, *version;
    const char *description, *impact, *remediation;
    const char *form; /* "individual": a recommendation of its own */
    int64_t machines, healthy, unhealthy, rules, checked_at, changed_at;
};

/* One row a rule, whatever the subscription. */
static const struct column text_columns[] = {
    COLUMN_ID  (struct row, assessment_id, "assessmentKey"),
    COLUMN_ID  (struct row, rule_id,       "ruleKey"),
    COLUMN_ID  (struct row, rule,          "rule"),
    COLUMN_LONG(struct row, description,   "description"),
    COLUMN_LONG(struct row, impact,        "impact"),
    COLUMN_LONG(struct row, remediation,   "remediation"),
    { 0 }
};
static const struct column name_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_ID     (struct row, assessment_id,   "assessmentKey"),
    COLUMN_ID     (struct row, rule_id,         "ruleKey"),
    COLUMN_TEXT   (struct row, status,          "statusCode"),
    COLUMN_INTEGER(struct row, machines,        "machines"),
    COLUMN_ID     (struct row, rule,            "rule"),
    COLUMN_TEXT   (struct row, severity,        "severity"),
    COLUMN_TEXT   (struct row, form,            "form"),
    { 0 }
};
static const struct column machine_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_ID     (struct row, assessment_id,   "assessmentKey"),
    COLUMN_KEY    (struct row, machine_id,      "machineId"),
    COLUMN_INTEGER(struct row, healthy,         "healthy"),
    COLUMN_INTEGER(struct row, unhealthy,       "unhealthy"),
    COLUMN_TEXT   (struct row, form,            "form"),
    { 0 }
};
static const struct column finding_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_ID     (struct row, assessment_id,   "assessmentKey"),
    COLUMN_KEY    (struct row, machine_id,      "machineId"),
    COLUMN_KEY    (struct row, rule_id,         "ruleKey"),
    COLUMN_ID     (struct row, rule,            "rule"),
    COLUMN_KEY    (struct row, status,          "statusCode"),
    COLUMN_TEXT   (struct row, severity,        "severity"),
    COLUMN_TIME   (struct row, changed_at,      "timeGenerated"),
    COLUMN_TEXT   (struct row, form,            "form"),
    { 0 }
};
static const struct column assignment_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, machine_id,      "machineId"),
    COLUMN_ID     (struct row, assignment,      "assignment"),
    COLUMN_TEXT   (struct row, status,          "complianceStatus"),
    COLUMN_TIME   (struct row, checked_at,      "lastChecked"),
    COLUMN_INTEGER(struct row, rules,           "rules"),
    COLUMN_TEXT   (struct row, version,         "version"),
    { 0 }
};
static const struct column assignment_rule_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, machine_id,      "machineId"),
    COLUMN_ID     (struct row, assignment,      "assignment"),
    COLUMN_ID     (struct row, rule,            "rule"),
    COLUMN_KEY    (struct row, status,          "complianceStatus"),
    COLUMN_LONG   (struct row, reason,          "reasonPhrase"),
    COLUMN_TEXT   (struct row, code,            "reasonCode"),
    { 0 }
};

/* While rows arrive; every query is asked whole or the run fails. */
struct own {
    struct baselines_merge *merge; /* NULL before the first row and after finish */
    struct baselines_reports *reports; /* after finish, when rows came */
    struct baselines_texts *texts;
    struct baselines_waiver *waivers;
    size_t waiver_count, waiver_capacity;
    struct intern grouped; /* "<baseline>|<subscription>" whose rules are sub-assessments */
};

static void own_finish(void *data)
{
    struct own *own = data;
    baselines_merge_destroy(own->merge);
    baselines_report_destroy(own->reports);
    baselines_texts_destroy(own->texts);
    free(own->waivers);
    intern_finish(&own->grouped);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

static enum baseline baseline_of(const struct row *row, bool from_assignment)
{
    return from_assignment
               ? (strcasecmp(row->assignment, baselines_assignments[BASELINE_LINUX])
                      ? BASELINE_WINDOWS : BASELINE_LINUX)
               : (strcasecmp(row->assessment_id, baselines_assessment_ids[BASELINE_LINUX])
                      ? BASELINE_WINDOWS : BASELINE_LINUX);
}

static uint64_t count_of(int64_t number)
{
    return number > 0 ? (uint64_t)number : 0;
}

static bool is_individual(const struct row *row)
{
    return row->form && !strcasecmp(row->form, "individual");
}

/* Where both models tell of a subscription side by side, sub-assessments count. They come first. */
static bool counts_for(struct own *own, const struct row *row, enum baseline baseline)
{
    char key[PART_ID_BYTES];
    int length = snprintf(key, sizeof key, "%d|%s", (int)baseline, row->subscription_id);
    size_t bytes = (size_t)length < sizeof key ? (size_t)length : sizeof key - 1;
    if (is_individual(row))
        return intern_find(&own->grouped, key, bytes) == UINT32_MAX;
    intern_put(&own->grouped, key, bytes);
    return true;
}

/* The key of a rule: of its name, or where it has none, of what Azure calls it. */
static const char *key_of(const struct row *row, char key[BASELINES_RULE_KEY_BYTES])
{
    const char *rule = row->rule && *row->rule ? row->rule : row->rule_id ? row->rule_id : "";
    return baselines_rule_key(rule, key, BASELINES_RULE_KEY_BYTES);
}

/* A rule of form A: its name, and how many machines pass it. */
static void fold_name(struct part *part, const struct row *row, enum baseline baseline)
{
    enum severity severity = finding_severity(row->severity);
    char key[BASELINES_RULE_KEY_BYTES], id[BASELINES_RULE_ID_BYTES];
    baselines_rule_id(baseline, key_of(row, key), id);
    intern_put(&part->known, id, strlen(id));
    baselines_merge_name(own_of(part)->merge, row->rule_id, row->rule, severity);
    if (!strcasecmp(row->status, "Healthy") && counts_for(own_of(part), row, baseline))
        baselines_count_of(part, row->subscription_id, baseline)->compliant[severity] +=
            count_of(row->machines);
}

static void fold_text(struct part *part, const struct row *row, enum baseline baseline)
{
    struct own *own = own_of(part);
    char key[BASELINES_RULE_KEY_BYTES], id[BASELINES_RULE_ID_BYTES];
    if (!own->texts)
        own->texts = baselines_texts_create();
    if (*key_of(row, key))
        baselines_texts_add(own->texts, baselines_rule_id(baseline, key, id), row->description,
                            row->impact, row->remediation);
}

static void fold_machine(struct part *part, const struct row *row, enum baseline baseline,
                         bool from_assignment)
{
    if (from_assignment && row->rules > MV_EXPAND_LIMIT)
        part->truncated = true; /* the rules behind the limit are not in the rows to come */
    baselines_merge_machine(own_of(part)->merge, &(struct baselines_machine_fact){
        .subscription_id = row->subscription_id,
        .machine_id = row->machine_id,
        .baseline = baseline,
        .from_assignment = from_assignment,
        .individual = is_individual(row),
        .healthy = count_of(row->healthy),
        .unhealthy = count_of(row->unhealthy),
        .compliance = row->status,
        .checked_at = row->checked_at,
        .rules = row->rules < MV_EXPAND_LIMIT ? row->rules : MV_EXPAND_LIMIT,
        .version = row->version ? row->version : "",
    });
}

static void fold_rule(struct part *part, const struct row *row, enum baseline baseline,
                      bool from_assignment)
{
    static const char *const failing[] = { "Unhealthy", "NonCompliant" };
    baselines_merge_rule(part, own_of(part)->merge, &(struct baselines_rule_fact){
        .subscription_id = row->subscription_id,
        .machine_id = row->machine_id,
        .baseline = baseline,
        .from_assignment = from_assignment,
        .individual = is_individual(row),
        .failing = !strcasecmp(row->status, failing[from_assignment]),
        .rule_id = from_assignment ? "" : row->rule_id,
        .rule_name = row->rule,
        .severity = from_assignment ? baselines_reason_severity(row->reason)
                                    : finding_severity(row->severity),
        .changed_at = row->changed_at,
        .reason_phrase = from_assignment ? row->reason : "",
        .reason_code = from_assignment ? row->code : "",
    });
}

static bool is_of_assignment(size_t query)
{
    return query == QUERY_ASSIGNMENTS || query == QUERY_ASSIGNMENT_RULES;
}

static bool is_rule(size_t query)
{
    return query == QUERY_FINDINGS || query == QUERY_ASSIGNMENT_RULES;
}

/* What a row that decides says in words nobody knows. source: Microsoft.Security and
 * Microsoft.GuestConfiguration REST API. */
static enum odd_reason check(const struct row *row, size_t query, struct error *error)
{
    static const char *const words[] = { "Compliant", "NonCompliant", "Pending" };
    bool known = query == QUERY_FINDINGS && finding_status(row->status, "") != STATUS_COUNT;
    for (size_t i = 0; i < ARRAY_COUNT(words) && query == QUERY_ASSIGNMENT_RULES; i++)
        known = known || !strcasecmp(row->status, words[i]);
    const char *word = known ? row->severity : row->status;
    if (is_rule(query) && (!known || (word && !finding_severity_is_known(word)))) {
        error_set(error, ERROR_PARSE, "the %s \"%.40s\" is not known",
                  known ? "severity" : "status", word);
        return ODD_WORD;
    }
    if (query == QUERY_MACHINES && (row->healthy < 0 || row->unhealthy < 0)) {
        error_set(error, ERROR_PARSE, "how many rules it meets is missing");
        return ODD_MISSING;
    }
    return ODD_NONE;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    bool from_assignment = is_of_assignment(query);
    enum baseline baseline = baseline_of(row, from_assignment);
    enum odd_reason reason = check(row, query, error);
    if (reason)
        return reason;
    if (query == QUERY_TEXTS) {
        fold_text(part, row, baseline);
        return ODD_NONE;
    }
    if (!own_of(part)->merge)
        own_of(part)->merge = baselines_merge_create(context->waivers, context->now);
    part_see(part, row->subscription_id);
    if (query == QUERY_NAMES)
        fold_name(part, row, baseline);
    else if (query == QUERY_MACHINES || query == QUERY_ASSIGNMENTS)
        fold_machine(part, row, baseline, from_assignment);
    else
        fold_rule(part, row, baseline, from_assignment);
    return ODD_NONE;
}

/* Counts conclude nothing; what is missing of the rules would be fixed. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)context;
    const struct row *row = data;
    char key[BASELINES_RULE_KEY_BYTES], id[BASELINES_ROW_ID_BYTES];
    if (!is_rule(query))
        return;
    if (!*row->machine_id || !*key_of(row, key)) {
        part_add_gap(part, row->subscription_id);
        return;
    }
    baselines_row_id(row->machine_id, baseline_of(row, is_of_assignment(query)), key, id);
    part_freeze(part, row->subscription_id, id);
}

static const struct baselines_reports *reports_of(const struct part *part)
{
    const struct own *own = part ? part->own : NULL;
    return own ? own->reports : NULL;
}

const struct baselines_version *baselines_versions(const struct part *part, size_t *count)
{
    bool ours = part && part->source->collector == &baselines_collector;
    return baselines_report_versions(ours ? reports_of(part) : NULL, count);
}

bool baselines_gauge_at(const struct part *part, size_t index, struct baselines_gauge *gauge)
{
    bool ours = part->source->collector == &baselines_collector;
    const char *key = ours ? baselines_report_at(reports_of(part), index, gauge) : NULL;
    if (key)
        gauge->id = finding_id(part->source, key, strlen(key));
    return key != NULL;
}

struct finding_id baselines_gauge_id(const struct part *part, const struct finding *finding)
{
    char key[BASELINES_REPORT_KEY_BYTES];
    baselines_report_key(finding, key);
    return finding_id(part->source, key, strlen(key));
}

static bool fixed(const struct part *part, const struct finding *finding, int64_t since)
{
    return baselines_report_fixed(reports_of(part), finding, since);
}

const struct baselines_texts *baselines_texts_of(const struct part *part)
{
    bool ours = part && part->source->collector == &baselines_collector;
    const struct own *own = ours ? part->own : NULL;
    return own ? own->texts : NULL;
}

static void keep_waivers(struct part *part, struct own *own, const struct collect_context *context)
{
    enum waivers_state state;
    const struct waiver *waiver;
    while ((waiver = waivers_at(context->waivers, own->waiver_count, context->now, &state))) {
        MEMORY_GROW(own->waivers, own->waiver_count, own->waiver_capacity);
        own->waivers[own->waiver_count++] = (struct baselines_waiver){
            .rule = part_keep(part, waiver->rule),
            .expires = part_keep(part, waiver->expires),
            .reason = part_keep(part, waiver->reason),
            .expired = state == WAIVERS_EXPIRED,
        };
    }
}

/* Texts do not change from run to run; their query may fail. */
static void carry_texts(struct own *own, const struct baselines_texts *older)
{
    if (older && !own->texts)
        own->texts = baselines_texts_create();
    if (own->texts)
        baselines_texts_carry(own->texts, older);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    struct own *own = own_of(part);
    const struct part *older = snapshot_part(context->snapshot, part->source);
    if (own->merge) {
        baselines_merge_finish(part, own->merge, context->now);
        own->reports = baselines_report_create();
        baselines_merge_report(own->merge, own->reports, reports_of(older), context->now);
    }
    baselines_merge_destroy(own->merge);
    own->merge = NULL;
    carry_texts(own, baselines_texts_of(older));
    keep_waivers(part, own, context);
    return true;
}

uint64_t baselines_machines(const struct snapshot *snapshot, const char *tenant,
                            const char *subscription_id)
{
    const struct part *part = snapshot_part_of(snapshot, &baselines_collector, tenant);
    const struct part_cover *cover = part ? part_cover_find(part, subscription_id) : NULL;
    uint64_t machines = 0;
    if (!cover || !cover->collected_at)
        return 0;
    const struct baselines_counts *counts =
        part_counted(part, &baselines_counts, (size_t)(cover - part->cover));
    for (int baseline = 0; baseline < BASELINE_COUNT; baseline++)
        machines += counts->of[baseline].machines[MACHINE_COMPLIANT] +
                    counts->of[baseline].machines[MACHINE_NON_COMPLIANT];
    return machines;
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    const struct own *own = part->own;
    baselines_emit(snapshot, part, set);
    baselines_emit_waivers(own ? own->waivers : NULL, own ? own->waiver_count : 0, set);
}

const struct collector baselines_collector = {
    .name = "baselines",
    .words = "baseline results",
    .help = "OS security baselines of Windows and Linux machines, by rule.",
    .default_interval = "30m",
    .rows = COLLECTOR_FAILING_ROWS,
    .order = 30,
    .topic = "baseline",
    .baseline_rules = true,
    .rights = { "what rules of OS baselines found, machine configuration",
                "Security Reader; Reader for machine configuration",
                "Microsoft.Security/assessments/read "
                "Microsoft.Security/assessments/subAssessments/read "
                "Microsoft.GuestConfiguration/guestConfigurationAssignments/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "baseline_rules_summary", .kql = kql_baseline_rules_summary,
              .columns = name_columns },
            { .name = "baseline_machines_summary", .kql = kql_baseline_machines_summary,
              .columns = machine_columns },
            { .name = "baseline_findings_rows", .kql = kql_baseline_findings_rows,
              .columns = finding_columns, .none = NONE_IS_ORDINARY },
            { .name = "baseline_guestconfiguration_rows",
              .kql = kql_baseline_guestconfiguration_rows,
              .columns = assignment_columns },
            { .name = "baseline_guestconfiguration_rules_rows",
              .kql = kql_baseline_guestconfiguration_rules_rows,
              .columns = assignment_rule_columns },
            { .name = "baseline_texts_summary", .kql = kql_baseline_texts_summary,
              .columns = text_columns, .optional = true },
        } },
    },
    .families = baselines_families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .fixed = fixed,
    .emit = emit,
};
