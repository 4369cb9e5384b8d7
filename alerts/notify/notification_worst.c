/* Every open finding is asked whether the samples that were counted have its labels. */
#include "alerts/notify/notification_worst.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/store/rows.h"
#include "collectors/collector.h"
#include "collectors/secure_scores.h"
#include "collectors/snapshot/part_resource.h"
#include "core/hash.h"

/* --- which findings a family counts ----------------------------------------------------------- */

enum behind { BEHIND_ANY, BEHIND_ATTACK_PATHS, BEHIND_EXPOSED, BEHIND_OVERDUE, BEHIND_AGE };

/* clang-format off */
static const struct counted {
    const char *metric;
    enum behind which;
    bool baseline; /* rules of a baseline, instead of recommendations */
} counted[] = {
    { "defender_findings", BEHIND_ANY, false },
    { "defender_affected_resources", BEHIND_ANY, false },
    { "defender_assessed_resources", BEHIND_ANY, false },
    { "defender_findings_on_attack_path", BEHIND_ATTACK_PATHS, false },
    { "defender_findings_internet_exposed", BEHIND_EXPOSED, false },
    { "defender_findings_overdue", BEHIND_OVERDUE, false },
    { "defender_finding_oldest_timestamp_seconds", BEHIND_AGE, false },
    { "defender_resource_type_findings", BEHIND_ANY, false },
    { "defender_assessment_findings", BEHIND_ANY, false },
    { "defender_assessment_subscription_findings", BEHIND_ANY, false },
    { "defender_assessment_potential_points", BEHIND_ANY, false },
    { "defender_finding_info", BEHIND_ANY, false },
    { "defender_secure_score_points", BEHIND_ANY, false },
    { "defender_secure_score_ratio", BEHIND_ANY, false },
    { "defender_control_points", BEHIND_ANY, false },
    { "defender_control_resources", BEHIND_ANY, false },
    { "defender_baseline_machines", BEHIND_ANY, true },
    { "defender_baseline_rule_results", BEHIND_ANY, true },
    { "defender_baseline_rule_failing_machines", BEHIND_ANY, true },
    { "defender_baseline_machine_failed_rules", BEHIND_ANY, true },
    { NULL, BEHIND_ANY, false },
};
/* clang-format on */

static const struct counted *counted_by(const struct family *family)
{
    const struct counted *row = counted;
    while (row->metric && strcmp(row->metric, family->name) != 0)
        row++;
    return row->metric ? row : NULL;
}

/* --- one finding ------------------------------------------------------------------------------ */

struct candidate {
    const struct part *part;
    size_t index;
};

static const struct part_finding *finding_of(const struct candidate *candidate)
{
    return &candidate->part->findings[candidate->index];
}

struct question {
    const struct notification_context *context;
    const struct rule *rule;
    const struct alert *alert;
    const struct counted *counted;
    const struct finding_id *overdue; /* [overdue_count] sorted */
    size_t overdue_count;
    struct candidate worst[NOTIFICATION_WORST_MAX];
    size_t count;
    int64_t total;
};

/* What a sample that counts the finding has as this label; NULL = any value. */
static const char *label_of(const struct candidate *candidate, const char *label)
{
    const struct part *part = candidate->part;
    const struct part_finding *finding = finding_of(candidate);
    const struct part_assessment *assessment = &part->assessments[finding->assessment];
    const struct {
        const char *label, *value;
    } values[] = {
        { "subscription_id", intern_text(&part->strings, finding->subscription) },
        { "risk_level", finding_risk_words[finding->risk] },
        { "severity", finding_severity_words[finding->severity] },
        { "rule_severity", finding_severity_words[finding->severity] },
        { "contextual", finding->contextual ? "true" : "false" },
        { "resource_type", intern_text(&part->strings, finding->type) },
        { "resource_group", intern_text(&part->strings, finding->group) },
        { "assessment_id", assessment->id },
        { "rule_id", assessment->id },
        { "assignment", assessment->category },
        { "cloud", cloud_kind_words[part_resource_cloud(part, finding)] },
        { "status", finding_status_words[STATUS_UNHEALTHY] },
        { "state", "non_compliant" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        if (!strcmp(values[i].label, label))
            return values[i].value;
    return NULL;
}

static bool has_value(const struct question *question, size_t label, const char *value)
{
    const struct rule *rule = question->rule;
    const char *name = rule->family->labels[label];
    if ((rule->by & (1U << label)) && strcmp(alert_label_value(question->alert, name), value) != 0)
        return false;
    for (size_t i = 0; i < rule->match.count; i++)
        if (!strcmp(rule->match.matches[i].name, name) &&
            match_value(&rule->match.matches[i], value, NULL) == MATCH_NO)
            return false;
    return true;
}

/* Whether the finding holds back a control whose id the samples may have. */
static bool has_control(const struct question *question, size_t label,
                        const struct candidate *candidate)
{
    const struct snapshot *snapshot = question->context->snapshot;
    const struct part *part = candidate->part;
    struct finding view;
    char scratch[PART_ID_BYTES];
    part_view(part, candidate->index, &view, scratch);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct secure_control *controls = secure_scores_controls(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (has_value(question, label, controls[j].id) &&
                secure_scores_has(&controls[j], &view))
                return true;
    }
    return false;
}

/* Whether the finding is of a connector that the samples may have; "none" is of none. */
static bool has_connector(const struct question *question, size_t label,
                          const struct candidate *candidate)
{
    struct finding view;
    char scratch[PART_ID_BYTES];
    part_view(candidate->part, candidate->index, &view, scratch);
    return has_value(question, label, *view.connector ? view.connector : "none");
}

static bool is_counted(const struct question *question, const struct part_finding *finding)
{
    switch (question->counted->which) {
    case BEHIND_ATTACK_PATHS:
        return finding->attack_paths > 0;
    case BEHIND_EXPOSED:
        return finding->internet_exposed;
    case BEHIND_AGE:
        return finding->changed_at > 0;
    case BEHIND_OVERDUE:
        for (size_t low = 0, high = question->overdue_count; low < high;) {
            size_t middle = low + (high - low) / 2;
            int order = finding_id_compare(&question->overdue[middle], &finding->id);
            if (!order)
                return true;
            *(order < 0 ? &low : &high) = middle + (order < 0);
        }
        return false;
    default:
        return true;
    }
}

static bool is_behind(const struct question *question, const struct candidate *candidate)
{
    const char *const *labels = question->rule->family->labels;
    if (!is_counted(question, finding_of(candidate)))
        return false;
    for (size_t i = 0; labels[i]; i++) {
        const char *value = label_of(candidate, labels[i]);
        bool fits = !value || has_value(question, i, *value ? value : "unknown");
        if (!strcmp(labels[i], "control"))
            fits = has_control(question, i, candidate);
        if (!strcmp(labels[i], "connector"))
            fits = has_connector(question, i, candidate);
        if (!fits)
            return false;
    }
    return true;
}

/* --- the worst of them ------------------------------------------------------------------------ */

/* Azure that tells no date tells of something old. */
static int compare_ages(const struct part_finding *left, const struct part_finding *right)
{
    return (left->changed_at > right->changed_at) - (left->changed_at < right->changed_at);
}

static bool is_worse(const struct question *question, const struct candidate *left,
                     const struct candidate *right)
{
    const struct part_finding *a = finding_of(left), *b = finding_of(right);
    int order = question->counted->which == BEHIND_AGE ? compare_ages(a, b) : 0;
    if (!order)
        order = a->risk - b->risk;
    if (!order)
        order = (b->attack_paths > 0) - (a->attack_paths > 0);
    if (!order)
        order = (b->internet_exposed ? 1 : 0) - (a->internet_exposed ? 1 : 0);
    if (!order)
        order = compare_ages(a, b);
    return (order ? order : finding_id_compare(&a->id, &b->id)) < 0;
}

static void consider(struct question *question, const struct candidate *candidate)
{
    size_t place = question->count;
    question->total++;
    while (place && is_worse(question, candidate, &question->worst[place - 1]))
        place--;
    if (place == NOTIFICATION_WORST_MAX)
        return;
    question->count += question->count < NOTIFICATION_WORST_MAX;
    memmove(question->worst + place + 1, question->worst + place,
            (question->count - place - 1) * sizeof *question->worst);
    question->worst[place] = *candidate;
}

static bool is_asked(const struct question *question, const struct part *part)
{
    const struct collector *collector = part ? part->source->collector : NULL;
    return collector && (question->counted->baseline ? collector->baseline_rules
                                                     : collector->rows == COLLECTOR_ALL_ROWS);
}

static void ask(struct question *question)
{
    const struct snapshot *snapshot = question->context->snapshot;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        struct candidate candidate = { snapshot->parts[i], 0 };
        if (!is_asked(question, candidate.part))
            continue;
        for (; candidate.index < candidate.part->finding_count; candidate.index++)
            if (is_behind(question, &candidate))
                consider(question, &candidate);
    }
}

/* --- overdue ---------------------------------------------------------------------------------- */

struct overdue {
    struct finding_id id;
    bool has_id;
};
static const struct row_field overdue_fields[] = {
    ROW_BYTES(struct overdue, id.bytes, "id", has_id),
    { 0 },
};
static const struct rows_table overdue_rows = { "ledger_finding", 1, overdue_fields };

static bool read_overdue(struct question *question, struct arena *arena, struct error *error)
{
    size_t capacity = 64;
    struct finding_id *ids = arena_alloc(arena, capacity * sizeof *ids);
    struct database *database = question->context->database;
    if (question->counted->which != BEHIND_OVERDUE || !database)
        return true;
    struct database_statement *statement =
        rows_select(database, &overdue_rows, " WHERE is_open = 1 AND overdue_at > 0 ORDER BY id");
    for (bool found;;) {
        struct overdue row = { 0 };
        if (!rows_next(statement, &overdue_rows, NULL, &row, &found, error))
            return error_wrap(error, "findings that are overdue");
        question->overdue = ids;
        if (!found)
            return true;
        if (question->overdue_count == capacity) {
            struct finding_id *more = arena_alloc(arena, 2 * capacity * sizeof *more);
            memcpy(more, ids, capacity * sizeof *more);
            ids = more;
            capacity *= 2;
        }
        ids[question->overdue_count++] = row.id;
    }
}

/* --- what is said of them --------------------------------------------------------------------- */

static bool name_one(const struct question *question, const struct candidate *candidate,
                     struct arena *arena, struct notification_worst *out, struct error *error)
{
    const struct notification_context *context = question->context;
    struct ledger_entry entry = { 0 };
    struct finding view;
    char scratch[PART_ID_BYTES], id[17], hex[2 * sizeof view.id + 1];
    bool found = false;
    part_view(candidate->part, candidate->index, &view, scratch);
    hash_hex(view.id.bytes, sizeof view.id.bytes, hex);
    if (context->database && !ledger_find(context->database, context->snapshot->sources, hex, arena,
                                          &entry, &found, error))
        return false;
    *out = (struct notification_worst){
        .finding_id = arena_text(arena, finding_id_text(&view.id, id)),
        .title = *view.title ? notification_names_copy(view.title, arena)
                             : notification_names_assessment(context, view.assessment_id, arena),
        .resource_name = notification_names_copy(view.resource_name, arena),
        .subscription_name = notification_names_subscription(context, view.subscription_id, arena),
        .risk_level = finding_risk_words[view.risk],
        .link = notification_names_link(context, &view, arena),
        .opened_at = found && entry.opened_at ? entry.opened_at : view.changed_at,
    };
    if (context->ledger)
        ledger_times(context->ledger, &view.id, &out->opened_at, &out->due_at);
    return true;
}

bool notification_worst(const struct notification_context *context, const struct rule *rule,
                        const struct alert *alert, struct arena *arena,
                        struct notification_block *block, struct error *error)
{
    struct question question = { .context = context, .rule = rule, .alert = alert };
    question.counted = rule->kind == RULE_ABSENT ? NULL : counted_by(rule->family);
    if (!question.counted)
        return true;
    if (!read_overdue(&question, arena, error))
        return false;
    ask(&question);
    struct notification_worst *worst = arena_zalloc(arena, (question.count + 1) * sizeof *worst);
    for (size_t i = 0; i < question.count; i++)
        if (!name_one(&question, &question.worst[i], arena, &worst[i], error))
            return error_wrap(error, "the worst findings");
    block->worst = worst;
    block->worst_count = question.count;
    block->worst_total = question.total;
    return true;
}
