/* Baselines of Defender Vulnerability Management: profiles, their devices and what fails on them.
 */
#include "collectors_world.h"

#define P1 "02BCBB9D-d197-479e-811e-1cd5a6f9f8fa"
#define P1_LOWER "02bcbb9d-d197-479e-811e-1cd5a6f9f8fa"
#define PROFILE(id, system, status, passed, total)                                                 \
    "{\"id\":\"" id "\",\"name\":\"Servers, CIS\",\"description\":\"important\","                  \
    "\"benchmark\":\"CIS\",\"version\":\"1.4.0\",\"operatingSystem\":\"" system                    \
    "\",\"operatingSystemVersion\":\"1909\",\"status\":" status                                    \
    ",\"complianceLevel\":\"Level 1\",\"settingsNumber\":51,\"createdBy\":\"user@org.net\","       \
    "\"lastUpdatedBy\":null,\"createdOnTimestampUTC\":\"0001-01-01T00:00:00Z\","                   \
    "\"passedDevices\":" passed ",\"totalDevices\":" total "}"
#define CONFIGURATION(id, version, name)                                                           \
    "{\"id\":\"" id "\",\"uniqueId\":\"CIS_" version "_" id "\",\"benchmarkName\":\"CIS\","        \
    "\"benchmarkVersion\":\"" version "\",\"name\":\"" name "\",\"category\":\"Public Profile\","  \
    "\"complianceLevels\":[\"Level 1\"],\"cce\":\"CCE-35116-3\",\"isCustom\":false}"
#define RESULT(device, profile, configuration, applicable, compliant)                              \
    "{\"id\":\"" device "_" profile "_" configuration "\",\"configurationId\":\"" configuration    \
    "\",\"deviceId\":\"" device "\",\"deviceName\":\"a.example\",\"profileId\":\"" profile         \
    "\",\"osPlatform\":\"WindowsServer2019\",\"rbacGroupId\":86,\"isApplicable\":" applicable      \
    ",\"isCompliant\":" compliant ",\"recommendedValue\":[\"Equals '1'\"],"                        \
    "\"currentValue\":[\"24\"],\"source\":[\"x\"]}"

static struct part *begin(struct world *world)
{
    world_discover(world, WORLD_BOTH);
    return part_create(SOURCE(mdvm_baselines));
}

TEST(profiles_results_and_failing_configurations)
{
    WORLD(world);
    struct part *part = begin(&world);
    world_feed(&world, part, 0, 0,
               ROWS(PROFILE(P1, "Windows Server 2016", "true", "3", "10"),
                    PROFILE("p-2", "Windows 10", "\"True\"", "0", "0"),
                    PROFILE("p-3", "Windows 11", "false", "0", "7")));
    world_feed(&world, part, 0, 1,
               ROWS(CONFIGURATION("9.3.9", "1.4.0-windows_10", "another benchmark's"),
                    CONFIGURATION("9.3.9", "1.4.0-windows_server_2016", "(L1) Ensure 'X'"),
                    CONFIGURATION("1.1.1", "1.5.0-windows_server_2016", "another version's")));
    world_feed(&world, part, 0, 2,
               ROWS(RESULT("d-1", P1, "9.3.9", "true", "false"),
                    RESULT("d-2", P1, "9.3.9", "1", "0"),
                    RESULT("d-3", P1, "9.3.9", "true", "true"),
                    RESULT("d-4", P1, "9.3.9", "false", "null"),
                    RESULT("d-1", P1, "1.1.1", "true", "false"),
                    RESULT("d-1", "p-3", "9.3.9", "true", "false"),
                    RESULT("d-2", P1, "2.2.2", "\"True\"", "\"True\"")));
    world_conclude(&world, part);
    CHECK_FAMILY(&world, 0, "defender_mdvm_baseline_devices",
                 "{" P1_LOWER ",compliant} 3\n{" P1_LOWER ",noncompliant} 7\n"
                 "{p-2,compliant} 0\n{p-2,noncompliant} 0\n");
    CHECK_FAMILY(&world, 0, "defender_mdvm_baseline_profile_info",
                 "{" P1_LOWER ",Servers, CIS,CIS,1.4.0,Windows Server 2016,Level 1} 1\n"
                 "{p-2,Servers, CIS,CIS,1.4.0,Windows 10,Level 1} 1\n");
    CHECK_FAMILY(&world, 0, "defender_mdvm_baseline_results",
                 "{" P1_LOWER ",compliant} 2\n{" P1_LOWER ",noncompliant} 3\n"
                 "{" P1_LOWER ",not_applicable} 1\n{p-2,compliant} 0\n{p-2,noncompliant} 0\n"
                 "{p-2,not_applicable} 0\n");
    CHECK_FAMILY(&world, 1, "defender_mdvm_baseline_failing_devices", "");
    CHECK_FAMILY(&world, 2, "defender_mdvm_baseline_failing_devices",
                 "{" P1_LOWER ",1.1.1} 1\n{" P1_LOWER ",9.3.9} 2\n");
    CHECK_FAMILY(&world, 2, "defender_mdvm_baseline_configuration_info",
                 "{" P1_LOWER ",9.3.9,(L1) Ensure 'X',Public Profile} 1\n");
}

TEST(of_a_profile_that_comes_twice_the_worse_holds)
{
    WORLD(world);
    struct part *part = begin(&world);
    world_feed(&world, part, 0, 0,
               ROWS(PROFILE("p", "W", "true", "3", "5"), PROFILE("P", "W", "true", "1", "5"),
                    PROFILE("p", "W", "true", "2", "5")));
    world_conclude(&world, part);
    CHECK_FAMILY(&world, 0, "defender_mdvm_baseline_devices",
                 "{p,compliant} 1\n{p,noncompliant} 4\n");
}

TEST(an_odd_row_is_counted_and_the_others_are_kept)
{
    static const struct {
        size_t query;
        const char *row;
    } odd[] = {
        { 0, PROFILE("q", "W", "null", "1", "2") },
        { 0, PROFILE("q", "W", "\"maybe\"", "1", "2") },
        { 0, PROFILE("q", "W", "true", "null", "2") },
        { 0, PROFILE("q", "W", "true", "3", "2") },
        { 0, PROFILE("q", "W", "true", "1", "null") },
        { 0, PROFILE("", "W", "true", "1", "2") },
        { 1, "{\"uniqueId\":\"u\",\"name\":\"n\"}" },
        { 1, "7" },
        { 2, RESULT("d", "p", "c", "null", "true") },
        { 2, RESULT("d", "p", "c", "true", "null") },
        { 2, RESULT("d", "p", "c", "true", "\"so\"") },
        { 2, RESULT("", "p", "c", "true", "true") },
        { 2, RESULT("d", "", "c", "true", "true") },
        { 2, RESULT("d", "p", "", "true", "true") },
        { 2, RESULT("d", "p", "c", "{}", "true") },
    };
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        WORLD(world);
        struct part *part = begin(&world);
        world_feed(&world, part, 0, 0, ROWS(PROFILE("p", "W", "true", "1", "2")));
        world_feed(&world, part, 0, 2, ROWS(RESULT("d-1", "p", "c", "true", "false")));
        CHECK(!world_try(&world, part, 0, odd[i].query, ROWS(odd[i].row)));
        world_conclude(&world, part);
        CHECK_INT((int64_t)odd_count(&part->odd), 1);
        CHECK_FAMILY(&world, 0, "defender_mdvm_baseline_devices",
                     "{p,compliant} 1\n{p,noncompliant} 1\n");
        CHECK_FAMILY(&world, 2, "defender_mdvm_baseline_failing_devices", "{p,c} 1\n");
    }
}

TEST(it_is_off_and_names_no_device)
{
    const struct collector *collector = SOURCE(mdvm_baselines)->collector;
    CHECK(collector->off);
    WORLD(world);
    struct part *part = begin(&world);
    world_feed(&world, part, 0, 0, ROWS(PROFILE("p", "W", "true", "1", "2")));
    world_feed(&world, part, 0, 2, ROWS(RESULT("d-1", "p", "c", "true", "false")));
    world_conclude(&world, part);
    CHECK(!strstr(world_text(&world, 3), "a.example"));
    CHECK(!strstr(world_text(&world, 3), "user@org.net"));
}
