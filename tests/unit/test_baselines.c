/* Baselines: two forms of the same facts become one count. */
#include "collectors/baselines.h"

#include "collectors/baselines_reason.h"

#include "collectors_world.h"

enum { NAMES, MACHINES, FINDINGS, ASSIGNMENTS, RULES };

#define WINDOWS "8c3d9ad0-3639-4686-9cd2-2b2ab2609bda"
#define LINUX "1f655fb7-63ca-4980-91a3-56dbc2b715c6"

/* form A: what Defender's recommendations say */
#define A_NAME(key, rule, status, severity, machines)                                              \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" WINDOWS "\",\"ruleKey\":\"" key             \
    "\",\"rule\":\"" rule "\",\"statusCode\":\"" status "\",\"severity\":\"" severity              \
    "\",\"machines\":" machines "}"
#define A_MACHINE(machine, healthy, unhealthy)                                                     \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" WINDOWS "\",\"machineId\":\"" machine       \
    "\",\"healthy\":" healthy ",\"unhealthy\":" unhealthy "}"
#define A_RULE_OF(assessment, machine, key, rule, status, severity)                                \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" assessment "\",\"machineId\":\"" machine    \
    "\",\"ruleKey\":\"" key "\",\"rule\":\"" rule "\",\"statusCode\":\"" status                    \
    "\",\"severity\":\"" severity "\",\"timeGenerated\":\"2026-01-01T00:00:00Z\"}"
#define A_RULE(machine, key, rule, severity)                                                       \
    A_RULE_OF(WINDOWS, machine, key, rule, "Unhealthy", severity)

/* form B: what machine configuration reports */
#define B_MACHINE_OF(assignment, machine, status, checked, rules)                                  \
    "{\"subscriptionId\":\"s-1\",\"machineId\":\"" machine "\",\"assignment\":\"" assignment       \
    "\",\"complianceStatus\":\"" status "\",\"lastChecked\":\"" checked "\",\"rules\":" rules "}"
#define B_MACHINE(machine, status, checked, rules)                                                 \
    B_MACHINE_OF("AzureWindowsBaseline", machine, status, checked, rules)
#define B_RULE_OF(assignment, machine, rule, status, phrase)                                       \
    "{\"subscriptionId\":\"s-1\",\"machineId\":\"" machine "\",\"assignment\":\"" assignment       \
    "\",\"rule\":\"" rule "\",\"complianceStatus\":\"" status "\",\"reasonPhrase\":\"" phrase      \
    "\"}"
#define B_RULE(machine, rule, status, phrase)                                                      \
    B_RULE_OF("AzureWindowsBaseline", machine, rule, status, phrase)

#define TODAY "2026-01-02T00:00:00Z" /* WORLD_NOW */

/* What the five queries of a run bring, in their order; NULL = no row. */
static struct part *collect(struct world *world, const char *const rows[5])
{
    struct part *part = part_create(SOURCE(baselines));
    CLEANUP(buf_finish) struct buf copy = { 0 };
    for (size_t query = 0; query < 5; query++)
        if (rows[query]) {
            buf_reset(&copy);
            buf_printf(&copy, "[%s]", rows[query]);
            world_feed(world, part, 0, query, buf_cstr(&copy));
        }
    return world_conclude(world, part);
}
#define COLLECT(world, ...) collect(world, (const char *const[5]){ __VA_ARGS__ })

/* The results of one severity of s-1 and a baseline: compliant, non-compliant, pending. */
static void check_results(struct world *world, const char *assignment, const char *severity,
                          int compliant, int failing, int pending, int line)
{
    static const char *const states[] = { "compliant", "non_compliant", "pending" };
    const int wanted[] = { compliant, failing, pending };
    const char *text = world_text(world, 2);
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        char sample[160];
        snprintf(sample, sizeof sample, "defender_baseline_rule_results{s-1,%s,%s,%s} %d\n",
                 assignment, severity, states[i], wanted[i]);
        test_check_contains(text, sample, __FILE__, line, severity);
    }
}
#define CHECK_RESULTS(world, severity, compliant, failing, pending)                                \
    check_results(world, "AzureWindowsBaseline", severity, compliant, failing, pending, __LINE__)

#define CHECK_MACHINES(world, compliant, failing, pending)                                         \
    CHECK_CONTAINS(world_text(world, 1),                                                           \
                   "defender_baseline_machines{s-1,AzureWindowsBaseline,compliant} " compliant     \
                   "\ndefender_baseline_machines{s-1,AzureWindowsBaseline,non_compliant} " failing \
                   "\ndefender_baseline_machines{s-1,AzureWindowsBaseline,pending} " pending "\n")

TEST(phrases_begin_with_a_severity)
{
    static const struct {
        const char *phrase;
        enum severity severity;
    } cases[] = {
        { "[Critical] x", SEVERITY_CRITICAL },
        { "[critical]", SEVERITY_CRITICAL },
        { "[IMPORTANT] x", SEVERITY_HIGH },
        { "[High]x", SEVERITY_HIGH },
        { "[ Warning ] x", SEVERITY_MEDIUM },
        { "[Medium] [Critical]", SEVERITY_MEDIUM }, /* the first */
        { "[Moderate] x", SEVERITY_MEDIUM },
        { "\t\"'[Informational] x", SEVERITY_LOW },
        { "[Information] x", SEVERITY_LOW },
        { "[Low] x", SEVERITY_LOW },
        { "Critical", SEVERITY_UNKNOWN },
        { "x [Critical]", SEVERITY_UNKNOWN },
        { "[Critically] x", SEVERITY_UNKNOWN },
        { "[Crit] x", SEVERITY_UNKNOWN },
        { "[]", SEVERITY_UNKNOWN },
        { "[", SEVERITY_UNKNOWN },
        { "", SEVERITY_UNKNOWN },
        { "[high", SEVERITY_HIGH }, /* cut off by Azure */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(baselines_reason_severity(cases[i].phrase), cases[i].severity);
}

TEST(spellings_of_a_rule_have_one_key)
{
    static const struct {
        const char *rule, *key;
    } cases[] = {
        { "Audit: Shut down system", "auditshutdownsystem" },
        { "AUDIT  shut-down (system)", "auditshut-downsystem" },
        { "Ensure x is set (CIS: L1 - 1.2.3)", "ensurexisset" },
        { "Ensure x is set (cis: l2)", "ensurexisset" },
        { "Mode of /etc/shadow-", "modeofetcshadow-" },
        { "Mode of /etc/shadow", "modeofetcshadow" },
        { "a - b", "ab" },
        { "- a", "a" },
        { "\xc3\x9c"
          "ber",
          "\xc3\x9c"
          "ber" }, /* other alphabets stay as they are */
        { "(CIS: only)", "" },
        { "", "" },
        { "...", "" },
    };
    char key[64], small[4], tiny[1];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(baselines_rule_key(cases[i].rule, key, sizeof key), cases[i].key);
    CHECK_TEXT(baselines_rule_key("abcdef", small, sizeof small), "abc");
    CHECK_TEXT(baselines_rule_key("abcdef", tiny, sizeof tiny), "");
}

TEST(form_a_alone_counts_what_it_says)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = COLLECT(
        &world,
        A_NAME("g1", "One", "Unhealthy", "High", "2") "," A_NAME("g2", "Two", "Healthy", "Low",
                                                                 "3"),
        A_MACHINE("m1", "1", "1") "," A_MACHINE("m2", "2", "1") "," A_MACHINE("m3", "2", "0"),
        A_RULE("m1", "g1", "One", "High") "," A_RULE("m2", "g1", "One", "High"));
    CHECK_INT(part->finding_count, 2);
    CHECK_INT(part->known.count, 3); /* what is well, too */
    CHECK_TEXT(intern_text(&part->known, 1), "windows-one");
    CHECK_TEXT(intern_text(&part->known, 2), "windows-two");
    CHECK_MACHINES(&world, "1", "2", "0");
    CHECK_RESULTS(&world, "high", 0, 2, 0);
    CHECK_RESULTS(&world, "low", 3, 0, 0);
    CHECK_FAMILY(&world, 1, "defender_baseline_rule_failing_machines",
                 "{AzureWindowsBaseline,windows-one} 2\n");
    CHECK_FAMILY(&world, 1, "defender_baseline_rule_info",
                 "{AzureWindowsBaseline,windows-one,One,high} 1\n");
    CHECK_FAMILY(&world, 3, "defender_baseline_machine_failed_rules",
                 "{m1,AzureWindowsBaseline,high} 1\n{m2,AzureWindowsBaseline,high} 1\n");
    CHECK_INT(part->findings[0].changed_at, 1767225600);
}

TEST(form_b_alone_counts_what_it_says)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part =
        COLLECT(&world, NULL, NULL, NULL,
                B_MACHINE("m1", "NonCompliant", TODAY, "10") "," B_MACHINE(
                    "m2", "compliant", TODAY, "10") "," B_MACHINE("m3", "Pending", "", "0"),
                B_RULE("m1", "One", "NonCompliant", "[Critical] x") "," B_RULE(
                    "m1", "Two", "Pending", "[Warning] x") "," B_RULE("m1", "Three", "NonCompliant",
                                                                      "no severity"));
    CHECK_INT(part->finding_count, 2);
    CHECK_MACHINES(&world, "1", "1", "1");
    CHECK_RESULTS(&world, "critical", 0, 1, 0);
    CHECK_RESULTS(&world, "medium", 0, 0, 1);
    CHECK_RESULTS(&world, "unknown", 7 + 10, 1, 0); /* of ten three were listed; all of m2's */
    CHECK_FAMILY(&world, 1, "defender_baseline_rule_failing_machines",
                 "{AzureWindowsBaseline,windows-one} 1\n"
                 "{AzureWindowsBaseline,windows-three} 1\n");
    char scratch[PART_ID_BYTES];
    struct finding view;
    for (size_t i = 0; i < part->finding_count; i++) {
        part_view(part, i, &view, scratch);
        bool one = !strcmp(view.title, "One");
        CHECK_INT(view.risk, one ? RISK_CRITICAL : RISK_NOT_EVALUATED);
        CHECK_TEXT(view.resource_id, "m1");
        CHECK_TEXT(view.category, "AzureWindowsBaseline");
    }
}

TEST(a_rule_that_both_forms_tell_fails_once)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = COLLECT(&world, A_NAME("g1", "Rule: One", "Unhealthy", "High", "1"),
                                A_MACHINE("m1", "0", "1"), A_RULE("m1", "g1", "Rule: One", "High"),
                                B_MACHINE("m1", "NonCompliant", TODAY, "2"),
                                B_RULE("m1", "rule one", "NonCompliant", "[Low] x") "," B_RULE(
                                    "m1", "Rule Two", "NonCompliant", "[Low] x"));
    CHECK_INT(part->finding_count, 2);
    CHECK_MACHINES(&world, "0", "1", "0");
    CHECK_RESULTS(&world, "high", 0, 1, 0); /* form A's severity */
    CHECK_RESULTS(&world, "low", 0, 1, 0);
    CHECK_FAMILY(
        &world, 1, "defender_baseline_rule_failing_machines",
        "{AzureWindowsBaseline,windows-ruleone} 1\n{AzureWindowsBaseline,windows-ruletwo} 1\n");
}

TEST(form_b_takes_the_names_that_form_a_gives_elsewhere)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    /* m2 is not in form A at all; its rule is known there from m1 */
    COLLECT(&world,
            A_NAME("g1", "One", "Unhealthy", "High", "1") "," A_NAME("g9", "Nine", "Unhealthy", "",
                                                                     "1"),
            A_MACHINE("m1", "0", "1"), A_RULE("m1", "g1", "One", "High"), NULL,
            B_RULE("m2", "ONE", "NonCompliant", "[Low] x") "," B_RULE("m2", "NINE", "NonCompliant",
                                                                      "[Low] x"));
    CHECK_FAMILY(&world, 1, "defender_baseline_rule_failing_machines",
                 "{AzureWindowsBaseline,windows-nine} 1\n{AzureWindowsBaseline,windows-one} 2\n");
    CHECK_RESULTS(&world, "high", 0, 2, 0);
    CHECK_RESULTS(&world, "low", 0, 1, 0); /* form A does not know: form B's own */
}

TEST(forms_with_other_names_are_not_added_up)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part =
        COLLECT(&world, NULL, A_MACHINE("m1", "0", "1") "," A_MACHINE("m2", "1", "0"),
                A_RULE("m1", "g1", "One", "High"), NULL,
                B_RULE("m1", "CceId-1", "NonCompliant", "[Low] x") "," B_RULE(
                    "m1", "CceId-2", "NonCompliant",
                    "[Low] x") "," B_RULE("m2", "CceId-1", "NonCompliant", "[Low] x"));
    /* m1 fails rules in both forms under no common name: form A alone counts. m2 fails nothing
     * there, so form B says something new. */
    CHECK_INT(part->finding_count, 2);
    CHECK_FAMILY(&world, 3, "defender_baseline_machine_failed_rules",
                 "{m1,AzureWindowsBaseline,high} 1\n{m2,AzureWindowsBaseline,low} 1\n");
}

TEST(a_rule_that_is_told_twice_fails_once)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = COLLECT(
        &world, NULL, NULL, A_RULE("m1", "g1", "One", "High") "," A_RULE("m1", "g2", "one", "High"),
        NULL, B_RULE("m2", "One", "NonCompliant", "") "," B_RULE("m2", "ONE", "NonCompliant", ""));
    CHECK_INT(part->finding_count, 2); /* one of each machine */
}

TEST(the_newer_of_two_reports_speaks)
{
    for (int turn = 0; turn < 2; turn++) { /* in any order */
        WORLD(world);
        world_discover(&world, "[" WORLD_ONE "]");
        static const char *const old = B_MACHINE("m1", "NonCompliant", "2026-01-01T10:00:00Z", "5");
        static const char *const new = B_MACHINE("m1", "Compliant", "2026-01-01T20:00:00Z", "7");
        CLEANUP(buf_finish) struct buf rows = { 0 };
        buf_printf(&rows, "%s,%s", turn ? old : new, turn ? new : old);
        COLLECT(&world, NULL, NULL, NULL, buf_cstr(&rows));
        CHECK_MACHINES(&world, "1", "0", "0");
        CHECK_RESULTS(&world, "unknown", 7, 0, 0);
    }
}

TEST(reports_grow_stale_after_a_day)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    COLLECT(&world, NULL, NULL, NULL,
            B_MACHINE("m1", "Compliant", "2026-01-01T00:00:00Z", "0") "," /* a day, to the second */
            B_MACHINE("m2", "Compliant", "2025-12-31T23:59:59Z", "0") "," /* and one more */
            B_MACHINE("m3", "NonCompliant", "0001-01-01T00:00:00Z", "0") "," /* never */
            B_MACHINE("m4", "Compliant", "2026-01-03T00:00:00Z", "0"));      /* a wrong clock */
    CHECK_FAMILY(&world, 1, "defender_baseline_stale_machines",
                 "{s-1,AzureLinuxBaseline} 0\n{s-1,AzureWindowsBaseline} 1\n");
    CHECK_MACHINES(&world, "3", "1", "0");
}

TEST(form_a_decides_while_form_b_never_reported)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    COLLECT(&world, NULL, A_MACHINE("m1", "3", "1") "," A_MACHINE("m2", "3", "0"), NULL,
            B_MACHINE("m1", "Pending", "", "0") "," B_MACHINE(
                "m2", "Pending", "", "0") "," B_MACHINE("m3", "Pending", "", "0"));
    CHECK_MACHINES(&world, "1", "1", "1");
}

TEST(windows_and_linux_do_not_mix)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    /* one machine under both, with a rule of the same name */
    struct part *part =
        COLLECT(&world, NULL, NULL,
                A_RULE("m1", "g1", "One", "High") "," A_RULE_OF(LINUX, "m1", "l1", "One",
                                                                "Unhealthy", "Low"),
                B_MACHINE_OF("azurelinuxbaseline", "m1", "NonCompliant", TODAY, "2"),
                B_RULE_OF("AzureLinuxBaseline", "m1", "Two", "NonCompliant", "[High] x"));
    CHECK_INT(part->finding_count, 3);
    CHECK_FAMILY(&world, 1, "defender_baseline_rule_failing_machines",
                 "{AzureLinuxBaseline,linux-one} 1\n{AzureLinuxBaseline,linux-two} 1\n"
                 "{AzureWindowsBaseline,windows-one} 1\n");
    CHECK_FAMILY(&world, 3, "defender_baseline_machine_failed_rules",
                 "{m1,AzureLinuxBaseline,high} 1\n{m1,AzureLinuxBaseline,low} 1\n"
                 "{m1,AzureWindowsBaseline,high} 1\n");
    check_results(&world, "AzureLinuxBaseline", "low", 0, 1, 0, __LINE__);
    CHECK_RESULTS(&world, "low", 0, 0, 0);
    /* an assignment nobody knows is taken for Windows' */
    part = COLLECT(&world, NULL, NULL, NULL, NULL,
                   B_RULE_OF("MyBaseline", "m1", "One", "NonCompliant", ""));
    CHECK_TEXT(part->assessments[0].category, "AzureWindowsBaseline");
}

TEST(rules_that_azure_cut_off_are_reported)
{
    WORLD(world);
    CHECK(!COLLECT(&world, NULL, NULL, NULL, B_MACHINE("m", "NonCompliant", TODAY, "400"))
               ->truncated);
    CHECK(
        COLLECT(&world, NULL, NULL, NULL, B_MACHINE("m", "NonCompliant", TODAY, "401"))->truncated);
    CHECK_RESULTS(&world, "unknown", 400, 0, 0); /* what may be behind is not called compliant */
}

TEST(a_healthy_row_of_form_a_is_no_finding)
{
    WORLD(world);
    struct part *part =
        COLLECT(&world, NULL, NULL, A_RULE_OF(WINDOWS, "m1", "g1", "One", "Healthy", "High"), NULL,
                B_RULE("m2", "Two", "Compliant", "[High] x"));
    CHECK_INT(part->finding_count, 0);
    CHECK_RESULTS(&world, "high", 0, 0, 1); /* listed, and neither met nor failed */
}

TEST(rules_without_a_name_go_by_their_key)
{
    WORLD(world);
    struct part *part = COLLECT(
        &world, NULL, NULL, A_RULE("m1", "g-1", "", "High") "," A_RULE("m1", "g-2", "", "High"));
    CHECK_INT(part->finding_count, 2);
}

TEST(counts_of_a_subscription_that_cannot_be_read_stay)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    COLLECT(&world, NULL, NULL, A_RULE("m1", "g1", "One", "High"),
            B_MACHINE("m2", "Compliant", TODAY, "4"));
    for (int run = 1; run <= 2; run++) {
        world.context.now = WORLD_NOW + run * 60;
        world_discover(&world, "[" WORLD_TWO "]");
        struct part *part = COLLECT(&world, NULL);
        CHECK_INT(part->finding_count, 1);
        CHECK_MACHINES(&world, "2", "0", "0");
        CHECK_RESULTS(&world, "high", 0, 1, 0);
        CHECK_RESULTS(&world, "unknown", 4, 0, 0);
        CHECK_CONTAINS(world_text(&world, 1), /* zeros of the one that is visible */
                       "defender_baseline_machines{s-2,AzureLinuxBaseline,pending} 0\n");
    }
    world.context.now = WORLD_NOW + WORLD_STALENESS_S + 1;
    CHECK_INT(COLLECT(&world, NULL)->finding_count, 0);
    CHECK(!strstr(world_text(&world, 3), "defender_baseline_machines{s-1"));
}
