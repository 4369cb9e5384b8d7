#include "exporter/series.h"

#include <stdio.h>

#include "core/compiler.h"
#include "test.h"

static const double bounds[] = { 1, 2 };
/* clang-format off */
static const struct family_1 zero = { .name = "defender_zero", .level = 0, LABELS("n") };
static const struct family_1 one = { .name = "defender_one", .level = 1, LABELS("n") };
static const struct family_1 two = { .name = "defender_two", .level = 2, LABELS("n") };
static const struct family_1 three = { .name = "defender_three", .level = 3, LABELS("n") };
static const struct family_0 slow = { .name = "defender_slow_seconds", .type = METRIC_HISTOGRAM,
                                    .buckets = bounds, .bucket_count = ARRAY_COUNT(bounds) };
/* clang-format on */
static const struct family *const known[] = { &zero.family, &one.family, &two.family, &three.family,
                                              NULL };

static struct series_rules *rules_of(struct series_config config)
{
    struct error error;
    struct series_rules *rules = series_rules_create(&config, known, &error);
    CHECK(rules != NULL);
    return rules;
}

#define TEXTS(...)                                                                                 \
    {                                                                                              \
        (const char *[]){ __VA_ARGS__ }, ARRAY_COUNT(((const char *const[]){ __VA_ARGS__ }))  \
    }

/* So many samples of each family, the higher levels first. */
static void fill(const struct series_rules *rules, int each, struct metric_set *set)
{
    static const struct family *const order[] = { &three.family, &two.family, &one.family,
                                                  &zero.family };
    series_begin(rules, set);
    for (size_t i = 0; i < ARRAY_COUNT(order); i++)
        for (int n = 0; n < each; n++) {
            char text[24];
            snprintf(text, sizeof text, "%03d", n);
            metric_add_values(set, order[i], n, METRIC_LABELS(text)->values);
        }
}

static size_t count_of(const struct metric_set *set, const struct family *family)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += set->samples[i].family == family;
    return count;
}

static size_t dropped(const struct series_report *report, const struct family *family,
                      enum series_reason reason)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->tallies[i].family == family)
            return report->tallies[i].dropped[reason];
    return 0;
}

struct outcome {
    struct series_rules *rules;
    struct metric_set set;
    struct series_report report;
};

static struct outcome apply(struct series_config config, int each)
{
    struct outcome outcome = { .rules = rules_of(config) };
    fill(outcome.rules, each, &outcome.set);
    series_apply(outcome.rules, true, &outcome.set, &outcome.report);
    return outcome;
}

static void outcome_finish(struct outcome *outcome)
{
    metric_set_finish(&outcome->set);
    series_report_finish(&outcome->report);
    series_rules_release(outcome->rules);
}

TEST(levels_two_and_three_are_opt_in)
{
    CLEANUP(outcome_finish) struct outcome plain = apply((struct series_config){ 0 }, 2);
    CHECK_INT(plain.set.count, 4);
    CLEANUP(outcome_finish)
    struct outcome opted = apply((struct series_config){ .opt_in = TEXTS("defender_t.*") }, 2);
    CHECK_INT(opted.set.count, 8);
    CLEANUP(outcome_finish)
    struct outcome part = apply((struct series_config){ .opt_in = TEXTS("defender_tw", "x") }, 2);
    CHECK_INT(part.set.count, 4); /* a pattern matches whole names */
}

TEST(lists_take_whole_names)
{
    CLEANUP(outcome_finish)
    struct outcome deny = apply((struct series_config){ .deny = TEXTS("defender_one|x") }, 3);
    CHECK_INT(count_of(&deny.set, &one.family), 0);
    CHECK_INT(count_of(&deny.set, &zero.family), 3);
    CHECK_INT(dropped(&deny.report, &one.family, SERIES_DENY), 3);
    CHECK_INT(deny.report.levels[1], 0);
    CLEANUP(outcome_finish)
    struct outcome allow = apply((struct series_config){ .allow = TEXTS("one", ".*_zero") }, 3);
    CHECK_INT(count_of(&allow.set, &one.family), 0);
    CHECK_INT(count_of(&allow.set, &zero.family), 3);
    CHECK_INT(dropped(&allow.report, &one.family, SERIES_DENY), 3);
}

TEST(limit_takes_the_highest_levels_first)
{
    CLEANUP(outcome_finish)
    struct outcome some =
        apply((struct series_config){ .opt_in = TEXTS(".*"), .max_series = 25 }, 10);
    CHECK_INT(some.set.count, 25);
    CHECK_INT(count_of(&some.set, &zero.family), 10);
    CHECK_INT(count_of(&some.set, &one.family), 10);
    CHECK_INT(count_of(&some.set, &two.family), 5);
    CHECK_INT(dropped(&some.report, &two.family, SERIES_LIMIT), 5);
    CHECK_INT(dropped(&some.report, &three.family, SERIES_LIMIT), 10);
    CHECK_INT(some.report.levels[2], 5);
    for (size_t i = 0; i < some.set.count; i++) /* what stays is the beginning, in order */
        if (some.set.samples[i].family == &two.family)
            CHECK(some.set.samples[i].value < 5);
    CLEANUP(outcome_finish)
    struct outcome all = apply((struct series_config){ .opt_in = TEXTS(".*") }, 10);
    CHECK_INT(all.set.count, 40);
}

TEST(the_smallest_limit_keeps_one_series)
{
    CLEANUP(outcome_finish)
    struct outcome one_left = apply((struct series_config){ .max_series = 1 }, 2);
    CHECK_INT(one_left.set.count, 1);
    CHECK_INT(count_of(&one_left.set, &zero.family), 1);
    CHECK_INT(dropped(&one_left.report, &zero.family, SERIES_LIMIT), 1);
    CHECK_INT(dropped(&one_left.report, &one.family, SERIES_LIMIT), 2);
    CHECK_INT(one_left.report.levels[0], 1);
    CHECK_INT(one_left.report.levels[1], 0);
}

TEST(a_histogram_counts_all_its_lines)
{
    struct series_rules *rules = rules_of((struct series_config){ .max_series = 5 });
    struct metric_store *store = metric_store_create();
    CLEANUP(metric_set_finish) struct metric_set set;
    CLEANUP(series_report_finish) struct series_report report = { 0 };
    metric_observe(store, &slow, 1, METRIC_LABELS());
    series_begin(rules, &set);
    metric_add(&set, &zero, 1, METRIC_LABELS("a"));
    metric_store_emit(store, &set);
    series_apply(rules, true, &set, &report);
    CHECK_INT(set.count, 1);
    CHECK_INT(dropped(&report, &slow.family, SERIES_LIMIT), 5);
    CHECK_INT(report.levels[0], 1);
    metric_store_destroy(store);
    series_rules_release(rules);
}

TEST(duplicates_are_counted_by_family)
{
    struct series_rules *rules = rules_of((struct series_config){ 0 });
    CLEANUP(metric_set_finish) struct metric_set set;
    CLEANUP(series_report_finish) struct series_report report = { 0 };
    series_begin(rules, &set);
    for (int i = 0; i < 4; i++) {
        metric_add(&set, &zero, i, METRIC_LABELS("same"));
        metric_add(&set, &one, i, METRIC_LABELS(i % 2 ? "a" : "b"));
    }
    series_apply(rules, true, &set, &report);
    CHECK_INT(set.count, 3);
    CHECK_INT(dropped(&report, &zero.family, SERIES_DUPLICATE), 3);
    CHECK_INT(dropped(&report, &one.family, SERIES_DUPLICATE), 2);
    series_rules_release(rules);
}

TEST(the_account_counts_itself)
{
    CLEANUP(outcome_finish)
    struct outcome domain =
        apply((struct series_config){ .deny = TEXTS("defender_one"), .max_series = 3 }, 5);
    CLEANUP(metric_set_finish) struct metric_set out = { .max_level = 1 };
    CLEANUP(series_report_finish) struct series_report own = { .levels = { 7 } };
    series_emit(&domain.report, &own, &out);
    /* one dropped by each reason, four levels */
    CHECK_INT(out.count, 6);
    CHECK_TEXT(out.samples[0].values[0], "defender_one");
    CHECK_TEXT(out.samples[0].values[1], "deny");
    CHECK_TEXT(out.samples[1].values[1], "limit");
    CHECK_NUMBER(out.samples[1].value, 2);
    CHECK_TEXT(out.samples[2].values[0], "0");
    CHECK_NUMBER(out.samples[2].value, 3 + 7 + 6);
    CHECK_NUMBER(out.samples[3].value, 0);
}

TEST(bad_patterns_are_named)
{
    struct error error;
    struct series_config config = { .deny = TEXTS("fine", "(open") };
    CHECK(!series_rules_create(&config, known, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    CHECK_CONTAINS(error.message, "metrics.denylist: \"(open\"");
}
