/* What a person is told of a failing baseline rule. */
#include "collectors/baselines_explain.h"

#include "collectors/baselines.h"
#include "collectors/baselines_reason.h"
#include "collectors_world.h"

#define WINDOWS "8c3d9ad0-3639-4686-9cd2-2b2ab2609bda"
#define LINUX "1f655fb7-63ca-4980-91a3-56dbc2b715c6"
#define GUID "43119747-263c-2c92-4ce5-726e63259049"

enum { NAMES, MACHINES, FINDINGS, ASSIGNMENTS, RULES, TEXTS, QUERIES };

static struct part *collect(struct world *world, const char *const rows[QUERIES])
{
    struct part *part = part_create(SOURCE(baselines));
    CLEANUP(buf_finish) struct buf copy = { 0 };
    for (size_t query = 0; query < QUERIES; query++)
        if (rows[query]) {
            buf_reset(&copy);
            buf_printf(&copy, "[%s]", rows[query]);
            world_feed(world, part, 0, query, buf_cstr(&copy));
        }
    return world_conclude(world, part);
}
#define COLLECT(world, ...) collect(world, (const char *const[QUERIES]){ __VA_ARGS__ })

#define A_RULE(key, rule)                                                                          \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" LINUX "\",\"machineId\":\"m1\","            \
    "\"ruleKey\":\"" key "\",\"rule\":\"" rule "\",\"statusCode\":\"Unhealthy\","                  \
    "\"severity\":\"High\",\"timeGenerated\":\"2026-01-01T00:00:00Z\"}"
#define A_NAME(key, rule)                                                                          \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" LINUX "\",\"ruleKey\":\"" key               \
    "\",\"rule\":\"" rule "\",\"statusCode\":\"Unhealthy\",\"severity\":\"High\",\"machines\":1}"
#define A_MACHINE                                                                                  \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" LINUX "\",\"machineId\":\"m1\","            \
    "\"healthy\":1,\"unhealthy\":1}"
#define B_RULE_CODED(rule, phrase, code)                                                           \
    "{\"subscriptionId\":\"s-1\",\"machineId\":\"m1\",\"assignment\":\"AzureLinuxBaseline\","      \
    "\"rule\":\"" rule "\",\"complianceStatus\":\"NonCompliant\",\"reasonPhrase\":\"" phrase       \
    "\",\"reasonCode\":\"" code "\"}"
#define B_RULE(rule, phrase) B_RULE_CODED(rule, phrase, "")
#define TEXT_OF(rule, description, impact, remediation)                                            \
    "{\"assessmentKey\":\"" LINUX "\",\"ruleKey\":\"k\",\"rule\":\"" rule                          \
    "\",\"description\":\"" description "\",\"impact\":\"" impact                                  \
    "\",\"remediation\":\"" remediation "\"}"

/* The explanation of the only finding. */
static struct baselines_explained explain(const struct world *world, const struct part *part)
{
    static struct arena arena;
    struct baselines_explained out = { 0 };
    struct finding view;
    char scratch[PART_ID_BYTES];
    arena_reset(&arena);
    CHECK_INT(part->finding_count, 1);
    part_view(part, 0, &view, scratch);
    CHECK(baselines_explain(world->snapshot, &view, &arena, &out));
    return out;
}

TEST(phrases_tell_what_was_found_and_what_is_expected)
{
    static const struct {
        const char *phrase, *found, *expected;
    } cases[] = {
        { "", "", "" },
        { "[Critical] [] is missing one or more of the required values: [\"*S-1-5-32-544\"]",
          "nothing", "all of [\"*S-1-5-32-544\"]" },
        { "[Warning] \"*S-1-5-32-545\" is not one of the expected values: [\"0\",\"1\"]",
          "*S-1-5-32-545", "one of [\"0\",\"1\"]" },
        { " [CRITICAL]value missing", "value missing", "" },
        { "[] is not one of the expected values: [\"1\"]", "nothing", "one of [\"1\"]" },
        { "Access to '/etc/ssh/sshd_config' (00644) does not match expected (00600)", "00644",
          "00600" },
        { "'permitrootlogin' is not set to 'no' in SSH Server response (but to 'yes')", "yes",
          "no" },
        { "'maxauthtries' is not set to a value of 6 or less in SSH Server response (but to 10)",
          "10", "6 or less" },
        { "'net.ipv4.ip_forward' is set to 1 instead of 0 in '/etc/sysctl.conf'", "1", "0" },
        { "'umask' is set to '022' instead of '027'", "022", "027" },
        { "Configured 'PASS_MAX_DAYS' in '/etc/login.defs' of 99999 days is more than requested "
          "365 days",
          "99999 days", "at most 365 days" },
        { "Configured 'PASS_WARN_AGE' in '/etc/login.defs' of 3 days is less than requested 7 days",
          "3 days", "at least 7 days" },
        /* several at once: the sentence, whole */
        { "'a' is not set to 'b' in SSH Server response (but to 'c'), also 'd' not found",
          "'a' is not set to 'b' in SSH Server response (but to 'c'), also 'd' not found", "" },
        { "Audit failed. See /var/log/osconfig_nrp.*", "Audit failed. See /var/log/osconfig_nrp.*",
          "" },
        { "\xe2\x9d\x8c One of:\n\t\xe2\x9c\x85 a is fine\n\t\xe2\x9d\x8c b\tis not\r\n", /* a tree
                                                                                           */
          "One of:; b is not", "" },
        { "first\n\n  second\n", "first; second", "" },
        { "(but to 'x') is not set to 'y' in z", "(but to 'x') is not set to 'y' in z", "" },
        { ") does not match expected (", ") does not match expected (", "" },
    };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct baselines_reason reason = baselines_reason_read(cases[i].phrase, &arena);
        CHECK_TEXT(reason.found, cases[i].found);
        CHECK_TEXT(reason.expected, cases[i].expected);
    }
}

TEST(long_phrases_are_cut_between_characters)
{
    char phrase[3 * BASELINES_REASON_BYTES + 1];
    CLEANUP(arena_finish) struct arena arena = { 0 };
    for (size_t i = 0; i < BASELINES_REASON_BYTES; i++)
        memcpy(phrase + 3 * i, "\xe2\x9c\x85", 3);
    phrase[sizeof phrase - 1] = 0;
    CHECK_INT(baselines_reason_length(phrase), 999);
    struct baselines_reason reason = baselines_reason_read(phrase, &arena);
    CHECK_INT(strlen(reason.found), 999 + 3);
    CHECK_TEXT(reason.found + 999, "\xe2\x80\xa6");
}

TEST(a_rule_is_explained_by_both_forms)
{
    WORLD(world);
    struct part *part =
        COLLECT(&world, A_NAME("k", "Ensure SSH is strict"), A_MACHINE,
                A_RULE("k", "Ensure SSH is strict"), NULL,
                B_RULE("Ensure SSH is strict (CIS: L1 - 5.2.1)", "Access to 'f' (00644) does not "
                                                                 "match expected (00600)"),
                TEXT_OF("Ensure SSH is strict", "Why.", "N/A", "<b>Do</b>"));
    struct baselines_explained rule = explain(&world, part);
    CHECK_TEXT(rule.found, "00644");
    CHECK_TEXT(rule.expected, "00600");
    CHECK_TEXT(rule.description, "Why.");
    CHECK_TEXT(rule.remediation, "<b>Do</b>");
    CHECK_TEXT(rule.careful, "SSH");
    CHECK_TEXT(rule.parent_id, LINUX);
    CHECK_TEXT(part->assessments[0].id, "linux-ensuresshisstrict");
}

TEST(the_guid_of_a_code_names_the_rule)
{
    WORLD(world);
    struct part *part =
        COLLECT(&world, A_NAME(GUID, "Strict SSH"), A_MACHINE, A_RULE(GUID, "Strict SSH"), NULL,
                B_RULE_CODED("Ensure SSH is strict", "x",
                             "BaselineSettingNotCompliant:{43119747-263C-2C92-4CE5-726E63259049}"),
                TEXT_OF("Strict SSH", "", "Impact.", ""));
    struct baselines_explained rule = explain(&world, part);
    CHECK_TEXT(rule.found, "x");
    CHECK_TEXT(rule.description, "Impact.");
    CHECK_TEXT(part->assessments[0].id, "linux-strictssh");
}

TEST(a_rule_is_the_same_whichever_form_is_left)
{
    WORLD(world);
    struct part *part = COLLECT(&world, A_NAME("k", "One"), A_MACHINE, A_RULE("k", "One"));
    struct finding_id id = part->findings[0].id;
    CHECK_TEXT(part->assessments[0].id, "linux-one");
    part = COLLECT(&world, NULL, NULL, NULL, NULL, B_RULE("One (CIS: L1)", "x"));
    CHECK(!finding_id_compare(&part->findings[0].id, &id));
    CHECK_TEXT(part->assessments[0].id, "linux-one");
}

#define SINGLE(row) row ",\"form\":\"individual\"}"
#define OPEN_NAME(key, rule, status)                                                               \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" LINUX "\",\"ruleKey\":\"" key               \
    "\",\"rule\":\"" rule "\",\"statusCode\":\"" status "\",\"severity\":\"High\",\"machines\":3"
#define OPEN_MACHINE(unhealthy)                                                                    \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" LINUX "\",\"machineId\":\"m1\","            \
    "\"healthy\":3,\"unhealthy\":" unhealthy
#define OPEN_RULE(key, rule)                                                                       \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" LINUX "\",\"machineId\":\"m1\","            \
    "\"ruleKey\":\"" key "\",\"rule\":\"" rule                                                     \
    "\",\"statusCode\":\"Unhealthy\",\"severity\":\"High\""

TEST(rules_that_are_recommendations_of_their_own_are_the_same)
{
    for (int both = 0; both < 2; both++) { /* alone, and beside sub-assessments */
        WORLD(world);
        world_discover(&world, "[" WORLD_ONE "]");
        struct part *part =
            both ? COLLECT(&world,
                           OPEN_NAME("k", "One",
                                     "Healthy") "}," SINGLE(OPEN_NAME("own", "One", "Healthy")),
                           OPEN_MACHINE("1") "}," SINGLE(OPEN_MACHINE("1")),
                           OPEN_RULE("k", "Two") "}," SINGLE(OPEN_RULE("own", "Two")))
                 : COLLECT(&world, SINGLE(OPEN_NAME("own", "One", "Healthy")),
                           SINGLE(OPEN_MACHINE("1")), SINGLE(OPEN_RULE("own", "Two")));
        CHECK_INT(part->finding_count, 1);
        CHECK_TEXT(part->assessments[0].id, "linux-two");
        CHECK_FAMILY(&world, 1, "defender_baseline_rule_failing_machines",
                     "{AzureLinuxBaseline,linux-two} 1\n");
        CHECK_CONTAINS(world_text(&world, 2),
                       "defender_baseline_rule_results{s-1,AzureLinuxBaseline,high,compliant} 3\n");
        CHECK_CONTAINS(world_text(&world, 1),
                       "defender_baseline_machines{s-1,AzureLinuxBaseline,non_compliant} 1\n");
    }
}

TEST(texts_of_rules_outlive_a_query_that_failed)
{
    WORLD(world);
    COLLECT(&world, NULL, NULL, NULL, NULL, B_RULE("One", "x"), TEXT_OF("One", "Why.", "", "Do."));
    struct part *part = COLLECT(&world, NULL, NULL, NULL, NULL, B_RULE("One", "y"));
    CHECK_TEXT(explain(&world, part).description, "Why.");
    part = COLLECT(&world, NULL, NULL, NULL, NULL, B_RULE("One", "y"),
                   TEXT_OF("One", "Because.", "", "N/A"));
    CHECK_TEXT(explain(&world, part).description, "Because.");
    CHECK_TEXT(explain(&world, part).remediation, "Do.");
}

TEST(the_recommendation_speaks_for_a_rule_without_texts)
{
    WORLD(world);
    struct part *catalogue = part_create(SOURCE(catalogue));
    world_feed(&world, catalogue, 0, 0,
               "[{\"name\":\"" LINUX "\",\"properties\":{\"displayName\":\"T\",\"description\":"
               "\"About all.\",\"remediationDescription\":\"Fix all.\"}}]");
    world_conclude(&world, catalogue);
    struct part *part =
        COLLECT(&world, NULL, NULL, NULL, NULL, B_RULE("One", ""), TEXT_OF("One", "Why.", "", ""));
    struct baselines_explained rule = explain(&world, part);
    CHECK_TEXT(rule.found, "");
    CHECK_TEXT(rule.description, "Why.");
    CHECK_TEXT(rule.remediation, "Fix all.");
    CHECK_TEXT(rule.careful, "");
}

TEST(what_a_wrong_change_locks_out_is_said)
{
    static const struct {
        const char *rule, *careful;
    } cases[] = {
        { "Ensure permissions on /etc/ssh/sshd_config are configured", "SSH" },
        { "Windows Firewall: Domain: Firewall state", "firewall" },
        { "Ensure nftables service is enabled", "firewall" },
        { "Access this computer from the network", "logon rights" },
        { "Deny log on through Remote Desktop Services", "logon rights" },
        { "Bypass traverse checking", "" },
        { "Interactive logon: Message text", "" },
        { "Ensure packet redirect sending is disabled", "" },
    };
    WORLD(world);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct baselines_explained rule;
        const struct finding finding = {
            .title = cases[i].rule,
            .assessment_id = "x",
            .category = "AzureWindowsBaseline",
        };
        CHECK(baselines_explain(world.snapshot, &finding, &arena, &rule));
        CHECK_TEXT(rule.careful, cases[i].careful);
        CHECK_TEXT(rule.parent_id, WINDOWS);
    }
}

TEST(other_findings_are_no_rules)
{
    WORLD(world);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct baselines_explained rule;
    const struct finding finding = { .title = "SSH", .assessment_id = "x", .category = "Compute" };
    CHECK(!baselines_explain(world.snapshot, &finding, &arena, &rule));
    CHECK_TEXT(baselines_explain_link(&finding), "x");
}
