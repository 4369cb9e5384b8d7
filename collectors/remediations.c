#include "collectors/remediations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "collectors/subscriptions.h"
#include "core/memory.h"
#include "kql.h"

extern const struct collector remediations_collector;

enum { QUERY_TASKS, QUERY_DEPLOYMENTS, QUERY_GROUPS, QUERY_GROUP_TASKS, QUERY_GROUP_DEPLOYMENTS };

enum state { STATE_RUNNING, STATE_DONE, STATE_FAILED, STATE_CANCELED, STATE_OTHER, STATE_COUNT };
static const char *const state_words[] = { "running", "done", "failed", "canceled", "other" };

#define SUBSCRIPTIONS "/subscriptions/"

/* source: Microsoft.PolicyInsights remediations REST API, and recorded answers. */
static const struct {
    const char *word;
    enum state state;
} states[] = {
    { "Accepted", STATE_RUNNING },   { "Evaluating", STATE_RUNNING }, { "Running", STATE_RUNNING },
    { "Cancelling", STATE_RUNNING }, { "Succeeded", STATE_DONE },     { "Complete", STATE_DONE },
    { "Failed", STATE_FAILED },      { "Canceled", STATE_CANCELED },
};

/* A task, a deployment of one, or a management group. */
struct row {
    const char *id, *name, *state;
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
static const struct column group_columns[] = {
    COLUMN_KEY(struct row, id,   "id"),
    COLUMN_KEY(struct row, name, "name"),
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

/* What is of no subscription. */
struct group {
    struct remediation_group told;
    const char *name;
    struct counts counts;
};
struct own {
    struct group *groups;
    size_t count, capacity;
};

static void own_finish(void *data)
{
    struct own *own = data;
    for (size_t i = 0; i < own->count; i++)
        free(own->groups[i].told.tasks), free(own->groups[i].told.failures);
    free(own->groups);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

static struct group *find_group(struct part *part, const char *id)
{
    struct own *own = own_of(part);
    for (size_t i = 0; i < own->count; i++)
        if (!strcasecmp(own->groups[i].told.id, id))
            return &own->groups[i];
    return NULL;
}

static void add_group(struct part *part, const struct row *row)
{
    struct own *own = own_of(part);
    if (find_group(part, row->id))
        return;
    MEMORY_GROW(own->groups, own->count, own->capacity);
    own->groups[own->count++] = (struct group){
        .told = { .id = part_keep_lower(part, row->id), .is_read = true },
        .name = part_keep(part, row->name),
    };
}

static void lost(struct part *part, size_t query, const struct collect_context *context)
{
    struct group *group = find_group(part, context->row_id);
    if (group && query == QUERY_GROUP_TASKS)
        group->told.is_read = false;
}

static void count_task(struct counts *counts, const struct row *row)
{
    counts->tasks[state_of(row->state)]++;
    counts->total += or_none(row->total);
    counts->successful += or_none(row->successful);
    counts->failed += or_none(row->failed);
}

static void add_task(struct part *part, const char *subscription_id, const struct row *row)
{
    count_task(part_count(part, &task_counts, subscription_id), row);
    part_add_row(part, &listed, subscription_id,
                 &(struct remediation_task){ .id = part_keep_lower(part, row->id) });
}

static void add_group_task(struct part *part, const char *group_id, const struct row *row)
{
    struct group *group = find_group(part, group_id);
    if (!group)
        return;
    count_task(&group->counts, row);
    MEMORY_GROW(group->told.tasks, group->told.task_count, group->told.task_capacity);
    group->told.tasks[group->told.task_count++] = part_keep_lower(part, row->id);
}

static struct remediation_failure failure_of(struct part *part, const struct row *row,
                                             const struct collect_context *context)
{
    return (struct remediation_failure){
        .task_id = part_keep_lower(part, context->row_id ? context->row_id : ""),
        .resource_id = part_keep_lower(part, row->resource_id),
        .code = part_keep(part, row->code),
        .message = part_keep(part, row->message),
        .at = row->at,
    };
}

static void add_failure(struct part *part, const char *subscription_id, const struct row *row,
                        const struct collect_context *context)
{
    const struct remediation_failure failure = failure_of(part, row, context);
    part_add_row(part, &failures, subscription_id, &failure);
}

/* The subscription of a resource, when it is one that is read; else NULL. */
static const char *subscription_of(const struct part *part, const char *resource_id,
                                   const struct collect_context *context)
{
    char id[64];
    if (strncmp(resource_id, SUBSCRIPTIONS, strlen(SUBSCRIPTIONS)) != 0)
        return NULL;
    resource_id += strlen(SUBSCRIPTIONS);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(resource_id, "/"), resource_id);
    const struct subscription *known =
        subscriptions_in(subscriptions_part(context->snapshot, part->source->tenant), id);
    return known && known->state == SUBSCRIPTION_VISIBLE ? known->id : NULL;
}

/* A task of a management group reaches subscriptions that are none of ours, too. It is no row of
 * the subscription: when it is gone, nothing is missing there. */
static void add_group_failure(struct part *part, const struct row *row,
                              const struct collect_context *context)
{
    struct own *own = own_of(part);
    struct remediation_failure failure = failure_of(part, row, context);
    const char *subscription_id = subscription_of(part, failure.resource_id, context);
    for (size_t i = 0; subscription_id && i < own->count; i++) {
        struct remediation_group *group = &own->groups[i].told;
        if (!remediations_is_of(failure.task_id, group->id))
            continue;
        failure.subscription_id = part_keep(part, subscription_id);
        MEMORY_GROW(group->failures, group->failure_count, group->failure_capacity);
        group->failures[group->failure_count++] = failure;
    }
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct row *row = data;
    const char *subscription_id = collector_subscription(context, "");
    bool failed = !strcasecmp(row->status ? row->status : "", "Failed");
    if (query == QUERY_TASKS)
        add_task(part, subscription_id, row);
    else if (query == QUERY_GROUPS)
        add_group(part, row);
    else if (query == QUERY_GROUP_TASKS)
        add_group_task(part, context->row_id, row);
    else if (query == QUERY_GROUP_DEPLOYMENTS && failed)
        add_group_failure(part, row, context);
    else if (query == QUERY_DEPLOYMENTS && failed)
        add_failure(part, subscription_id, row, context);
    return ODD_NONE;
}

/* Of tasks only what failed is asked for: a request a task. Azure forgets tasks some weeks after
 * their end. */
static bool has_below(size_t query, const void *data)
{
    const struct row *row = data;
    return query == QUERY_GROUPS || row->failed > 0;
}

/* --- metrics ---------------------------------------------------------------------------------- */

#define FROM " From remediations of Microsoft.PolicyInsights, cached."

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
static const struct family_2 group_tasks = {
    .name = "defender_remediation_group_tasks",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 0,
    .help = "Remediation tasks that are listed for a management group itself, by state." FROM,
    LABELS("management_group", "state"),
};
static const struct family_2 group_deployments = {
    .name = "defender_remediation_group_deployments",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 0,
    .help = "Deployments of these tasks: all they need, and of them what succeeded and what "
            "failed." FROM,
    LABELS("management_group", "status"),
};
static const struct family *const families[] = { &tasks.family, &deployments.family,
                                                 &group_tasks.family, &group_deployments.family,
                                                 NULL };

/* The same of a subscription as of a management group. */
static void emit_counts(const struct counts *counts, const char *id,
                        const struct family_2 *of_tasks, const struct family_2 *of_deployments,
                        struct metric_set *set)
{
    for (int state = 0; state < STATE_COUNT; state++)
        metric_add(set, of_tasks, (double)counts->tasks[state],
                   METRIC_LABELS(id, state_words[state]));
    metric_add(set, of_deployments, (double)counts->total, METRIC_LABELS(id, "total"));
    metric_add(set, of_deployments, (double)counts->successful, METRIC_LABELS(id, "successful"));
    metric_add(set, of_deployments, (double)counts->failed, METRIC_LABELS(id, "failed"));
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    const struct own *own = part->own;
    for (size_t i = 0; i < part->cover_count; i++)
        if (part->cover[i].collected_at)
            emit_counts(part_counted(part, &task_counts, i), part->cover[i].subscription_id, &tasks,
                        &deployments, set);
    for (size_t i = 0; own && i < own->count; i++)
        if (own->groups[i].told.is_read)
            emit_counts(&own->groups[i].counts, own->groups[i].name, &group_tasks,
                        &group_deployments, set);
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

const struct remediation_group *remediations_group(const struct part *part, size_t place)
{
    const struct own *own = part->own;
    return own && place < own->count ? &own->groups[place].told : NULL;
}

bool remediations_is_of(const char *task_id, const char *scope)
{
    size_t length = strlen(scope);
    return !strncmp(task_id, scope, length) && task_id[length] == '/';
}

#define LIST "/providers/Microsoft.PolicyInsights/remediations"
#define PATH "/subscriptions/{subscription}" LIST
#define VERSIONS "2024-10-01 2021-10-01"

const struct collector remediations_collector = {
    .name = "remediations",
    .words = "remediation tasks",
    .help = "Remediation tasks of Azure Policy, which \"Fix\" starts, and their deployments.",
    .default_interval = "1h",
    .role = COLLECTOR_DATA,
    .order = 70,
    .rights = { "remediation tasks and their deployments",
                "Reader, on management groups for the tasks of these",
                "Microsoft.PolicyInsights/remediations/read "
                "Microsoft.PolicyInsights/remediations/listDeployments/read" },
    .variants = {
        /* Resource Graph has none of them. source: its supported tables */
        { "rest", .queries = {
            { .name = "remediations", .path = PATH, .api_versions = VERSIONS,
              .missing_is_empty = true, .none = NONE_IS_ORDINARY, .columns = task_columns },
            { .name = "listDeployments", .path = "{row}/listDeployments", .post = true,
              .api_versions = VERSIONS, .missing_is_empty = true, .none = NONE_IS_ORDINARY,
              .columns = deployment_columns },
            /* those that are kept at management groups, where these may be read */
            { .name = "remediations_groups", .kql = kql_remediations_groups_rows,
              .columns = group_columns, .whole_tenant = true, .optional = true },
            { .name = "remediations of groups", .path = "{row}" LIST, .api_versions = VERSIONS,
              .missing_is_empty = true, .columns = task_columns, .optional = true },
            { .name = "listDeployments of groups", .path = "{row}/listDeployments", .post = true,
              .api_versions = VERSIONS, .missing_is_empty = true,
              .columns = deployment_columns, .optional = true },
        } },
    },
    .families = families,
    .fold = fold,
    .has_below = has_below,
    .lost = lost,
    .emit = emit,
};
