/* Prerequisites: machines in, what they have and who looks into them out. */
#include "collectors/prerequisites.h"

#include "collectors_world.h"

enum { GRAPH };

#define MACHINE(sub, name, kind, os, power, identity, configuration, works, agent)                 \
    "{\"id\":\"/subscriptions/" sub "/RG/" name "\",\"subscriptionId\":\"" sub                     \
    "\",\"machineKind\":\"" kind "\",\"os\":\"" os "\",\"power\":\"" power                         \
    "\",\"identityType\":\"" identity "\",\"configuration\":" configuration                        \
    ",\"configurationWorks\":" works ",\"logAnalytics\":" agent "}"
#define VM_(power, identity, configuration, works)                                                 \
    MACHINE("s-1", "m", "vm", "linux", power, identity, configuration, works, "0")
#define ARC_(power) MACHINE("s-1", "m", "arc", "windows", power, "", "0", "0", "0")
#define GOOD(sub, name)                                                                            \
    MACHINE(sub, name, "vm", "linux", "PowerState/running", "SystemAssigned", "1", "1", "0")
#define BARE(sub, name)                                                                            \
    MACHINE(sub, name, "vm", "windows", "PowerState/running", "SystemAssigned", "0", "0", "1")

static struct part *run(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(prerequisites));
    world_try(world, part, GRAPH, 0, rows);
    return world_conclude(world, part);
}

static void servers(struct world *world, const char *sub_plan)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct part *part = part_create(SOURCE(plans));
    buf_printf(&rows,
               "[{\"id\":\"/subscriptions/s-1/providers/Microsoft.Security/pricings/x\","
               "\"subscriptionId\":\"s-1\",\"plan\":\"VirtualMachines\",\"pricingTier\":"
               "\"Standard\",\"subPlan\":\"%s\"}]",
               sub_plan);
    world_feed(world, part, 0, 0, buf_cstr(&rows));
    world_conclude(world, part);
}

static const char *sentence(struct world *world)
{
    static struct buf text;
    buf_reset(&text);
    buf_text(&text, "");
    prerequisites_sentence(world->snapshot, &text);
    return buf_cstr(&text);
}

TEST(machines_are_counted_by_what_they_have)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world,
        ROWS(GOOD("S-1", "a"), BARE("s-1", "b"),
             MACHINE("s-1", "c", "arc", "Windows Server 2022", "Connected", "", "0", "0", "2")));
    CHECK_FAMILY(&world, 0, "defender_machines", "{s-1,arc} 1\n{s-1,vm} 2\n");
    CHECK_FAMILY(&world, 2, "defender_prerequisite_machines",
                 "{s-1,linux,deprecated_log_analytics_agent,missing} 1\n"
                 "{s-1,linux,deprecated_log_analytics_agent,present} 0\n"
                 "{s-1,linux,machine_configuration,missing} 0\n"
                 "{s-1,linux,machine_configuration,present} 1\n"
                 "{s-1,linux,system_identity,missing} 0\n"
                 "{s-1,linux,system_identity,present} 1\n"
                 "{s-1,windows,deprecated_log_analytics_agent,missing} 0\n"
                 "{s-1,windows,deprecated_log_analytics_agent,present} 2\n"
                 "{s-1,windows,machine_configuration,missing} 1\n"
                 "{s-1,windows,machine_configuration,present} 1\n"
                 "{s-1,windows,system_identity,missing} 0\n"
                 "{s-1,windows,system_identity,present} 1\n");
    CHECK_FAMILY(&world, 0, "defender_unassessed_machines",
                 "{s-1,disconnected} 0\n{s-1,machine_configuration_failed} 0\n"
                 "{s-1,no_machine_configuration} 1\n{s-1,no_system_identity} 0\n"
                 "{s-1,not_running} 0\n{s-1,plan_off} 0\n");
    CHECK_FAMILY(&world, 2, "defender_unassessed_machine_info", "");
    CHECK_FAMILY(&world, 3, "defender_unassessed_machine_info",
                 "{s-1,/subscriptions/s-1/rg/b,no_machine_configuration} 1\n");
    CHECK_TEXT(sentence(&world), "1 of 3 machines are not looked at, because 1 has no machine "
                                 "configuration extension");
}

TEST(every_reason_has_its_machines)
{
    static const struct {
        const char *row, *reason;
    } cases[] = {
        { VM_("PowerState/running", "SystemAssigned", "1", "1"), "" },
        { VM_("PowerState/running", "SystemAssigned, UserAssigned", "2", "1"), "" },
        { VM_("PowerState/starting", "systemassigned", "1", "1"), "" },
        { VM_("PowerState/unknown", "SystemAssigned", "1", "1"), "" },
        { VM_("", "SystemAssigned", "1", "1"), "" },
        { VM_("PowerState/running", "SystemAssigned", "0", "0"), "no_machine_configuration" },
        { VM_("PowerState/deallocated", "", "0", "0"), "no_machine_configuration" },
        { VM_("PowerState/running", "", "1", "0"), "machine_configuration_failed" },
        { VM_("PowerState/running", "UserAssigned", "1", "1"), "no_system_identity" },
        { VM_("PowerState/running", "None", "1", "1"), "no_system_identity" },
        { VM_("PowerState/stopped", "SystemAssigned", "1", "1"), "not_running" },
        { VM_("PowerState/stopping", "SystemAssigned", "1", "1"), "not_running" },
        { VM_("powerstate/Deallocated", "SystemAssigned", "1", "1"), "not_running" },
        { VM_("PowerState/deallocating", "SystemAssigned", "1", "1"), "not_running" },
        { ARC_("Connected"), "" },
        { ARC_("Disconnected"), "disconnected" },
        { ARC_("expired"), "disconnected" },
        { ARC_("Error"), "disconnected" },
        { ARC_("Tomorrow"), "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf wanted = { 0 };
        run(&world, ROWS(cases[i].row));
        if (*cases[i].reason)
            buf_printf(&wanted, "{s-1,/subscriptions/s-1/rg/m,%s} 1\n", cases[i].reason);
        CHECK_FAMILY(&world, 3, "defender_unassessed_machine_info", buf_cstr(&wanted));
    }
}

TEST(without_its_plan_a_subscription_is_not_looked_at)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world, ROWS(GOOD("s-1", "a"), BARE("s-1", "b"), GOOD("s-2", "c"), BARE("s-2", "d")));
    servers(&world, "P2");
    CHECK_TEXT(sentence(&world), "2 of 4 machines are not looked at, because 2 have no machine "
                                 "configuration extension");
    servers(&world, "P1");
    CHECK_TEXT(sentence(&world),
               "3 of 4 machines are not looked at, because 2 have no Defender for Servers Plan 2, "
               "1 has no machine configuration extension");
    CHECK_FAMILY(&world, 0, "defender_unassessed_machines",
                 "{s-1,disconnected} 0\n{s-1,machine_configuration_failed} 0\n"
                 "{s-1,no_machine_configuration} 0\n{s-1,no_system_identity} 0\n"
                 "{s-1,not_running} 0\n{s-1,plan_off} 2\n"
                 "{s-2,disconnected} 0\n{s-2,machine_configuration_failed} 0\n"
                 "{s-2,no_machine_configuration} 1\n{s-2,no_system_identity} 0\n"
                 "{s-2,not_running} 0\n{s-2,plan_off} 0\n");
    CHECK_FAMILY(&world, 3, "defender_unassessed_machine_info",
                 "{s-2,/subscriptions/s-2/rg/d,no_machine_configuration} 1\n");
}

TEST(machine_configuration_may_look_without_the_plan)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world, ROWS(GOOD("s-1", "a"), BARE("s-1", "b")));
    servers(&world, "P1");
    struct part *part = part_create(SOURCE(baselines));
    world_feed(&world, part, 0, 3,
               "[{\"subscriptionId\":\"s-1\",\"machineId\":\"/subscriptions/s-1/rg/a\","
               "\"assignment\":\"AzureLinuxBaseline\",\"complianceStatus\":\"Compliant\","
               "\"lastChecked\":\"2026-01-01T23:00:00Z\",\"rules\":3}]");
    world_conclude(&world, part);
    CHECK_TEXT(sentence(&world), "1 of 2 machines are not looked at, because 1 has no machine "
                                 "configuration extension");
}

TEST(where_no_machine_is_seen_nothing_is_told)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    CHECK_TEXT(sentence(&world), "");
    run(&world, "[]");
    CHECK_TEXT(sentence(&world), "");
    CHECK_FAMILY(&world, 0, "defender_machines", "");
    CHECK_FAMILY(&world, 0, "defender_unassessed_machines", "");
    run(&world, ROWS(GOOD("s-2", "c")));
    CHECK_FAMILY(&world, 0, "defender_machines", "{s-2,arc} 0\n{s-2,vm} 1\n");
    CHECK_TEXT(sentence(&world), "all 1 machines are looked at");
}

TEST(an_unknown_system_is_told_where_there_is_one)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world, ROWS(MACHINE("s-1", "a", "arc", "", "Connected", "", "0", "0", "0")));
    CHECK_CONTAINS(world_text(&world, 2),
                   "defender_prerequisite_machines{s-1,unknown,machine_configuration,present} 1\n");
}

TEST(of_a_machine_that_came_twice_the_worse_holds)
{
    static const char good[] = GOOD("s-1", "a"), bare[] = BARE("s-1", "A");
    const char *const orders[][2] = { { good, bare }, { bare, good }, { bare, bare } };
    for (size_t i = 0; i < ARRAY_COUNT(orders); i++) {
        WORLD(world);
        run(&world, ROWS(orders[i][0], orders[i][1], GOOD("s-1", "b")));
        CHECK_FAMILY(&world, 0, "defender_machines", "{s-1,arc} 0\n{s-1,vm} 2\n");
        CHECK_FAMILY(&world, 3, "defender_unassessed_machine_info",
                     "{s-1,/subscriptions/s-1/rg/a,no_machine_configuration} 1\n");
        CHECK_TEXT(sentence(&world), "1 of 2 machines are not looked at, because 1 has no machine "
                                     "configuration extension");
    }
}

TEST(odd_machines_are_counted_as_odd_alone)
{
    static const char *const rows[] = {
        MACHINE("s-1", "a", "vmss", "linux", "", "", "0", "0", "0"),
        MACHINE("s-1", "a", "vm", "linux", "", "", "null", "0", "0"),
        MACHINE("s-1", "a", "vm", "linux", "", "", "0", "\"many\"", "0"),
        MACHINE("s-1", "a", "vm", "linux", "", "", "0", "0", "null"),
        MACHINE("s-1", "a", "vm", "linux", "", "", "{}", "0", "0"),
        "{\"id\":\"/m\",\"machineKind\":\"vm\"}",
        "{\"subscriptionId\":\"s-1\",\"machineKind\":\"vm\"}",
        "{\"id\":\"/m\",\"subscriptionId\":\"s-1\",\"machineKind\":null}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        WORLD(world);
        struct part *part = run(&world, ROWS(rows[i], GOOD("s-1", "b")));
        CHECK_INT(odd_count(&part->odd), 1);
        CHECK_FAMILY(&world, 0, "defender_machines", "{s-1,arc} 0\n{s-1,vm} 1\n");
    }
}

TEST(machines_that_are_named_are_limited)
{
    enum { MANY = 1203 };
    WORLD(world);
    CLEANUP(buf_finish) struct buf rows = { 0 };
    for (int i = 0; i < MANY; i++)
        buf_printf(&rows,
                   "%s{\"id\":\"/m%d\",\"subscriptionId\":\"s-1\",\"machineKind\":\"vm\","
                   "\"configuration\":0,\"configurationWorks\":0,\"logAnalytics\":0}",
                   i ? "," : "[", i);
    buf_char(&rows, ']');
    run(&world, buf_cstr(&rows));
    size_t named = 0;
    for (const char *at = world_text(&world, 3);
         (at = strstr(at, "defender_unassessed_machine_info")); at++)
        named++;
    CHECK_INT(named, 1000);
    CHECK_TEXT(sentence(&world), "1203 of 1203 machines are not looked at, because 1203 have no "
                                 "machine configuration extension");
}

TEST(machines_of_a_subscription_that_cannot_be_read_stay)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world, ROWS(GOOD("s-1", "a"), BARE("s-2", "b")));
    world.broken[1] = true;
    world.context.now += 60;
    run(&world, ROWS(GOOD("s-1", "a")));
    CHECK_CONTAINS(world_text(&world, 3),
                   "defender_unassessed_machine_info{s-2,/subscriptions/s-2/rg/b,"
                   "no_machine_configuration} 1\n");
    CHECK_TEXT(sentence(&world), "1 of 2 machines are not looked at, because 1 has no machine "
                                 "configuration extension");
    world.context.now += WORLD_STALENESS_S + 1;
    run(&world, ROWS(GOOD("s-1", "a")));
    CHECK_TEXT(sentence(&world), "all 1 machines are looked at");
}
