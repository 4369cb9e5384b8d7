#include "remediations.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rows.h"

#define GROUPS "/providers/Microsoft.Management/managementGroups/"

static bool is_same_task(const struct fix *left, const struct fix *right)
{
    return !strcasecmp(left->scope, right->scope) && !strcasecmp(left->task, right->task);
}

void remediations_put(struct tenant *tenant, const struct fix *fix)
{
    size_t at = 0;
    while (at < tenant->fix_count && (!is_same_task(&tenant->fixes[at], fix) ||
                                      strcasecmp(tenant->fixes[at].resource, fix->resource) != 0))
        at++;
    if (at == tenant->fix_count) {
        tenant->fixes = realloc(tenant->fixes, (at + 1) * sizeof *tenant->fixes);
        if (!tenant->fixes)
            abort();
        tenant->fix_count++;
    }
    struct arena *texts = &tenant->texts;
    tenant->fixes[at] = (struct fix){
        arena_text(texts, fix->scope),    arena_text(texts, fix->task),
        arena_text(texts, fix->resource), arena_text(texts, fix->status),
        arena_text(texts, fix->code),     arena_text(texts, fix->message),
        arena_text(texts, fix->at),
    };
}

void remediations_finish(struct tenant *tenant)
{
    free(tenant->fixes);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* What the deployments of a task came to. */
struct tally {
    int64_t total, good, bad;
};

static struct tally tally_of(const struct tenant *tenant, const struct fix *task)
{
    struct tally tally = { 0 };
    for (size_t i = 0; i < tenant->fix_count; i++) {
        if (!is_same_task(&tenant->fixes[i], task))
            continue;
        tally.total++;
        tally.good += !strcmp(tenant->fixes[i].status, "Succeeded");
        tally.bad += !strcmp(tenant->fixes[i].status, "Failed");
    }
    return tally;
}

static void write_task(const struct tenant *tenant, const struct fix *task,
                       struct json_writer *writer, struct arena *scratch)
{
    const struct tally tally = tally_of(tenant, task);
    bool over = tally.good + tally.bad == tally.total;
    json_open(writer, NULL, '{');
    json_open(writer, "properties", '{');
    json_add_text(writer, "policyAssignmentId",
                  rows_print(scratch,
                             "%s/providers/microsoft.authorization/"
                             "policyassignments/securitycenterbuiltin",
                             task->scope));
    json_add_text(writer, "provisioningState",
                  !over       ? "Running"
                  : tally.bad ? "Failed"
                              : "Succeeded");
    json_add_text(writer, "createdOn", task->at);
    json_add_text(writer, "lastUpdatedOn", task->at);
    json_add_text(writer, "resourceDiscoveryMode", "ExistingNonCompliant");
    json_open(writer, "deploymentStatus", '{');
    json_add_integer(writer, "totalDeployments", tally.total);
    json_add_integer(writer, "successfulDeployments", tally.good);
    json_add_integer(writer, "failedDeployments", tally.bad);
    json_close(writer, '}');
    json_close(writer, '}');
    json_add_text(writer, "id",
                  rows_print(scratch, "%s/providers/microsoft.policyinsights/remediations/%s",
                             task->scope, task->task));
    json_add_text(writer, "name", task->task);
    json_add_text(writer, "type", "Microsoft.PolicyInsights/remediations");
    json_open(writer, "systemData", '{');
    json_add_text(writer, "createdBy", "mara.zebrowski@zebra.example");
    json_add_text(writer, "createdByType", "User");
    json_add_text(writer, "createdAt", task->at);
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_deployment(const struct fix *fix, struct json_writer *writer)
{
    json_open(writer, NULL, '{');
    json_add_text(writer, "remediatedResourceId", fix->resource);
    json_add_text(writer, "status", fix->status);
    json_add_text(writer, "resourceLocation", "westeurope");
    if (*fix->code) {
        json_open(writer, "error", '{');
        json_add_text(writer, "code", fix->code);
        json_add_text(writer, "message", fix->message);
        json_close(writer, '}');
    }
    json_add_text(writer, "createdOn", fix->at);
    json_add_text(writer, "lastUpdatedOn", fix->at);
    json_close(writer, '}');
}

static void open_list(struct json_writer *writer, struct reply *reply)
{
    *writer = (struct json_writer){ .out = &reply->body };
    reply->status = 200;
    json_open(writer, NULL, '{');
    json_open(writer, "value", '[');
}

static void close_list(struct json_writer *writer)
{
    json_close(writer, ']');
    json_close(writer, '}');
}

/* The first deployment of each task of a subscription stands for it. */
static bool is_first(const struct tenant *tenant, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (is_same_task(&tenant->fixes[i], &tenant->fixes[at]))
            return false;
    return true;
}

static void answer_tasks(struct request *request, const char *scope, struct reply *reply)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    const struct tenant *tenant = &request->fake->tenant;
    struct json_writer writer;
    open_list(&writer, reply);
    for (size_t i = 0; i < tenant->fix_count; i++)
        if (!strcasecmp(tenant->fixes[i].scope, scope) && is_first(tenant, i))
            write_task(tenant, &tenant->fixes[i], &writer, &scratch);
    close_list(&writer);
}

static void answer_deployments(struct request *request, const char *scope, struct reply *reply)
{
    const struct tenant *tenant = &request->fake->tenant;
    const struct fix task = { .scope = scope, .task = request->captures[1] };
    struct json_writer writer;
    open_list(&writer, reply);
    for (size_t i = 0; i < tenant->fix_count; i++)
        if (is_same_task(&tenant->fixes[i], &task))
            write_deployment(&tenant->fixes[i], &writer);
    close_list(&writer);
}

typedef void answerer(struct request *request, const char *scope, struct reply *reply);

static void of_subscription(struct request *request, struct reply *reply, answerer *answer)
{
    char scope[240];
    ptrdiff_t subscription = rest_subscription_of(request, reply);
    if (subscription < 0)
        return;
    snprintf(scope, sizeof scope, "/subscriptions/%s",
             request->fake->tenant.subscriptions[subscription].id);
    answer(request, scope, reply);
}

static void of_group(struct request *request, struct reply *reply, answerer *answer)
{
    char scope[300];
    snprintf(scope, sizeof scope, GROUPS "%s", request->captures[0]);
    answer(request, scope, reply);
}

void remediations_tasks(struct request *request, struct reply *reply)
{
    of_subscription(request, reply, answer_tasks);
}

void remediations_deployments(struct request *request, struct reply *reply)
{
    of_subscription(request, reply, answer_deployments);
}

void remediations_group_tasks(struct request *request, struct reply *reply)
{
    of_group(request, reply, answer_tasks);
}

void remediations_group_deployments(struct request *request, struct reply *reply)
{
    of_group(request, reply, answer_deployments);
}
