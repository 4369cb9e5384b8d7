/* Rules over metrics: a set in, signals out. */
#include "alerts/rules/threshold.h"

#include <math.h>
#include <stdio.h>

#include "tests/unit/test.h"

static const struct family_2 ratio = { .name = "defender_secure_score_ratio",
                                       .type = METRIC_GAUGE,
                                       .unit = "ratio",
                                       LABELS("subscription_id", "initiative") };
static const struct family_2 findings = { .name = "defender_findings",
                                          .type = METRIC_GAUGE,
                                          LABELS("subscription_id", "risk_level") };
static const struct family_1 oldest = { .name = "defender_finding_oldest_timestamp_seconds",
                                        .type = METRIC_GAUGE,
                                        .unit = "seconds",
                                        LABELS("subscription_id") };
static const double bounds[] = { 1, 2 };
static const struct family_1 delays = { .name = "defender_delay_seconds",
                                        .type = METRIC_HISTOGRAM,
                                        LABELS("collector"),
                                        .buckets = bounds,
                                        .bucket_count = 2 };
static const struct family *const families[] = { &ratio.family, &findings.family, &oldest.family,
                                                 &delays.family, NULL };

static struct metric_set make_set(void)
{
    static const uint64_t buckets[] = { 1, 2, 4 };
    const struct metric_histogram histogram = { 9, 7, buckets };
    struct metric_set set = { .max_level = 3 };
    metric_add(&set, &ratio, 0.5, METRIC_LABELS("s1", "asc"));
    metric_add(&set, &ratio, 0.9, METRIC_LABELS("s1", "other"));
    metric_add(&set, &ratio, 1, METRIC_LABELS("s2", "asc"));
    set.samples[set.count - 1].value = NAN; /* which none adds */
    metric_add(&set, &findings, 3, METRIC_LABELS("s1", "critical"));
    metric_add(&set, &findings, 4, METRIC_LABELS("s2", "critical"));
    metric_add(&set, &findings, 10, METRIC_LABELS("s1", "high"));
    metric_add(&set, &oldest, 1000, METRIC_LABELS("s1"));
    metric_add(&set, &oldest, 3000, METRIC_LABELS("s2"));
    metric_add_histogram(&set, &delays, &histogram, NULL, METRIC_LABELS("assessments"));
    metric_set_sort(&set);
    return set;
}

static struct rule_set *load(const char *body)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "groups: [{ name: g, rules: [{ alert: A, %s }] }]\n", body);
    struct rule_set *set = rule_load_text("r.yml", buf_cstr(&text), text.length, families, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    return set;
}

static bool print(void *context, const struct threshold_signal *signal, struct error *error)
{
    static const char *const words[] = { "clear", "hold", "active", "unknown" };
    struct buf *out = context;
    (void)error;
    for (int i = 0; signal->rule->family->labels[i]; i++)
        buf_printf(out, "%s ", signal->values[i] ? signal->values[i] : "-");
    buf_printf(out, "%g/%g %s\n", signal->value, signal->value_before, words[signal->signal]);
    return true;
}

static void expect(const char *body, const char *wanted)
{
    CLEANUP(metric_set_finish) struct metric_set set = make_set();
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    struct threshold *threshold = threshold_create();
    struct rule_set *rules = load(body);
    buf_text(&out, "");
    if (rules)
        CHECK(
            threshold_evaluate(threshold, rule_find(rules, "A"), &set, 1000, print, &out, &error));
    test_check_text(buf_cstr(&out), wanted, __FILE__, __LINE__, body);
    rule_release(rules);
    threshold_destroy(threshold);
}

TEST(threshold_compares_gathers_and_holds)
{
    expect("metric: defender_findings, above: 3",
           "s1 critical 3/3 clear\ns1 high 10/10 active\ns2 critical 4/4 active\n");
    expect("metric: defender_findings, by: [risk_level], above: 7, clear: 5",
           "- critical 7/7 hold\n- high 10/10 active\n");
    expect("metric: defender_findings, by: [], above: 16", "- - 17/17 active\n");
    expect("metric: defender_findings, by: [subscription_id], below: 5",
           "s1 - 13/13 clear\ns2 - 4/4 active\n");
    /* at the bound neither is beyond it, and at `clear` it is over */
    expect("metric: defender_findings, match: 'risk_level=\"critical\"', above: 3, clear: 3",
           "s1 critical 3/3 clear\ns2 critical 4/4 active\n");
    expect("metric: defender_findings, match: 'risk_level=\"critical\"', below: 4",
           "s1 critical 3/3 active\ns2 critical 4/4 clear\n");
    expect("metric: defender_findings, match: 'risk_level=\"critical\"', below: 2, clear: 4",
           "s1 critical 3/3 hold\ns2 critical 4/4 clear\n");
    expect("metric: defender_findings, match: 'risk_level=\"high\"', above: 0",
           "s1 high 10/10 active\n");
    expect("metric: defender_findings, match: 'subscription_id=~\"s[12]\"', by: [], above: 0",
           "- - 17/17 active\n");
    expect(
        "metric: defender_secure_score_ratio, match: 'subscription_id=\"s1\"', by: [], below: 0.6",
        "- - 0.7/0.7 clear\n");
    expect("metric: defender_secure_score_ratio, match: 'initiative=\"asc\"', below: 0.6",
           "s1 asc 0.5/0.5 active\ns2 asc nan/nan unknown\n");
    expect("metric: defender_finding_oldest_timestamp_seconds, by: [], above: 2999",
           "- 3000/3000 active\n");
    expect("metric: defender_delay_seconds, above: 6", "assessments 7/7 active\n");
    expect("metric: defender_findings, match: 'risk_level=\"low\"', absent: true",
           "- - 0/0 active\n");
    expect("metric: defender_findings, match: 'risk_level=\"high\"', absent: true",
           "- - 1/1 clear\n");
    expect("metric: defender_findings, match: 'risk_level=\"low\"', above: 0", "");
}

/* One value at one time, for a rule that looks for a drop of 10 within an hour. */
static void at(struct threshold *threshold, const struct rule *rule, int64_t now, double value,
               const char *wanted)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct metric_set set = { .max_level = 3 };
    struct error error;
    metric_add(&set, &oldest, value, METRIC_LABELS("s1"));
    metric_set_sort(&set);
    CHECK(threshold_evaluate(threshold, rule, &set, now, print, &out, &error));
    CHECK_TEXT(buf_cstr(&out), wanted);
    metric_set_finish(&set);
}

TEST(threshold_remembers_the_highest_value_within)
{
    struct threshold *threshold = threshold_create();
    struct rule_set *rules = load("metric: defender_finding_oldest_timestamp_seconds, drop: 10, "
                                  "clear: 5, within: 1h");
    const struct rule *rule = rule_find(rules, "A");
    at(threshold, rule, 10000, 50, "s1 50/50 hold\n"); /* it may have been higher before */
    at(threshold, rule, 10900, 60, "s1 60/60 hold\n");
    at(threshold, rule, 11800, 55, "s1 55/60 hold\n");
    at(threshold, rule, 12700, 50, "s1 50/60 active\n");
    at(threshold, rule, 13600, 53, "s1 53/60 hold\n");
    at(threshold, rule, 14400, 56, "s1 56/60 clear\n");
    at(threshold, rule, 14501, 46, "s1 46/56 active\n"); /* the 60 is older than an hour */
    at(threshold, rule, 14000, 46, "s1 46/56 active\n"); /* the clock stepped back */
    at(threshold, rule, 18300, 46, "s1 46/46 clear\n");
    rule_release(rules);
    threshold_destroy(threshold);
}

TEST(threshold_counts_both_ends_of_the_window)
{
    struct threshold *threshold = threshold_create();
    struct rule_set *rules = load("metric: defender_finding_oldest_timestamp_seconds, drop: 10, "
                                  "clear: 5, within: 1h");
    const struct rule *rule = rule_find(rules, "A");
    at(threshold, rule, 10000, 60, "s1 60/60 hold\n");
    at(threshold, rule, 13599, 57, "s1 57/60 hold\n");  /* not yet watched for an hour */
    at(threshold, rule, 13600, 57, "s1 57/60 clear\n"); /* the 60 is an hour old and counts */
    at(threshold, rule, 13601, 57, "s1 57/57 clear\n");
    at(threshold, rule, 14000, 52, "s1 52/57 hold\n");   /* as far as `clear` is not over */
    at(threshold, rule, 14300, 47, "s1 47/57 active\n"); /* as far as the bound is a drop */
    rule_release(rules);
    threshold_destroy(threshold);
}

TEST(threshold_bounds_its_memory)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct threshold *threshold = threshold_create();
    struct rule_set *rules = load("metric: defender_finding_oldest_timestamp_seconds, drop: 10, "
                                  "within: 24h");
    for (int round = 0; round < 3; round++) {
        struct metric_set set = { .max_level = 3 };
        struct error error;
        for (int i = 0; i < 9000; i++) {
            char name[32];
            snprintf(name, sizeof name, "s%d-%d", round, i);
            metric_add(&set, &oldest, i, METRIC_LABELS(name));
        }
        metric_set_sort(&set);
        buf_reset(&out);
        CHECK(threshold_evaluate(threshold, rule_find(rules, "A"), &set, 1000 + round, print, &out,
                                 &error));
        CHECK_CONTAINS(buf_cstr(&out), "-8999 8999/8999 hold\n");
        metric_set_finish(&set);
    }
    rule_release(rules);
    threshold_destroy(threshold);
}

TEST(an_alert_has_the_value_of_now)
{
    static const struct {
        const char *body, *label, *value;
        double wanted;
        bool found;
    } cases[] = {
        { "metric: defender_findings, above: 5, by: [subscription_id]", "subscription_id", "s1", 13,
          true },
        { "metric: defender_findings, above: 5, match: ['risk_level=\"high\"'], by: [risk_level]",
          "risk_level", "high", 10, true },
        { "metric: defender_findings, above: 5, by: []", "team", "any", 17, true },
        { "metric: defender_findings, above: 5, by: [subscription_id]", "subscription_id", "s9", 0,
          false },
        { "metric: defender_secure_score_ratio, below: 0.6, by: [subscription_id]",
          "subscription_id", "s1", 0.7, true },
        { "metric: defender_secure_score_ratio, below: 0.6, by: [subscription_id]",
          "subscription_id", "s2", 0, false }, /* no number */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(metric_set_finish) struct metric_set set = make_set();
        struct rule_set *rules = load(cases[i].body);
        struct alert alert = { .rule = "A" };
        double value = 0;
        alert_label(&alert, cases[i].label, cases[i].value);
        CHECK_INT(threshold_value(rule_find(rules, "A"), &set, &alert, &value), cases[i].found);
        CHECK_NUMBER(value, cases[i].wanted);
        rule_release(rules);
    }
}
