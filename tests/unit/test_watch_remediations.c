/* watch: fixes that failed are told once, and forgotten with their task. */
#include "watch_scene.h"

#define DEPLOYED(machine, status, at, error)                                                       \
    "{\"remediatedResourceId\":\"/subscriptions/s1/resourcegroups/g/" machine                      \
    "\",\"status\":\"" status "\",\"lastUpdatedOn\":\"" at "\",\"error\":" error "}"
#define LOCKED "{\"code\":\"Conflict\",\"message\":\"It is locked\"}"

#define TASK "/subscriptions/s1/remediations/FIX-disks"

/* The task is listed, with these deployments. */
static void deploy(struct scene *scene, const char *rows)
{
    struct part *part = part_create(SOURCE(remediations));
    const struct collect_context context = {
        .now = scene->now, .snapshot = scene->snapshot, .subscription_id = "s1", .row_id = TASK
    };
    feed_as(part, 0, "[{\"id\":\"" TASK "\",\"properties\":{}}]", &context);
    feed_as(part, 1, rows, &context);
    part_add_cover(part, "s1", scene->now);
    put(scene, part);
}

TEST(a_fix_that_fails_is_told_once_with_machine_and_error)
{
    struct scene scene;
    scene_init(&scene);
    deploy(&scene, "[" DEPLOYED("vm0", "Failed", "2026-01-01T00:00:00Z", LOCKED) "]");
    CHECK_TEXT(advance(&scene), ""); /* of before the first look */
    deploy(&scene,
           "[" DEPLOYED("vm0", "Failed", "2026-01-01T00:00:00Z", LOCKED) "," DEPLOYED(
               "vm1", "Failed", "2026-01-02T00:00:00Z",
               LOCKED) "," DEPLOYED("vm2", "Succeeded", "2026-01-02T00:00:00Z",
                                    "null") "," DEPLOYED("vm3", "Failed", "2026-01-02T00:00:00Z",
                                                         "null") "]");
    CHECK_TEXT(advance(&scene),
               "remediation.failed s1 /subscriptions/s1/resourcegroups/g/vm1 0 0 (the remediation "
               "fix-disks failed on vm1: Conflict: It is locked) titled A fix failed on vm1\n"
               "remediation.failed s1 /subscriptions/s1/resourcegroups/g/vm3 0 0 (the remediation "
               "fix-disks failed on vm3: Azure does not say why) titled A fix failed on vm3\n");
    int64_t before = changes(&scene);
    CHECK_TEXT(advance(&scene), "");
    CHECK_INT(changes(&scene), before);
    deploy(&scene, "[" DEPLOYED("vm1", "Failed", "2026-01-03T00:00:00Z", LOCKED) "]");
    CHECK_CONTAINS(advance(&scene), "failed on vm1"); /* tried again, and failed again */
    scene_finish(&scene);
}

static int64_t told_of(struct scene *scene)
{
    return number(scene, "SELECT COUNT(*) FROM watch_value WHERE kind = 'remediation'");
}

/* Until then it is no news, whatever else is not said. */
TEST(failures_are_forgotten_with_their_task)
{
    static const char failed[] = "[" DEPLOYED("vm1", "Failed", "2026-01-02T00:00:00Z", LOCKED) "]";
    struct scene scene;
    scene_init(&scene);
    deploy(&scene, failed);
    advance(&scene);
    CHECK_INT(told_of(&scene), 2); /* and that s1 was looked at */
    deploy(&scene, "[]");          /* its task is listed */
    advance(&scene);
    CHECK_INT(told_of(&scene), 2);
    for (int known = 0; known < 4; known++) { /* the task is not */
        struct part *part = part_create(SOURCE(remediations));
        part_add_cover(part, known ? "s1" : "s2", scene.now);
        part->truncated = known == 1;
        part->cover[0].carried = known == 2;
        put(&scene, part);
        advance(&scene);
        CHECK_INT(told_of(&scene), known == 3 ? 2 : 3);
    }
    deploy(&scene, failed);
    CHECK_CONTAINS(advance(&scene), "failed on vm1"); /* a new task of that name */
    scene_finish(&scene);
}

#define MG "/providers/microsoft.management/managementgroups/mg"
#define MG_TASK MG "/providers/microsoft.policyinsights/remediations/fix-all"
enum { FIX_GROUPS = 2, FIX_GROUP_TASKS, FIX_GROUP_DEPLOYMENTS }; /* queries of remediations */

/* The group is there, and its list is read unless lost; s1 was read, too. */
static void deploy_group(struct scene *scene, const char *tasks, const char *rows, bool is_lost)
{
    struct part *part = part_create(SOURCE(remediations));
    struct collect_context context = { .now = scene->now, .snapshot = scene->snapshot };
    feed_as(part, FIX_GROUPS, "[{\"id\":\"" MG "\",\"name\":\"mg\"}]", &context);
    context.row_id = MG;
    feed_as(part, FIX_GROUP_TASKS, tasks, &context);
    if (is_lost)
        part->source->collector->lost(part, FIX_GROUP_TASKS, &context);
    context.row_id = MG_TASK;
    feed_as(part, FIX_GROUP_DEPLOYMENTS, rows, &context);
    part_add_cover(part, "s1", scene->now);
    put(scene, part);
}

TEST(a_fix_of_a_management_group_is_told_like_one_of_a_subscription)
{
    static const char task[] = "[{\"id\":\"" MG_TASK "\",\"properties\":{}}]";
    static const char failed[] = "[" DEPLOYED("vm1", "Failed", "2026-01-02T00:00:00Z", LOCKED) "]";
    struct scene scene;
    scene_init(&scene);
    struct part *known = part_create(SOURCE(subscriptions));
    feed(known, 0, "[{\"subscriptionId\":\"s1\",\"state\":\"Enabled\"}]", &scene, NULL);
    put(&scene, known);
    deploy(&scene, "[]"); /* s1 was looked at before the group could be */
    advance(&scene);
    deploy_group(&scene, task, failed, false);
    CHECK_TEXT(advance(&scene), ""); /* of before the first look at the group */
    deploy_group(&scene, task, "[" DEPLOYED("vm2", "Failed", "2026-01-02T00:00:00Z", "null") "]",
                 false);
    CHECK_TEXT(advance(&scene),
               "remediation.failed s1 /subscriptions/s1/resourcegroups/g/vm2 0 0 (the remediation "
               "fix-all failed on vm2: Azure does not say why) titled A fix failed on vm2\n");
    CHECK_INT(told_of(&scene), 4);          /* and that s1 and the group were looked at */
    deploy_group(&scene, "[]", "[]", true); /* nobody can say that the task is not listed */
    advance(&scene);
    CHECK_INT(told_of(&scene), 4);
    deploy_group(&scene, "[]", "[]", false);
    advance(&scene);
    CHECK_INT(told_of(&scene), 2);
    scene_finish(&scene);
}
