/* Defender plans: rows of both sources in, what is on and off out. */
#include "collectors/plans.h"

#include "collectors_world.h"

enum { GRAPH, REST };

#define ID(sub, plan) "/subscriptions/" sub "/providers/microsoft.security/pricings/" plan
#define PLAN(sub, plan, tier, more)                                                                \
    "{\"id\":\"" ID(sub, plan) "\",\"subscriptionId\":\"" sub "\",\"plan\":\"" plan                \
                               "\",\"pricingTier\":" tier more "}"
#define ON "\"Standard\""
#define OFF "\"Free\""

static struct part *run(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(plans));
    world_try(world, part, GRAPH, 0, rows);
    return world_conclude(world, part);
}

/* A list as the REST API's reference describes it. */
static const char list[] =
    "[{\"id\":\"/subscriptions/S-1/providers/Microsoft.Security/pricings/VirtualMachines\","
    "\"name\":\"VirtualMachines\",\"type\":\"Microsoft.Security/pricings\",\"properties\":{"
    "\"pricingTier\":\"Standard\",\"subPlan\":\"P2\",\"freeTrialRemainingTime\":\"PT0S\","
    "\"enablementTime\":\"2025-03-01T12:42:42.1921106Z\",\"enforce\":\"False\","
    "\"inherited\":\"True\",\"inheritedFrom\":\"/providers/Microsoft.Management/managementGroups/"
    "m\","
    "\"resourcesCoverageStatus\":\"PartiallyCovered\",\"extensions\":["
    "{\"name\":\"AgentlessVmScanning\",\"isEnabled\":\"True\",\"additionalExtensionProperties\":{"
    "\"ExclusionTags\":\"[]\"},\"operationStatus\":{\"code\":\"Succeeded\",\"message\":\"\"}},"
    "{\"name\":\"MdeDesignatedSubscription\",\"isEnabled\":\"False\"}]}},"
    "{\"id\":\"/subscriptions/S-1/providers/Microsoft.Security/pricings/CloudPosture\","
    "\"name\":\"CloudPosture\",\"type\":\"Microsoft.Security/pricings\",\"properties\":{"
    "\"pricingTier\":\"Free\",\"freeTrialRemainingTime\":\"P29DT19H19M50S\","
    "\"resourcesCoverageStatus\":\"NotCovered\"}},"
    "{\"id\":\"/subscriptions/S-1/providers/Microsoft.Security/pricings/Dns\","
    "\"name\":\"Dns\",\"type\":\"Microsoft.Security/pricings\",\"properties\":{"
    "\"pricingTier\":\"Standard\",\"deprecated\":true,\"replacedBy\":[\"VirtualMachines\"],"
    "\"resourcesCoverageStatus\":\"FullyCovered\"}}]";

TEST(a_list_becomes_series)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = part_create(SOURCE(plans));
    world.context.subscription_id = "s-1";
    world_feed(&world, part, REST, 0, list);
    world.context.subscription_id = NULL;
    world_conclude(&world, part);
    CHECK_FAMILY(&world, 0, "defender_plan_enabled",
                 "{s-1,cloudposture} 0\n{s-1,dns} 1\n{s-1,virtualmachines} 1\n");
    CHECK_FAMILY(&world, 0, "defender_servers_plan2_enabled", "{s-1} 1\n");
    CHECK_FAMILY(&world, 0, "defender_cspm_enabled", "{s-1} 0\n");
    CHECK_FAMILY(&world, 1, "defender_plan_info", "");
    CHECK_FAMILY(&world, 1, "defender_plan_extension_enabled", "");
    CHECK_FAMILY(&world, 2, "defender_plan_info",
                 "{s-1,cloudposture,none,none} 1\n{s-1,dns,none,full} 1\n"
                 "{s-1,virtualmachines,p2,partial} 1\n");
    CHECK_FAMILY(&world, 2, "defender_plan_extension_enabled",
                 "{s-1,virtualmachines,agentlessvmscanning} 1\n"
                 "{s-1,virtualmachines,mdedesignatedsubscription} 0\n");
}

TEST(resource_graph_tells_the_same)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world,
        "[" PLAN(
            "S-1", "VirtualMachines", "\"STANDARD\"",
            ",\"subPlan\":\"p1\",\"coverage\":\"\",\"deprecated\":\"\",\"replacedBy\":null,"
            "\"extensions\":[{\"name\":\"A\",\"isEnabled\":true}]") "," PLAN("s-2", "CloudPosture",
                                                                             ON,
                                                                             ",\"extensions\":null,"
                                                                             "\"deprecated\":"
                                                                             "\"False\"") "]");
    CHECK_FAMILY(&world, 0, "defender_plan_enabled",
                 "{s-1,virtualmachines} 1\n{s-2,cloudposture} 1\n");
    CHECK_FAMILY(&world, 0, "defender_servers_plan2_enabled", "{s-1} 0\n");
    CHECK_FAMILY(&world, 0, "defender_cspm_enabled", "{s-2} 1\n");
    CHECK_FAMILY(&world, 2, "defender_plan_info",
                 "{s-1,virtualmachines,p1,unknown} 1\n{s-2,cloudposture,none,unknown} 1\n");
    CHECK_FAMILY(&world, 2, "defender_plan_extension_enabled", "{s-1,virtualmachines,a} 1\n");
}

TEST(servers_plan_2_needs_its_sub_plan)
{
    static const struct {
        const char *row;
        bool is_it;
    } cases[] = {
        { PLAN("s", "VirtualMachines", ON, ",\"subPlan\":\"P2\""), true },
        { PLAN("s", "VirtualMachines", ON, ",\"subPlan\":\"P1\""), false },
        { PLAN("s", "VirtualMachines", ON, ",\"subPlan\":\"P3\""), false },
        { PLAN("s", "VirtualMachines", ON, ""), true }, /* lists of 2018 know none */
        { PLAN("s", "VirtualMachines", OFF, ",\"subPlan\":\"P2\""), false },
        { PLAN("s", "Containers", ON, ",\"subPlan\":\"P2\""), false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        size_t count;
        const struct plan *plan = plans_all(run(&world, ROWS(cases[i].row)), &count);
        CHECK_INT(count, 1);
        CHECK_INT(plans_is_servers_2(plan), cases[i].is_it);
    }
}

TEST(a_machine_with_a_plan_of_its_own_is_not_its_subscription)
{
    WORLD(world);
    struct part *part =
        run(&world, "[{\"id\":\"/subscriptions/s-1/resourcegroups/g/providers/microsoft.compute/"
                    "virtualmachines/m/providers/microsoft.security/pricings/VirtualMachines\","
                    "\"subscriptionId\":\"s-1\",\"plan\":\"VirtualMachines\",\"pricingTier\":"
                    "\"Free\"}]");
    size_t count;
    CHECK(!plans_all(part, &count));
    CHECK_INT(odd_count(&part->odd), 0);
    CHECK_INT(part->cover_count, 1);
}

#define FIRST PLAN("s-1", "Arm", ON, "")
#define SECOND PLAN("s-1", "Dns", ON, "")

TEST(an_odd_row_says_what_was_known_of_its_plan)
{
    static const struct {
        const char *row;
        bool known; /* before it was odd */
        const char *series;
    } cases[] = {
        { PLAN("s-1", "Arm", "\"Premium\"", ""), true, "{s-1,arm} 1\n{s-1,dns} 1\n" },
        { PLAN("s-1", "Arm", "null", ""), true, "{s-1,arm} 1\n{s-1,dns} 1\n" },
        { PLAN("s-1", "Arm", "7", ""), true, "{s-1,arm} 1\n{s-1,dns} 1\n" },
        { PLAN("s-1", "Arm", OFF, ",\"extensions\":[7]"), true, "{s-1,arm} 1\n{s-1,dns} 1\n" },
        { PLAN("s-1", "Arm", OFF, ",\"extensions\":[{\"name\":\"a\",\"isEnabled\":\"so so\"}]"),
          true, "{s-1,arm} 1\n{s-1,dns} 1\n" },
        { PLAN("s-1", "Arm", OFF, ",\"deprecated\":\"perhaps\""), true,
          "{s-1,arm} 1\n{s-1,dns} 1\n" },
        { PLAN("s-1", "Arm", "{}", ""), false, "{s-1,dns} 1\n" },
        { "{\"id\":\"/a\",\"plan\":\"Arm\",\"pricingTier\":\"Free\"}", true, "{s-1,dns} 1\n" },
        { "{\"subscriptionId\":\"s-1\",\"plan\":\"Arm\",\"pricingTier\":\"Free\"}", true,
          "{s-1,dns} 1\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        if (cases[i].known)
            run(&world, ROWS(FIRST, SECOND));
        struct part *part = run(&world, ROWS(cases[i].row, SECOND));
        CHECK_INT(odd_count(&part->odd), 1);
        CHECK_FAMILY(&world, 0, "defender_plan_enabled", cases[i].series);
        run(&world, ROWS(cases[i].row, SECOND)); /* and still, in the run after it */
        CHECK_FAMILY(&world, 0, "defender_plan_enabled", cases[i].series);
    }
}

TEST(of_a_plan_that_came_twice_the_worse_holds)
{
    static const char odd[] = PLAN("s-1", "Arm", "\"Odd\"", "");
    static const char on[] = PLAN("s-1", "Arm", ON, ""), off[] = PLAN("S-1", "ARM", OFF, "");
    const struct {
        const char *first, *second, *series;
    } cases[] = {
        { on, off, "{s-1,arm} 0\n" }, { off, on, "{s-1,arm} 0\n" }, { on, on, "{s-1,arm} 1\n" },
        { odd, on, "{s-1,arm} 1\n" }, { on, odd, "{s-1,arm} 1\n" }, { odd, odd, "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        run(&world, ROWS(cases[i].first, cases[i].second));
        CHECK_FAMILY(&world, 0, "defender_plan_enabled", cases[i].series);
    }
}

TEST(what_replaced_a_plan_is_on_in_the_same_subscription)
{
    static const char old[] = PLAN(
        "s-1", "Dns", OFF, ",\"deprecated\":\"True\",\"replacedBy\":[\"Arm\",\"VirtualMachines\"]");
    static const char fresh[] = PLAN("s-1", "Dns", OFF, ",\"replacedBy\":[\"VirtualMachines\"]");
    const struct {
        const char *plan, *other;
        bool is_replaced;
    } cases[] = {
        { old, PLAN("s-1", "VirtualMachines", ON, ""), true },
        { old, PLAN("s-1", "VirtualMachines", OFF, ""), false },
        { old, PLAN("s-2", "VirtualMachines", ON, ""), false },
        { old, PLAN("s-1", "Virtual", ON, ""), false },
        { fresh, PLAN("s-1", "VirtualMachines", ON, ""), false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        size_t count;
        const struct plan *plans =
            plans_all(run(&world, ROWS(cases[i].plan, cases[i].other)), &count);
        CHECK_INT(count, 2);
        CHECK_INT(plans_is_replaced(&plans[0], plans, count), cases[i].is_replaced);
    }
}

TEST(plans_have_names_people_know)
{
    CHECK_TEXT(plans_title("virtualmachines"), "Defender for Servers");
    CHECK_TEXT(plans_title(PLANS_SERVERS_2), "Defender for Servers Plan 2");
    CHECK(!plans_title("tomorrow"));
}

TEST(plans_of_a_subscription_that_cannot_be_read_stay)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world, ROWS(FIRST, PLAN("s-2", "Arm", OFF, "")));
    world.broken[1] = true;
    world.context.now += 60;
    run(&world, ROWS(PLAN("s-1", "Arm", OFF, "")));
    CHECK_FAMILY(&world, 0, "defender_plan_enabled", "{s-1,arm} 0\n{s-2,arm} 0\n");
    world.context.now += WORLD_STALENESS_S + 1;
    run(&world, ROWS(PLAN("s-1", "Arm", OFF, "")));
    CHECK_FAMILY(&world, 0, "defender_plan_enabled", "{s-1,arm} 0\n");
}

TEST(other_parts_have_no_plans)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(assessments));
    size_t count = 7;
    CHECK(!plans_all(part, &count));
    CHECK_INT(count, 0);
    CHECK(!plans_all(NULL, &count));
    part_release(part);
}
