/* Rules that wait for a risk level, and what is said where Azure tells none. */
#include "alerts/rules/rule_risk.h"
#include "alerts_world.h"

static const char *waiting(const char *rules)
{
    static struct buf out;
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "groups:\n- name: g\n  rules:\n%s", rules);
    struct rule_set *set =
        rule_load_text("test", buf_cstr(&text), text.length, scene_families(), &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    buf_reset(&out);
    if (set)
        rule_risk_waiting(set, &out);
    rule_release(set);
    return buf_cstr(&out);
}

TEST(rules_that_wait_for_a_risk_level_are_known)
{
    static const struct {
        const char *rule;
        bool waits;
    } cases[] = {
        { "event: finding.opened, match: 'risk_level=\"critical\"'", true },
        { "event: finding.overdue, match: 'risk_level=~\"critical|high\"'", true },
        { "event: finding.risk_changed, match: 'risk_level!=\"not_evaluated\"'", true },
        { "event: finding.opened, match: 'risk_level!=\"low\"'", false },
        { "event: finding.opened, match: 'risk_level=~\"critical|not_evaluated\"'", false },
        { "event: finding.opened", false },
        { "event: finding.opened, match: ['risk_level=\"critical\"', 'source=\"baselines\"']",
          false },
        { "event: finding.opened, match: ['risk_level=\"critical\"', 'source=\"assessments\"']",
          true },
        { "event: baseline.rule_regressed, match: 'risk_level=\"critical\"'", false },
        { "event: finding.exempted, match: 'risk_level=\"critical\"'", false },
        { "metric: defender_findings, match: 'risk_level=\"critical\"', above: 0", true },
        { "metric: defender_findings_overdue, match: 'risk_level=\"critical\"', above: 0", true },
        { "metric: defender_findings, match: 'risk_level=\"critical\"', below: 1", false },
        { "metric: defender_findings, above: 0", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char rule[256];
        snprintf(rule, sizeof rule, "  - { alert: A%zu, %s }\n", i, cases[i].rule);
        char name[16];
        snprintf(name, sizeof name, "A%zu", i);
        CHECK_TEXT(waiting(rule), cases[i].waits ? name : "");
    }
    CLEANUP(buf_finish) struct buf many = { 0 };
    for (int i = 0; i < 8; i++)
        buf_printf(&many, "  - { alert: B%d, event: finding.opened, match: 'risk_level=high' }\n",
                   i);
    CHECK_TEXT(waiting(buf_cstr(&many)), "B0, B1, B2, B3, B4 and 3 more");
}

/* A collection of so many unrated findings, and of some that are rated. */
static const char *collect(struct scene *scene, int unrated, int rated)
{
    struct part *part = world_part(A, BOTH);
    for (int i = 0; i < unrated + rated; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%02d", i);
        world_open(part, name, "key", "s1", i < unrated ? RISK_NOT_EVALUATED : RISK_LOW);
    }
    scene->world.now += 60;
    world_publish(&scene->world, part);
    return scene_run(scene);
}

#define CRITICAL                                                                                   \
    "groups:\n- name: g\n  rules:\n"                                                               \
    "  - { alert: Critical, event: finding.opened, match: 'risk_level=\"critical\"' }\n"

TEST(risk_that_nobody_tells_is_an_alert_of_its_own)
{
    struct scene scene;
    scene_init(&scene, "missing", SCENE_ALONE, CRITICAL);
    scene_begin(&scene);
    CHECK_TEXT(collect(&scene, 9, 0), ""); /* may be chance */
    CHECK_CONTAINS(collect(&scene, 12, 0), "team risk.missing firing: risk.missing@");
    CHECK_TEXT(collect(&scene, 13, 0), ""); /* once */
    scene_close(&scene);
    scene_open(&scene);
    CHECK_TEXT(collect(&scene, 14, 0), "");
    CHECK_TEXT(collect(&scene, 3, 0), ""); /* few are no proof that it is over */
    CHECK_CONTAINS(collect(&scene, 12, 1), "team risk.recovered resolved: risk.recovered@");
    CHECK_TEXT(collect(&scene, 12, 1), "");
    scene_finish(&scene);
}

TEST(risk_that_no_rule_waits_for_may_be_missing)
{
    struct scene scene;
    scene_init(&scene, "nobody", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Low, event: finding.opened, match: 'risk_level!=\"low\"',"
               " min_age: 10h }\n");
    scene_begin(&scene);
    CHECK_TEXT(collect(&scene, 40, 0), "");
    scene_finish(&scene);
}
