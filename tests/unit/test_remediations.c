/* Remediation tasks: states and deployments counted, failed deployments kept. */
#include "collectors/remediations.h"

#include "collectors_world.h"

#define TASK(name, state, total, good, failed)                                                     \
    "{\"properties\":{\"policyAssignmentId\":\"/a\",\"provisioningState\":" state                  \
    ",\"createdOn\":\"2026-01-01T00:00:00.075918Z\",\"deploymentStatus\":{"                        \
    "\"totalDeployments\":" total ",\"successfulDeployments\":" good                               \
    ",\"failedDeployments\":" failed                                                               \
    "},\"resourceDiscoveryMode\":\"ExistingNonCompliant\"},\"id\":\"/subscriptions/s-1/"           \
    "resourcegroups/G/providers/microsoft.policyinsights/remediations/" name "\",\"name\":\"" name \
    "\",\"type\":\"Microsoft.PolicyInsights/remediations\"}"
#define DEPLOYMENT(resource, status, more)                                                         \
    "{\"remediatedResourceId\":\"/subscriptions/s-1/resourcegroups/G/providers/a.b/c/" resource    \
    "\",\"deploymentId\":\"/d\",\"status\":\"" status                                              \
    "\",\"resourceLocation\":\"eastus\",\"lastUpdatedOn\":\"2026-01-01T00:00:00.8919106Z\"" more   \
    "}"
#define ERROR(code, message) ",\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}"

static struct part *begin(struct world *world)
{
    world_discover(world, WORLD_BOTH);
    world->context.subscription_id = "s-1";
    return part_create(SOURCE(remediations));
}

TEST(tasks_are_counted_by_state_and_their_deployments)
{
    WORLD(world);
    struct part *part = begin(&world);
    world_feed(
        &world, part, 0, 0,
        ROWS(TASK("1", "\"Accepted\"", "3", "0", "0"), TASK("2", "\"Evaluating\"", "0", "0", "0"),
             TASK("3", "\"running\"", "5", "2", "1"), TASK("4", "\"Cancelling\"", "0", "0", "0"),
             TASK("5", "\"Succeeded\"", "2", "2", "0"), TASK("6", "\"Complete\"", "4", "3", "1"),
             TASK("7", "\"Failed\"", "1", "0", "1"), TASK("8", "\"Canceled\"", "1", "null", "-1"),
             TASK("9", "\"New\"", "0", "0", "0"), TASK("10", "null", "0", "0", "0")));
    world.context.subscription_id = NULL;
    world_conclude(&world, part);
    CHECK_FAMILY(&world, 0, "defender_remediation_tasks",
                 "{s-1,canceled} 1\n{s-1,done} 2\n{s-1,failed} 1\n{s-1,other} 2\n{s-1,running} 4\n"
                 "{s-2,canceled} 0\n{s-2,done} 0\n{s-2,failed} 0\n{s-2,other} 0\n{s-2,running} "
                 "0\n");
    CHECK_FAMILY(&world, 0, "defender_remediation_deployments",
                 "{s-1,failed} 3\n{s-1,successful} 7\n{s-1,total} 16\n"
                 "{s-2,failed} 0\n{s-2,successful} 0\n{s-2,total} 0\n");
}

TEST(what_failed_is_kept_with_its_task_and_error)
{
    WORLD(world);
    struct part *part = begin(&world);
    size_t count;
    world.context.row_id = "/subscriptions/s-1/Tasks/T";
    world_feed(&world, part, 0, 1,
               ROWS(DEPLOYMENT("VM1", "Failed", ERROR("Conflict", "It is locked")),
                    DEPLOYMENT("vm2", "failed", ",\"error\":null"),
                    DEPLOYMENT("vm3", "Succeeded", ""), DEPLOYMENT("vm4", "Evaluating", "")));
    world.context.subscription_id = world.context.row_id = NULL;
    world_conclude(&world, part);
    const struct remediation_failure *all = remediations_failures(part, &count);
    CHECK_INT((int64_t)count, 2);
    CHECK_TEXT(all[0].subscription_id, "s-1");
    CHECK_TEXT(all[0].task_id, "/subscriptions/s-1/tasks/t");
    CHECK_TEXT(all[0].resource_id, "/subscriptions/s-1/resourcegroups/g/providers/a.b/c/vm1");
    CHECK_TEXT(all[0].code, "Conflict");
    CHECK_TEXT(all[0].message, "It is locked");
    CHECK_INT(all[0].at, WORLD_NOW - 86400);
    CHECK_TEXT(all[1].code, "");
}

TEST(an_odd_row_is_counted_and_the_others_are_kept)
{
    static const char *const odd[] = { TASK("2", "{}", "0", "0", "0"),
                                       TASK("2", "\"Failed\"", "{}", "0", "0"),
                                       "{\"properties\":{}}", "7" };
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        WORLD(world);
        struct part *part = begin(&world);
        CHECK(!world_try(&world, part, 0, 0, ROWS(TASK("1", "\"Failed\"", "1", "0", "1"), odd[i])));
        world.context.subscription_id = NULL;
        world_conclude(&world, part);
        CHECK_INT((int64_t)odd_count(&part->odd), 1);
        CHECK_CONTAINS(world_text(&world, 0), "defender_remediation_tasks{s-1,failed} 1\n");
    }
}
