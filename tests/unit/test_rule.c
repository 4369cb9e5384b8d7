/* Rules: what can be written, what is refused with which words, what an event rule wants. */
#include "alerts/rules/rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "alerts/rules/alert.h"
#include "collectors/collector.h"
#include "core/memory.h"
#include "sources.h"
#include "tests/unit/test.h"

static const struct family_2 ratio = { .name = "defender_secure_score_ratio",
                                       .type = METRIC_GAUGE,
                                       .unit = "ratio",
                                       LABELS("subscription_id", "initiative") };
static const struct family_2 total = { .name = "defender_findings",
                                       .type = METRIC_GAUGE,
                                       LABELS("subscription_id", "risk_level") };
static const struct family *const families[] = { &ratio.family, &total.family, NULL };

static struct rule_set *load(const char *rules, struct option_report *report)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "groups:\n- name: g\n  rules:\n%s", rules);
    return rule_load_text("r.yml", buf_cstr(&text), text.length, families, report);
}

TEST(rule_reads_an_event_rule)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct rule_set *set = load("  - alert: New\n"
                                "    event: [finding.opened, finding.exemption_expired]\n"
                                "    match: ['risk_level=\"critical\"', 'resource_type!~\"a.*\"']\n"
                                "    internet_exposed: true\n"
                                "    contextual: false\n"
                                "    min_age: 90s\n"
                                "    labels: { team: cloud }\n"
                                "    title: '{{risk_level}}: {{assessment_title}}'\n"
                                "    runbook_url: https://example.org/a\n",
                                &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    const struct rule *rule = set ? rule_find(set, "New") : NULL;
    CHECK(rule != NULL);
    if (!rule)
        return;
    CHECK_INT(rule->kind, RULE_EVENT);
    CHECK_INT(rule->line, 4);
    CHECK_INT(rule->event_count, 2);
    CHECK_INT(rule->match.count, 2);
    CHECK_INT(rule->internet_exposed, RULE_YES);
    CHECK_INT(rule->contextual, RULE_NO);
    CHECK_INT(rule->on_attack_path, RULE_ANY);
    CHECK_INT(rule->timing.for_s, 90);
    CHECK_INT(rule->timing.kept_s, 900);
    CHECK_TEXT(rule->labels[0].value, "cloud");
    CHECK(rule->title && !rule->text);
    CHECK_TEXT(rule->runbook_url, "https://example.org/a");
    size_t count;
    rule_all(set, &count);
    CHECK_INT(count, 5); /* and the built-in ones */
    CHECK(rule_find(set, "DataStale") && rule_find(set, "FirstRun"));
    CHECK(!rule_find(set, "new"));
    CHECK(!*rule_families(set));
    rule_release(set);
}

TEST(rule_reads_rules_over_metrics)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct rule_set *set =
        load("  - { alert: Low, metric: defender_secure_score_ratio,\n"
             "      match: 'initiative=\"ascscore\"', by: [subscription_id],\n"
             "      below: 0.6, clear: 0.65, for: 30m, keep_firing_for: 1h }\n"
             "  - { alert: Many, metric: defender_findings, above: 5 }\n"
             "  - { alert: All, metric: defender_findings, above: 5, by: [] }\n"
             "  - { alert: Fell, metric: defender_secure_score_ratio, drop: 0.05,\n"
             "      within: 24h }\n"
             "  - { alert: Gone, metric: defender_findings, absent: true }\n"
             "  - { alert: FirstRun, event: finding.overdue }\n",
             &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    if (!set)
        return;
    const struct rule *low = rule_find(set, "Low");
    CHECK_INT(low->kind, RULE_BELOW);
    CHECK_NUMBER(low->bound, 0.6);
    CHECK_NUMBER(low->clear, 0.65);
    CHECK_INT(low->by, 1);
    CHECK_INT(low->timing.for_s, 1800);
    CHECK_INT(low->timing.keep_firing_s, 3600);
    CHECK_INT(rule_find(set, "Many")->by, 3);
    CHECK_NUMBER(rule_find(set, "Many")->clear, 5);
    CHECK_INT(rule_find(set, "All")->by, 0);
    CHECK_INT(rule_find(set, "Fell")->within_s, 86400);
    CHECK_INT(rule_find(set, "Gone")->kind, RULE_ABSENT);
    CHECK_TEXT(rule_find(set, "FirstRun")->file, "r.yml"); /* replaces the built-in one */
    CHECK(rule_families(set)[0] == &ratio.family && rule_families(set)[1] == &total.family);
    CHECK(!rule_families(set)[2]);
    size_t count;
    rule_all(set, &count);
    CHECK_INT(count, 9);
    rule_acquire(set);
    rule_release(set);
    rule_release(set);
}

static const struct {
    const char *rule, *reason;
} mistakes[] = {
    { "  - { alert: A }\n", "r.yml:4: A.event: needs either event or metric" },
    { "  - alert: A\n    event: finding.opened\n    metric: defender_findings\n",
      "needs either event or metric" },
    { "  - alert: A\n    event: finding.opend\n",
      "r.yml:5: A.event: there is no event \"finding.opend\"; did you mean finding.opened" },
    { "  - { alert: A, event: heartbeat }\n", "there is no event \"heartbeat\"" },
    { "  - alert: A\n    event: []\n", "r.yml:5: A.event: names no event" },
    { "  - alert: A\n    event: finding.opened\n    match: 'risk=\"high\"'\n",
      "r.yml:6: A.match: there is no label \"risk\"" },
    { "  - alert: A\n    event: finding.opened\n    match: 'risk_levl=\"high\"'\n",
      "did you mean risk_level?" },
    { "  - alert: A\n    event: finding.opened\n    match: 'severity'\n",
      "expected =, !=, =~ or !~ at character 9" },
    { "  - { alert: A, event: finding.opened, above: 5 }\n",
      "above, below, drop and absent belong to rules over metrics" },
    { "  - { alert: A, event: finding.opened, for: 5m }\n",
      "A.for: does not belong to this kind of rule" },
    { "  - { alert: A, event: finding.resolved, min_age: 5m }\n", "A.min_age: makes no sense" },
    { "  - { alert: A, event: finding.opened, labels: { a-b: c } }\n",
      "A.labels: that is no label name" },
    { "  - { alert: A, event: finding.opened, labels: { alertname: c } }\n",
      "alertname and finding_id cannot be set" },
    { "  - { alert: A, event: finding.opened, labels: { team: '{{category}}' } }\n",
      "A.labels: are no templates" },
    { "  - { alert: A, event: finding.opened, title: '{{riskk_level}}' }\n", "A.title: " },
    { "  - { alert: A, event: finding.opened, evnt: x }\n", "did you mean \"event\"?" },
    { "  - { alert: A, metric: defender_finding, above: 1 }\n",
      "A.metric: there is no metric \"defender_finding\"; did you mean defender_findings?" },
    { "  - { alert: A, metric: defender_findings }\n",
      "needs one of above, below, drop and absent" },
    { "  - { alert: A, metric: defender_findings, above: 1, below: 0 }\n",
      "needs one of above, below, drop and absent" },
    { "  - { alert: A, metric: defender_findings, above: 1, by: [risk] }\n",
      "A.by: there is no label \"risk\"" },
    { "  - { alert: A, metric: defender_findings, above: 1, match: 'a=\"b\"' }\n",
      "A.match: there is no label \"a\"" },
    { "  - { alert: A, metric: defender_findings, above: 1, clear: 2 }\n",
      "A.clear: must not lie above the bound" },
    { "  - { alert: A, metric: defender_findings, below: 1, clear: 0 }\n",
      "A.clear: must not lie below the bound" },
    { "  - { alert: A, metric: defender_findings, drop: 1 }\n", "r.yml:4: A.within: is missing" },
    { "  - { alert: A, metric: defender_findings, drop: 0, within: 1h }\n",
      "A.drop: must be more than 0" },
    { "  - { alert: A, metric: defender_findings, above: 1, within: 1h }\n",
      "A.within: does not belong to this kind of rule" },
    { "  - { alert: A, metric: defender_findings, drop: 1, within: 2d }\n",
      "must be between 1m and 1d" },
    { "  - { alert: A, metric: defender_findings, absent: true, by: [risk_level] }\n",
      "A.by: does not belong to this kind of rule" },
    { "  - { alert: A, metric: defender_findings, above: 1, min_age: 1h }\n",
      "A.min_age: does not belong to this kind of rule" },
    { "  - { alert: A, event: finding.opened }\n  - { alert: A, event: finding.opened }\n",
      "r.yml:5: A: there is a rule of this name in r.yml:4" },
    { "  - { event: finding.opened }\n", "alert: is required but missing" },
};

TEST(rule_says_what_is_wrong_and_where)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        struct rule_set *set = load(mistakes[i].rule, &report);
        CHECK(!set);
        rule_release(set);
        CHECK_CONTAINS(buf_cstr(&report.text), mistakes[i].reason);
    }
}

/* All that is wrong with a text, as it is told. */
static void check_told(const char *rules, const char *want)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct rule_set *set = load(rules, &report);
    CHECK(!set);
    rule_release(set);
    CHECK_TEXT(buf_cstr(&report.text), want);
}

TEST(rule_says_all_that_is_wrong_and_nothing_twice)
{
    check_told("  - alert: A\n    evnt: finding.opened\n"
               "  - alert: B\n    event: finding.opend\n    labels: {a-b: c}\n    colour: red\n"
               "  - alert: C\n    metric: defender_findings\n    drop: much\n    within: 1h\n"
               "  - alert: D\n    metric: defender_findings\n    absent: maybe\n"
               "  - alert: A\n    event: finding.opened\n    min_age: [1h]\n",
               "r.yml:5: groups[0].rules[0].evnt: unknown key, did you mean \"event\"?\n"
               "r.yml:9: groups[0].rules[1].colour: unknown key\n"
               "r.yml:12: groups[0].rules[2].drop: \"much\" is not a number\n"
               "r.yml:16: groups[0].rules[3].absent: \"maybe\" is not true or false\n"
               "r.yml:19: groups[0].rules[4].min_age: must be a single value, not a list\n"
               "r.yml:8: B.labels: that is no label name\n"
               "r.yml:7: B.event: there is no event \"finding.opend\"; did you mean "
               "finding.opened, finding.reopened, finding.overdue?\n"
               "r.yml:17: A: there is a rule of this name in r.yml:4\n");
}

TEST(rule_says_where_rules_of_prometheus_belong)
{
    check_told("  - alert: Down\n    expr: up == 0\n    for: 5m\n    annotations: {a: b}\n"
               "  - record: r\n    expr: sum(up)\n",
               "r.yml:5: these are rules of Prometheus (expr), which evaluates them itself: list "
               "the file below rule_files of prometheus.yml. Rules here have event or metric\n");
    check_told("  - alert: A\n    event: finding.opened\n    expr: up == 0\n",
               "r.yml:6: groups[0].rules[0].expr: unknown key\n");
}

TEST(rule_files_that_are_not_there_are_named_where_they_are_listed)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf file = { 0 };
    CLEANUP(buf_finish) struct buf want = { 0 };
    const struct tag_labels_wanted none = { 0 };
    const char *texts[] = { "gone.yml", "none-*.yml", "other/*.yml" };
    static const int lines[] = { 7, 8, 9 };
    buf_printf(&file, "%s/config.yml", test_folder());
    struct option_texts patterns = { texts, 3, lines };
    CHECK(!rule_load(&patterns, buf_cstr(&file), families, &none, &report));
    buf_printf(&want, "%s:7: alerts.rules: %s/gone.yml: No such file or directory\n",
               buf_cstr(&file), test_folder());
    CHECK_TEXT(buf_cstr(&report.text), buf_cstr(&want));
    options_report_finish(&report);
    patterns = (struct option_texts){ texts + 1, 2, lines + 1 };
    struct rule_set *set = rule_load(&patterns, buf_cstr(&file), families, &none, &report);
    CHECK_TEXT(set ? rule_unmatched(set) : "nothing", "none-*.yml (line 8), other/*.yml (line 9)");
    rule_release(set);
}

TEST(rule_loads_files_and_patterns)
{
    test_file("a.yml", "groups: [{ name: g, rules: [{ alert: A, event: finding.opened }] }]\n");
    test_file("b.yml", "groups: [{ name: g, rules: [{ alert: B, event: finding.opened }] }]\n");
    test_file("bad.yaml", "groups: [{ name: g, rules: [{ alert: A, event: finding.opened }] }]\n");
    static const struct {
        const char *patterns[3];
        size_t count, rules;
        const char *reason; /* NULL = it works */
    } cases[] = {
        { { "*.yml" }, 1, 6, NULL },
        { { "a.yml", "b.yml" }, 2, 6, NULL },
        { { "nothing-*.yml" }, 1, 4, NULL },
        { { NULL }, 0, 4, NULL },
        { { "missing.yml" }, 1, 0, "missing.yml" },
        { { "a.yml", "bad.yaml" }, 2, 0, "there is a rule of this name in " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        const char *texts[3];
        memcpy(texts, cases[i].patterns, sizeof texts);
        const struct option_texts patterns = { .texts = texts, .count = cases[i].count };
        const struct tag_labels_wanted none = { 0 };
        CLEANUP(buf_finish) struct buf file = { 0 };
        buf_printf(&file, "%s/config.yml", test_folder());
        struct rule_set *set = rule_load(&patterns, buf_cstr(&file), families, &none, &report);
        size_t count = 0;
        if (set)
            rule_all(set, &count);
        CHECK_INT(count, cases[i].rules);
        if (cases[i].reason)
            CHECK_CONTAINS(buf_cstr(&report.text), cases[i].reason);
        else
            CHECK_TEXT(buf_cstr(&report.text), "");
        rule_release(set);
    }
}

/* Whether a rule with this body wants an event about a critical finding reachable from outside. */
static bool wants(const char *body, enum event_kind kind, int reason, bool quiet, bool about)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    buf_printf(&text, "  - { alert: A, %s }\n", body);
    struct rule_set *set = load(buf_cstr(&text), &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    const struct finding finding = { .source = SOURCE(assessments),
                                     .risk = RISK_CRITICAL,
                                     .internet_exposed = true,
                                     .assessment_id = "key",
                                     .subscription_id = "s1",
                                     .resource_group = "rg",
                                     .resource_type = "microsoft.storage/storageaccounts",
                                     .resource_name = "store",
                                     .category = "Data",
                                     .cloud = CLOUD_AWS,
                                     .connector = "prod-aws",
                                     .account = "123456789012" };
    const struct event event = { .kind = kind, .reason = reason, .quiet = quiet };
    struct alert alert = { 0 };
    if (about)
        alert_label_finding(&alert, &finding, &arena);
    else
        alert_label(&alert, "subject", "ascscore");
    bool wanted = set && rule_wants(rule_find(set, "A"), &event, about ? &finding : NULL,
                                    alert.labels, alert.label_count);
    rule_release(set);
    return wanted;
}

TEST(rule_wants_what_it_names)
{
    static const struct {
        const char *body;
        enum event_kind kind;
        int reason;
        bool quiet, other, wanted;
    } cases[] = {
        { "event: finding.opened", EVENT_OPENED, -1, false, false, true },
        { "event: finding.opened", EVENT_OPENED, -1, true, false, false },
        { "event: finding.opened", EVENT_REOPENED, REASON_FIXED, false, false, false },
        { "event: [finding.opened, finding.reopened]", EVENT_REOPENED, REASON_FIXED, false, false,
          true },
        { "event: finding.exempted", EVENT_RESOLVED, REASON_EXEMPTED, false, false, true },
        { "event: finding.exempted", EVENT_RESOLVED, REASON_FIXED, false, false, false },
        { "event: finding.resolved", EVENT_RESOLVED, REASON_EXEMPTED, false, false, true },
        { "event: finding.opened, match: 'risk_level=\"critical\"'", EVENT_OPENED, -1, false, false,
          true },
        { "event: finding.opened, match: 'risk_level=~\"high|medium\"'", EVENT_OPENED, -1, false,
          false, false },
        { "event: finding.opened, match: 'resource_type!~\"microsoft.storage/.*\"'", EVENT_OPENED,
          -1, false, false, false },
        { "event: finding.opened, match: ['cloud=\"aws\"', 'connector=\"prod-aws\"', "
          "'account=~\"1234.*\"']",
          EVENT_OPENED, -1, false, false, true },
        { "event: finding.opened, match: 'cloud!=\"aws\"'", EVENT_OPENED, -1, false, false, false },
        { "event: finding.opened, internet_exposed: true", EVENT_OPENED, -1, false, false, true },
        { "event: finding.opened, internet_exposed: false", EVENT_OPENED, -1, false, false, false },
        { "event: finding.opened, on_attack_path: true", EVENT_OPENED, -1, false, false, false },
        { "event: finding.opened, on_attack_path: false", EVENT_OPENED, -1, false, false, true },
        { "event: finding.opened, contextual: true", EVENT_OPENED, -1, false, false, false },
        { "event: score.dropped, match: 'subject=\"ascscore\"'", EVENT_SCORE_DROPPED, -1, false,
          true, true },
        { "event: score.dropped, match: 'subject=\"other\"'", EVENT_SCORE_DROPPED, -1, false, true,
          false },
        { "event: score.dropped, internet_exposed: true", EVENT_SCORE_DROPPED, -1, false, true,
          false },
        { "metric: defender_findings, above: 1", EVENT_OPENED, -1, false, false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        test_check_int(
            wants(cases[i].body, cases[i].kind, cases[i].reason, cases[i].quiet, !cases[i].other),
            cases[i].wanted, "test_rule.c, case", (int)i, cases[i].body);
}

TEST(rule_may_be_about_every_family_of_every_collector)
{
    const struct source_list *list = test_sources();
    const struct family **all = MEMORY_ARRAY(const struct family *, 1000);
    size_t count = 0, with = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct family *const *own = list->sources[i].collector->families;
        with += own && *own;
        for (; own && *own; own++)
            all[count++] = *own;
    }
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_text(&text, "groups:\n- name: g\n  rules:\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "  - { alert: A%zu, metric: %s, above: 0 }\n", i, all[i]->name);
    struct rule_set *set = rule_load_text("r.yml", buf_cstr(&text), text.length, all, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    for (size_t i = 0; set && i < count; i++)
        CHECK(rule_families(set)[i] == all[i]);
    CHECK(with >= 14 && count > 60);
    rule_release(set);
    free(all);
}
