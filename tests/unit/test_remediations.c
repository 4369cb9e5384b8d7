/* Remediation tasks: states and deployments counted, failed deployments kept. */
#include "collectors/remediations.h"

#include "collect_bench.h"
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

/* --- management groups ------------------------------------------------------------------------ */

#define GROUP "/providers/Microsoft.Management/managementGroups/"
#define TASKS_OF "/providers/Microsoft.PolicyInsights/remediations"
#define GROUP_ROW(name)                                                                            \
    "{\"id\":\"/providers/microsoft.management/managementgroups/" name "\",\"name\":\"" name "\"}"
#define GROUPS(rows, count)                                                                        \
    {                                                                                              \
        "microsoft.management/managementgroups'", 200,                                             \
            "{\"totalRecords\":" count ",\"count\":" count                                         \
            ",\"resultTruncated\":\"false\",\"data\":[" rows "]}"                                  \
    }
#define GROUP_TASK(group, name, state, failed)                                                     \
    "{\"id\":\"" GROUP group TASKS_OF "/" name "\",\"properties\":{\"provisioningState\":\"" state \
    "\",\"deploymentStatus\":{\"totalDeployments\":3,\"successfulDeployments\":1,"                 \
    "\"failedDeployments\":" failed "}}}"
#define OF(group) "/providers/microsoft.management/managementgroups/" group TASKS_OF "?"
#define BELOW(task) GROUP "mg-a" TASKS_OF "/" task "/listDeployments?"
#define FAILED(subscription, machine)                                                              \
    "{\"remediatedResourceId\":\"/Subscriptions/" subscription "/resourcegroups/g/" machine        \
    "\",\"status\":\"Failed\",\"error\":{\"code\":\"Conflict\"}}"

/* What the last run tells of a family; the bench has no world of its own. */
static const char *told(const struct bench *bench, const char *family)
{
    static struct buf text;
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    buf_reset(&text);
    buf_text(&text, "");
    bench->source->collector->emit(bench->snapshot, bench->older, &set);
    metric_set_sort(&set);
    for (size_t i = 0; i < set.count; i++)
        if (!strcmp(set.samples[i].family->name, family)) {
            buf_printf(&text, "%s,%s ", set.samples[i].values[0], set.samples[i].values[1]);
            buf_number(&text, set.samples[i].value);
            buf_char(&text, '\n');
        }
    return buf_cstr(&text);
}

TEST(tasks_of_management_groups_are_counted_and_their_failures_kept)
{
    static const struct answer answers[] = {
        GROUPS(GROUP_ROW("mg-a") "," GROUP_ROW("mg-b"), "2"),
        { BELOW("fix"), 200,
          VALUE(FAILED("S-1", "VM1") "," FAILED("s-3", "off") "," FAILED("s-9", "foreign")) },
        { OF("mg-a"), 200,
          VALUE(GROUP_TASK("mg-a", "fix", "Failed", "2") "," GROUP_TASK("mg-a", "other", "Running",
                                                                        "0")) },
        { 0 },
    };
    BENCH(bench, SOURCE(remediations)->collector);
    size_t count;
    CHECK(run(&bench, answers));
    CHECK_TEXT(told(&bench, "defender_remediation_group_tasks"),
               "mg-a,canceled 0\nmg-a,done 0\nmg-a,failed 1\nmg-a,other 0\nmg-a,running 1\n"
               "mg-b,canceled 0\nmg-b,done 0\nmg-b,failed 0\nmg-b,other 0\nmg-b,running 0\n");
    CHECK_TEXT(told(&bench, "defender_remediation_group_deployments"),
               "mg-a,failed 2\nmg-a,successful 2\nmg-a,total 6\n"
               "mg-b,failed 0\nmg-b,successful 0\nmg-b,total 0\n");
    CHECK_CONTAINS(told(&bench, "defender_remediation_tasks"), "s-2,failed 0\n");
    CHECK(!strstr(told(&bench, "defender_remediation_tasks"), "s-9"));
    const struct remediation_group *group = remediations_group(bench.older, 0);
    CHECK(group->is_read);
    CHECK_INT((int64_t)group->task_count, 2);
    CHECK_INT((int64_t)group->failure_count, 1); /* the others are of nobody we look at */
    CHECK_TEXT(group->failures[0].subscription_id, "s-1");
    CHECK_TEXT(group->failures[0].resource_id, "/subscriptions/s-1/resourcegroups/g/vm1");
    CHECK_TEXT(group->failures[0].task_id, group->tasks[0]);
    CHECK_TEXT(group->failures[0].code, "Conflict");
    CHECK(remediations_is_of(group->tasks[0], group->id));
    CHECK(!remediations_is_of(group->tasks[0],
                              "/providers/microsoft.management/managementgroups/mg"));
    CHECK(!remediations_failures(bench.older, &count)); /* it is no row of the subscription, and */
    CHECK(run(&bench, ANSWERS({ 0 })));                 /* when it is gone none is missing there */
    CHECK(!part_is_unread(bench.older, "s-1"));
    CHECK(!remediations_group(bench.older, 0));
}

/* Whoever may read subscriptions only hears nothing of groups, and all else is as it was. */
TEST(a_group_that_may_not_be_read_says_nothing_and_breaks_nothing)
{
    BENCH(bench, SOURCE(remediations)->collector);
    CHECK(run(&bench, ANSWERS(GROUPS(GROUP_ROW("mg-a") "," GROUP_ROW("mg-b"), "2"),
                              { OF("mg-a"), 403, FORBIDDEN },
                              { OF("mg-b"), 200,
                                "{\"value\":[" GROUP_TASK("mg-b", "x", "Failed", "0") "," })));
    CHECK_TEXT(told(&bench, "defender_remediation_group_tasks"), "");
    CHECK_CONTAINS(told(&bench, "defender_remediation_tasks"), "s-1,failed 0\n");
    CHECK_INT((int64_t)bench.result.refused, 0);
    CHECK(!remediations_group(bench.older, 0)->is_read);
    CHECK(run(&bench, ANSWERS({ "microsoft.management/managementgroups'", 403, FORBIDDEN })));
    CHECK_CONTAINS(told(&bench, "defender_remediation_tasks"), "s-1,failed 0\n");
}

/* An id that leads elsewhere would be asked for. */
TEST(a_task_that_is_not_below_its_group_is_no_address)
{
    BENCH(bench, SOURCE(remediations)->collector);
    CHECK(run(&bench, ANSWERS(GROUPS(GROUP_ROW("mg-a"), "1"),
                              { OF("mg-a"), 200, VALUE(GROUP_TASK("mg-b", "x", "Failed", "1")) })));
    CHECK(!strstr(buf_cstr(&bench.asked), "listDeployments"));
    CHECK_TEXT(told(&bench, "defender_remediation_group_tasks"), "");
}

TEST(subscriptions_that_are_all_refused_are_no_success)
{
    BENCH(bench, SOURCE(remediations)->collector);
    CHECK(!run(&bench,
               ANSWERS(GROUPS(GROUP_ROW("mg-a"), "1"), { "/subscriptions/", 403, FORBIDDEN })));
    CHECK_CONTAINS(bench.error.message, "none of 2 subscriptions can be read");
}
