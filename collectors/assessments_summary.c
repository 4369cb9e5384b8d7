#include "collectors/assessments_summary.h"

#include <string.h>
#include <strings.h>

#include "collectors/assessments_model.h"

struct row {
    const char *id, *subscription_id, *source;
    const char *code, *cause, *risk;
    bool contextual, grouped;
    int64_t results, on_attack_path, exposed, oldest_at, newest_at;
    const char *key, *title, *type, *severity, *categories, *individual, *resource_type;
    int64_t findings, worst, resources, by_risk[RISK_COUNT];
};

/* clang-format off */
const struct column assessments_summary_results[] = {
    COLUMN_KEY    (struct row, id,              "id"),
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_TEXT   (struct row, source,          "source"),
    COLUMN_KEY    (struct row, code,            "statusCode"),
    COLUMN_TEXT   (struct row, cause,           "statusCause"),
    COLUMN_TEXT   (struct row, risk,            "riskLevel"),
    COLUMN_BOOL   (struct row, contextual,      "isContextualRisk"),
    COLUMN_INTEGER(struct row, results,         "results"),
    COLUMN_INTEGER(struct row, on_attack_path,  "onAttackPath"),
    COLUMN_INTEGER(struct row, exposed,         "exposed"),
    COLUMN_TIME   (struct row, oldest_at,       "oldest"),
    COLUMN_TIME   (struct row, newest_at,       "newest"),
    { 0 }
};
const struct column assessments_summary_recommendations[] = {
    COLUMN_KEY    (struct row, id,              "id"),
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, key,             "assessmentKey"),
    COLUMN_TEXT   (struct row, risk,            "riskLevel"),
    COLUMN_INTEGER(struct row, findings,        "findings"),
    COLUMN_TEXT   (struct row, title,           "title"),
    COLUMN_TEXT   (struct row, type,            "assessmentType"),
    COLUMN_TEXT   (struct row, severity,        "severity"),
    COLUMN_TEXT   (struct row, categories,      "categories"),
    COLUMN_TEXT   (struct row, individual,      "recommendationCategory"),
    COLUMN_BOOL   (struct row, grouped,         "grouped"),
    { 0 }
};
const struct column assessments_summary_resources[] = {
    COLUMN_KEY    (struct row, id,                          "id"),
    COLUMN_KEY    (struct row, subscription_id,             "subscriptionId"),
    COLUMN_TEXT   (struct row, source,                      "source"),
    COLUMN_ID     (struct row, resource_type,               "resourceType"),
    COLUMN_INTEGER(struct row, worst,                       "worst"),
    COLUMN_INTEGER(struct row, resources,                   "resources"),
    COLUMN_INTEGER(struct row, by_risk[RISK_CRITICAL],      "critical"),
    COLUMN_INTEGER(struct row, by_risk[RISK_HIGH],          "high"),
    COLUMN_INTEGER(struct row, by_risk[RISK_MEDIUM],        "medium"),
    COLUMN_INTEGER(struct row, by_risk[RISK_LOW],           "low"),
    COLUMN_INTEGER(struct row, by_risk[RISK_NOT_EVALUATED], "notEvaluated"),
    { 0 }
};
/* clang-format on */

const struct kept_kind assessments_summary_opened = { KEPT_COUNTS(struct assessments_opened) };
const struct kept_kind assessments_summary_touched = { KEPT_COUNTS(struct assessments_touched) };
const struct kept_kind assessments_summary_sums = {
    KEPT_ROWS(struct assessments_sum),
    .texts = { KEPT_TEXT(struct assessments_sum, id), KEPT_TEXT(struct assessments_sum, title),
               KEPT_TEXT(struct assessments_sum, type),
               KEPT_TEXT(struct assessments_sum, category) },
};
const struct kept_kind assessments_summary_types = {
    KEPT_ROWS(struct assessments_type_sum),
    .texts = { KEPT_TEXT(struct assessments_type_sum, type) },
};

/* What is not told is no 0. */
static bool are_told(const int64_t *counts, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (counts[i] < 0 || counts[i] > UINT32_MAX)
            return error_set(error, ERROR_PARSE, "a count is missing or none");
    return true;
}

/* Open findings of one cloud and risk. */
static void add_opened(struct part *part, const struct row *row)
{
    enum risk_level risk = finding_risk(row->risk);
    struct assessments_opened *opened =
        part_count(part, &assessments_summary_opened, row->subscription_id);
    opened->findings[cloud_kind_of(row->source, "")][risk][row->contextual] +=
        (uint32_t)row->results;
    struct assessments_touched *touched =
        part_count(part, &assessments_summary_touched, row->subscription_id);
    touched->attack_path[risk] += (uint32_t)row->on_attack_path;
    touched->exposed[risk] += (uint32_t)row->exposed;
    int64_t *oldest_at = &touched->oldest_at[risk];
    if (row->oldest_at && (!*oldest_at || row->oldest_at < *oldest_at))
        *oldest_at = row->oldest_at;
}

static enum odd_reason fold_results(struct part *part, const struct row *row, struct error *error)
{
    const int64_t told[] = { row->results, row->on_attack_path, row->exposed };
    if (!are_told(told, ARRAY_COUNT(told), error))
        return ODD_MISSING;
    enum finding_status status;
    enum odd_reason reason =
        assessments_model_status(row->code, row->cause, row->risk, &status, error);
    if (reason)
        return reason;
    enum cloud_kind cloud = cloud_kind_of(row->source, "");
    struct assessments_count *counts = part_count(part, &assessments_counts, row->subscription_id);
    counts->results[cloud][status] += (uint64_t)row->results;
    if (status == STATUS_NOT_APPLICABLE && !strcasecmp(row->cause, "UnsupportedPricingPlan"))
        counts->plan_off[cloud] += (uint64_t)row->results;
    if (row->newest_at > counts->newest_at)
        counts->newest_at = row->newest_at;
    if (status == STATUS_UNHEALTHY)
        add_opened(part, row);
    return ODD_NONE;
}

static enum odd_reason fold_recommendation(struct part *part, const struct row *row,
                                           struct error *error)
{
    if (!are_told(&row->findings, 1, error))
        return ODD_MISSING;
    if (!finding_risk_is_known(row->risk)) {
        error_set(error, ERROR_PARSE, "the risk \"%.40s\" is not known", row->risk);
        return ODD_WORD;
    }
    enum finding_model model = assessments_model_of(row->individual, row->grouped);
    part_add_row(part, &assessments_summary_sums, row->subscription_id,
                 &(struct assessments_sum){
                     .id = row->key,
                     .title = row->title,
                     .type = row->type,
                     .category = model == MODEL_INDIVIDUAL ? row->individual : row->categories,
                     .severity = finding_severity(row->severity),
                     .model = model,
                     .risk = finding_risk(row->risk),
                     .findings = row->findings,
                 });
    return ODD_NONE;
}

static enum odd_reason fold_resources(struct part *part, const struct row *row, struct error *error)
{
    if (!are_told(&row->resources, 1, error) || !are_told(row->by_risk, RISK_COUNT, error))
        return ODD_MISSING;
    if (row->worst < 0 || row->worst >= RISK_COUNT) {
        error_set(error, ERROR_PARSE, "the worst risk is none");
        return ODD_TYPE;
    }
    struct assessments_touched *touched =
        part_count(part, &assessments_summary_touched, row->subscription_id);
    touched->resources[cloud_kind_of(row->source, "")][row->worst] += (uint32_t)row->resources;
    struct assessments_type_sum sum = { .type = row->resource_type };
    memcpy(sum.findings, row->by_risk, sizeof sum.findings);
    part_add_row(part, &assessments_summary_types, row->subscription_id, &sum);
    return ODD_NONE;
}

enum odd_reason assessments_summary_fold(struct part *part, size_t query, const void *data,
                                         const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    (void)context;
    part->summary = true;
    if (query == SUMMARY_RESULTS)
        return fold_results(part, row, error);
    return query == SUMMARY_RECOMMENDATIONS ? fold_recommendation(part, row, error)
                                            : fold_resources(part, row, error);
}
