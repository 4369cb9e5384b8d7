#include "collectors/remediations.h"

#include <string.h>
#include <strings.h>

#include "collectors/collector.h"

extern const struct collector remediations_collector;

enum { QUERY_TASKS, QUERY_DEPLOYMENTS };

enum state { STATE_RUNNING, STATE_DONE, STATE_FAILED, STATE_CANCELED, STATE_OTHER, STATE_COUNT };
static const char *const state_words[] = { "running", "done", "failed", "canceled", "other" };

/* source: Microsoft.PolicyInsights remediations REST API, and recorded answers. */
static const struct {
    const char *word;
    enum state state;
} states[] = {
    { "Accepted", STATE_RUNNING },   { "Evaluating", STATE_RUNNING }, { "Running", STATE_RUNNING },
    { "Cancelling", STATE_RUNNING }, { "Succeeded", STATE_DONE },     { "Complete", STATE_DONE },
    { "Failed", STATE_FAILED },      { "Canceled", STATE_CANCELED },
};

/* A task, or a deployment of one. */
struct row {
    const char *id, *state;
    int64_t total, successful, failed;
    const char *resource_id, *status, *code, *message;
    int64_t at;
};

/* clang-format off */
static const struct column task_columns[] = {
    COLUMN_KEY    (struct row, id,         "id"),
    COLUMN_TEXT   (struct row, state,      "properties.provisioningState"),
    COLUMN_INTEGER(struct row, total,      "properties.deploymentStatus.totalDeployments"),
    COLUMN_INTEGER(struct row, successful, "properties.deploymentStatus.successfulDeployments"),
    COLUMN_INTEGER(struct row, failed,     "properties.deploymentStatus.failedDeployments"),
    { 0 }
};
static const struct column deployment_columns[] = {
    COLUMN_KEY (struct row, resource_id, "remediatedResourceId"),
    COLUMN_TEXT(struct row, status,      "status"),
    COLUMN_TEXT(struct row, code,        "error.code"),
    COLUMN_TEXT(struct row, message,     "error.message"),
    COLUMN_TIME(struct row, at,          "lastUpdatedOn"),
    { 0 }
};
/* clang-format on */

struct counts {
    uint64_t tasks[STATE_COUNT];
    uint64_t total, successful, failed;
};
static const struct kept_kind task_counts = { KEPT_COUNTS(struct counts) };
static const struct kept_kind listed = {
    KEPT_ROWS(struct remediation_task),
    .texts = { KEPT_TEXT(struct remediation_task, id) },
};
static const struct kept_kind failures = {
    KEPT_ROWS(struct remediation_failure),
    .texts = {
        KEPT_TEXT(struct remediation_failure, task_id),
        KEPT_TEXT(struct remediation_failure, resource_id),
        KEPT_TEXT(struct remediation_failure, code),
        KEPT_TEXT(struct remediation_failure, message),
    },
};

static enum state state_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_COUNT(states); i++)
        if (!strcasecmp(states[i].word, word))
            return states[i].state;
    return STATE_OTHER;
}

static uint64_t or_none(int64_t number)
{
    return number > 0 ? (uint64_t)number : 0;
}

static void add_task(struct part *part, const char *subscription_id, const struct row *row)
{
    struct counts *counts = part_count(part, &task_counts, subscription_id);
    counts->tasks[state_of(row->state)]++;
    counts->total += or_none(row->total);
    counts->successful += or_none(row->successful);
    counts->failed += or_none(row->failed);
    part_add_row(part, &listed, subscription_id,
                 &(struct remediation_task){ .id = part_keep_lower(part, row->id) });
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct row *row = data;
    const char *subscription_id = collector_subscription(context, "");
    if (query == QUERY_TASKS) {
        add_task(part, subscription_id, row);
    } else if (!strcasecmp(row->status, "Failed")) {
        const struct remediation_failure failure = {
            .task_id = part_keep_lower(part, context->row_id ? context->row_id : ""),
            .resource_id = part_keep_lower(part, row->resource_id),
            .code = row->code,
            .message = row->message,
            .at = row->at,
        };
        part_add_row(part, &failures, subscription_id, &failure);
    }
    return ODD_NONE;
}

/* Only what failed is asked for: a request a task. Azure forgets tasks some weeks after their
 * end. */
static bool has_below(size_t query, const void *data)
{
    const struct row *row = data;
    return query == QUERY_TASKS && row->failed > 0;
}

/* --- metrics ---------------------------------------------------------------------------------- */

#define FROM " From remediations of Microsoft.PolicyInsights, cached 1h."

static const struct family_2 tasks = {
    .name = "defender_remediation_tasks",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Remediation tasks of Azure Policy that are listed, by state." FROM,
    LABELS("subscription_id", "state"),
};
static const struct family_2 deployments = {
    .name = "defender_remediation_deployments",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Deployments of these tasks: all they need, and of them what succeeded and what "
            "failed." FROM,
    LABELS("subscription_id", "status"),
};
static const struct family *const families[] = { &tasks.family, &deployments.family, NULL };

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    for (size_t i = 0; i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        const struct counts *counts = part_counted(part, &task_counts, i);
        if (!part->cover[i].collected_at)
            continue;
        for (int state = 0; state < STATE_COUNT; state++)
            metric_add(set, &tasks, (double)counts->tasks[state],
                       METRIC_LABELS(id, state_words[state]));
        metric_add(set, &deployments, (double)counts->total, METRIC_LABELS(id, "total"));
        metric_add(set, &deployments, (double)counts->successful, METRIC_LABELS(id, "successful"));
        metric_add(set, &deployments, (double)counts->failed, METRIC_LABELS(id, "failed"));
    }
}

bool remediations_are_from(const struct source *source)
{
    return source->collector == &remediations_collector;
}

const struct remediation_task *remediations_tasks(const struct part *part, size_t *count)
{
    return part_rows(part, &listed, count);
}

const struct remediation_failure *remediations_failures(const struct part *part, size_t *count)
{
    return part_rows(part, &failures, count);
}

#define PATH "/subscriptions/{subscription}/providers/Microsoft.PolicyInsights/remediations"
#define VERSIONS "2024-10-01 2021-10-01"

const struct collector remediations_collector = {
    .name = "remediations",
    .words = "remediation tasks",
    .help = "Remediation tasks of Azure Policy, which \"Fix\" starts, and their deployments.",
    .default_interval = "1h",
    .role = COLLECTOR_DATA,
    .order = 70,
    .rights = { "`Microsoft.PolicyInsights/remediations/read`, "
                "`Microsoft.PolicyInsights/remediations/listDeployments/read`", "Reader" },
    .variants = {
        /* Resource Graph has none of them. source: its supported tables */
        { "rest", .queries = {
            { .name = "remediations", .path = PATH, .api_versions = VERSIONS,
              .missing_is_empty = true, .columns = task_columns },
            { .name = "listDeployments", .path = "{row}/listDeployments", .post = true,
              .api_versions = VERSIONS, .missing_is_empty = true,
              .columns = deployment_columns },
        } },
    },
    .families = families,
    .fold = fold,
    .has_below = has_below,
    .emit = emit,
};
