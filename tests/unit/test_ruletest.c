/* Unit tests of rules, themselves tested. */
#include "alerts/ruletest.h"

#include "alerts_world.h"

struct outcome {
    bool ran;
    size_t failed;
    struct buf out;
    struct option_report report;
};

static void outcome_finish(struct outcome *outcome)
{
    buf_finish(&outcome->out);
    options_report_finish(&outcome->report);
}

static struct outcome run(const char *tests, struct settings *settings)
{
    struct outcome outcome = { 0 };
    test_file("some_rules.yml", SCENE_OPENED
              "  - alert: StillOpen\n    event: finding.opened\n    min_age: 1h\n"
              "    match: ['risk_level=\"low\"']\n"
              "  - alert: Many\n    metric: defender_assessment_findings\n    above: 2\n"
              "    for: 30m\n");
    test_file("clouds.yml", "groups:\n- name: g\n  rules:\n  - alert: Outside\n"
                            "    event: finding.opened\n"
                            "    match: ['cloud=\"aws\"', 'connector=\"prod-aws\"',"
                            " 'account=~\"1234.*\"']\n");
    buf_text(&outcome.out, "");
    outcome.ran = ruletest_run(test_file("tests.yml", tests), settings, scene_families(),
                               &outcome.out, &outcome.failed, &outcome.report);
    return outcome;
}

TEST(tags_of_findings_are_labels_when_they_are_listed)
{
    test_file("tags.yml", "groups:\n- name: g\n  rules:\n  - alert: Web\n"
                          "    event: finding.opened\n    match: ['tag_team=\"web\"']\n");
    static const char tests[] = "rule_files: [tags.yml]\n%s"
                                "tests:\n- name: only those of the web team are told\n"
                                "  findings:\n"
                                "  - { id: A, open: 15m, tags: { TEAM: web } }\n"
                                "  - { id: b, open: 15m, tags: { team: net } }\n"
                                "  - { id: c, open: 15m }\n"
                                "  expect: [{ at: 15m, event: finding.opened, findings: [A] }]\n";
    static const struct {
        const char *listed, *wrong;
    } cases[] = {
        { "tags: [team, env]\n", "" },
        { "", "there is no label \"tag_team\"" },
        { "tags: [env, Team x]\n", "there is no label \"tag_team\"; did you mean tag_team_x" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[900];
        snprintf(text, sizeof text, tests, cases[i].listed);
        CLEANUP(outcome_finish) struct outcome outcome = run(text, NULL);
        CHECK_INT(outcome.ran, !*cases[i].wrong);
        CHECK_INT(outcome.failed, 0);
        CHECK_CONTAINS(buf_cstr(&outcome.report.text), cases[i].wrong);
    }
    CLEANUP(outcome_finish)
    struct outcome outcome = run("rule_files: [some_rules.yml]\ntags: [env]\ntests:\n- name: n\n"
                                 "  findings: [{ id: a, tags: { team: x } }]\n",
                                 NULL);
    CHECK(!outcome.ran);
    CHECK_CONTAINS(buf_cstr(&outcome.report.text),
                   ":5: tests.findings.tags: the tag team is not listed");
}

#define FILES "rule_files: [some_rules.yml]\ntests:\n"

TEST(what_holds_is_a_success)
{
    CLEANUP(outcome_finish)
    struct outcome outcome = run(
        FILES
        "- name: a finding comes and goes\n"
        "  findings: [{ id: a, open: 15m, fixed: 1h }]\n"
        "  expect:\n"
        "  - { at: 15m, receiver: team, event: finding.opened, status: firing, findings: [a] }\n"
        "  - { at: 1h, receiver: team, event: finding.resolved, findings: [a] }\n"
        "- name: what was open before is not told\n"
        "  findings: [{ id: a }]\n"
        "- name: two at once, one reopens\n"
        "  findings:\n"
        "  - { id: a, open: 20m, fixed: 1h, reopened: 2h }\n"
        "  - { id: b, open: 20m, subscription_id: s2 }\n"
        "  expect:\n"
        "  - { at: 30m, findings: [b] }\n"
        "  - { at: 30m, findings: [a] }\n"
        "  - { at: 1h, status: resolved, findings: [a] }\n"
        "  - { at: 2h, event: finding.reopened, findings: [a] }\n"
        "- name: a deleted resource needs two collections\n"
        "  interval: 10m\n"
        "  findings: [{ id: a, open: 10m, gone: 30m }]\n"
        "  expect:\n"
        "  - { at: 10m, event: finding.opened }\n"
        "  - { at: 40m, event: finding.resolved }\n",
        NULL);
    CHECK_TEXT(buf_cstr(&outcome.report.text), "");
    CHECK(outcome.ran);
    CHECK_INT(outcome.failed, 0);
    CHECK_CONTAINS(buf_cstr(&outcome.out), "tests.yml\n  SUCCESS\n");
}

TEST(rules_ask_for_clouds)
{
    CLEANUP(outcome_finish)
    struct outcome outcome =
        run("rule_files: [clouds.yml]\ntests:\n"
            "- name: of AWS alone\n"
            "  findings:\n"
            "  - { id: a, open: 15m, cloud: aws, connector: prod-aws, account: '123456789012' }\n"
            "  - { id: b, open: 15m, cloud: gcp, connector: lab }\n"
            "  - { id: c, open: 15m }\n"
            "  expect:\n"
            "  - { at: 15m, event: finding.opened, findings: [a] }\n",
            NULL);
    CHECK_TEXT(buf_cstr(&outcome.report.text), "");
    CHECK(outcome.ran);
    CHECK_INT(outcome.failed, 0);
}

TEST(time_passes_between_collections)
{
    CLEANUP(outcome_finish)
    struct outcome outcome =
        run(FILES "- name: still open an hour later\n"
                  "  interval: 25m\n"
                  "  findings: [{ id: a, risk_level: low, open: 25m }]\n"
                  "  expect:\n"
                  "  - { at: 25m, findings: [a] }\n"
                  "  - { at: 1h25m, title: 'Low: A recommendation on a', findings: [a] }\n"
                  "- name: three of a kind for half an hour\n"
                  "  expect_nothing_else: false\n"
                  "  findings: [{ id: a, open: 15m }, { id: b, open: 15m }, { id: c, open: 30m }]\n"
                  "  expect: [{ at: 1h, event: rule.firing, findings: [] }]\n",
            NULL);
    CHECK_TEXT(buf_cstr(&outcome.report.text), "");
    CHECK_TEXT(strstr(buf_cstr(&outcome.out), ".yml\n") + 5, "  SUCCESS\n");
}

TEST(what_does_not_hold_is_explained)
{
    CLEANUP(outcome_finish)
    struct outcome outcome =
        run(FILES "- name: wrong time\n"
                  "  findings: [{ id: a, open: 15m }]\n"
                  "  expect: [{ at: 30m, event: finding.opened, findings: [a] }]\n"
                  "- name: nothing is expected\n"
                  "  findings: [{ id: b, open: 15m }]\n"
                  "- name: fine\n"
                  "  findings: [{ id: c }]\n",
            NULL);
    CHECK(outcome.ran);
    CHECK_INT(outcome.failed, 2);
    const char *text = buf_cstr(&outcome.out);
    CHECK_CONTAINS(text, "  FAILED:\n");
    CHECK_CONTAINS(text, "wrong time: line 5: expected at 30m: event=finding.opened findings=a\n");
    CHECK_CONTAINS(text, "wrong time: got at 15m: receiver=team event=finding.opened");
    CHECK_CONTAINS(text, "nothing is expected: got at 15m:");
    CHECK(!strstr(text, "fine:"));
}

TEST(the_operators_own_routes_are_tested_too)
{
    struct scene scene;
    scene_init(&scene, "routes",
               "receivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(
                   "boss") "route:\n  receiver: team\n  group_by: ['...']\n  group_interval: 0s\n"
                           "  routes: [{ receiver: boss, matchers: ['risk_level=\"critical\"'] }]\n"
                           "ledger: { first_run: silent }\n",
               SCENE_OPENED);
    CLEANUP(outcome_finish)
    struct outcome outcome =
        run("tests:\n- name: the boss hears of critical ones\n"
            "  findings: [{ id: a, open: 15m }, { id: b, open: 15m, risk_level: high,"
            " rerated: {1h: critical} }]\n"
            "  expect:\n"
            "  - { at: 15m, receiver: boss, findings: [a] }\n"
            "  - { at: 15m, receiver: team, findings: [b] }\n"
            "  - { at: 1h, receiver: boss, findings: [b] }\n"
            "- name: and of nothing else\n"
            "  findings: [{ id: a, open: 15m, rerated: {1h: low} }]\n"
            "  expect: [{ at: 15m, receiver: boss, findings: [a] }]\n",
            scene.settings);
    CHECK_TEXT(buf_cstr(&outcome.report.text), "");
    CHECK_TEXT(strstr(buf_cstr(&outcome.out), ".yml\n") + 5, "  SUCCESS\n");
    scene_finish(&scene);
}

TEST(mistakes_in_the_file_are_named)
{
    static const struct {
        const char *tests, *reason;
    } cases[] = {
        { "tests: [{ interval: 15m }]\n", "name" },
        { FILES "- { name: n, expect: [{ at: 1h, findings: [a] }] }\n",
          "no finding of this test is called a" },
        { FILES "- { name: n, start: tomorrow }\n", "must be a time" },
        { FILES "- { name: n, findings: [{ id: a, rerated: { 1h: awful } }] }\n", "must be like" },
        { FILES "- { name: n, findings: [{ id: a, risk_level: awful }] }\n", "risk_level" },
        { "rule_files: [nowhere_rules.yml]\ntests: []\n", "nowhere_rules.yml" },
        { "nonsense: 1\n", "nonsense" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(outcome_finish) struct outcome outcome = run(cases[i].tests, NULL);
        CHECK(!outcome.ran);
        CHECK_CONTAINS(buf_cstr(&outcome.report.text), cases[i].reason);
    }
}
