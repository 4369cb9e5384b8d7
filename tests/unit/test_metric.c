#include "core/metric.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "test.h"

static const struct family_2 fruit = {
    .name = "fruit",
    .type = METRIC_GAUGE,
    .level = 0,
    LABELS("kind", "colour"),
};
static const struct family_0 plain = { .name = "plain", .type = METRIC_GAUGE, .level = 1 };
static const struct family_0 rare = { .name = "rare", .type = METRIC_GAUGE, .level = 3 };
static const struct family_1 seen = {
    .name = "seen_total",
    .type = METRIC_COUNTER,
    LABELS("code"),
};
static const double bounds[] = { 0.1, 1, 10 };
static const struct family_1 delay = {
    .name = "delay_seconds",
    .type = METRIC_HISTOGRAM,
    LABELS("api"),
    .buckets = bounds,
    .bucket_count = 3,
};

TEST(set_sorts_by_first_appearance_then_values)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    metric_add(&set, &plain, 1, METRIC_LABELS());
    metric_add(&set, &fruit, 2, METRIC_LABELS("pear", "green"));
    metric_add(&set, &seen, 3, METRIC_LABELS("200"));
    metric_add(&set, &fruit, 4, METRIC_LABELS("apple", "red"));
    metric_add(&set, &fruit, 5, METRIC_LABELS("apple", "green"));
    metric_set_sort(&set);
    static const double want[] = { 1, 5, 4, 2, 3 };
    CHECK_INT(set.count, ARRAY_COUNT(want));
    for (size_t i = 0; i < ARRAY_COUNT(want); i++)
        CHECK_NUMBER(set.samples[i].value, want[i]);
}

TEST(set_merges_equal_label_sets_and_keeps_the_first)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    for (int i = 0; i < 300; i++)
        metric_add(&set, &fruit, i, METRIC_LABELS(i % 2 ? "apple" : "pear", "red"));
    metric_set_sort(&set);
    CHECK_INT(set.count, 2);
    CHECK_INT(set.duplicates, 298);
    CHECK_TEXT(set.samples[0].values[0], "apple");
    CHECK_NUMBER(set.samples[0].value, 1);
    CHECK_NUMBER(set.samples[1].value, 0);
}

TEST(set_copies_values_and_names_the_missing)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    char kind[24];
    for (int i = 0; i < 3; i++) {
        snprintf(kind, sizeof kind, "kind %d", i / 2);
        metric_add(&set, &fruit, i, METRIC_LABELS(kind, i ? "" : NULL));
    }
    CHECK_TEXT(set.samples[0].values[0], "kind 0");
    CHECK_TEXT(set.samples[1].values[0], "kind 0");
    CHECK_TEXT(set.samples[2].values[0], "kind 1");
    CHECK_TEXT(set.samples[0].values[1], "unknown");
    CHECK_TEXT(set.samples[2].values[1], "unknown");
}

TEST(set_ignores_families_above_its_level_unless_opted)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 0 };
    metric_add(&set, &plain, 1, METRIC_LABELS());
    metric_add(&set, &rare, 1, METRIC_LABELS());
    CHECK_INT(set.count, 0);
    set.opted = (const struct family *const[]){ &rare.family, NULL };
    CHECK(!metric_wanted(&set, &plain.family));
    CHECK(metric_wanted(&set, &rare.family));
    metric_add(&set, &rare, 7, METRIC_LABELS());
    CHECK_INT(set.count, 1);
}

TEST(empty_set_sorts)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    metric_set_sort(&set);
    CHECK_INT(set.count, 0);
}

TEST(store_counts_puts_and_reads)
{
    struct metric_store *store = metric_store_create();
    metric_declare(store, &seen, METRIC_LABELS("500"));
    metric_count(store, &seen, 2, METRIC_LABELS("200"));
    metric_count(store, &seen, 1.5, METRIC_LABELS("200"));
    metric_declare(store, &seen, METRIC_LABELS("200"));
    metric_put(store, &plain, 4, METRIC_LABELS());
    metric_put(store, &plain, 3, METRIC_LABELS());
    CHECK_NUMBER(metric_read(store, &seen, METRIC_LABELS("200")), 3.5);
    CHECK_NUMBER(metric_read(store, &seen, METRIC_LABELS("500")), 0);
    CHECK_NUMBER(metric_read(store, &seen, METRIC_LABELS("404")), 0);
    CHECK_NUMBER(metric_read(store, &plain, METRIC_LABELS()), 3);

    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    metric_store_emit(store, &set);
    CHECK_INT(set.count, 3);
    CHECK(set.samples[0].family == &plain.family);
    CHECK_TEXT(set.samples[1].values[0], "200");
    CHECK_TEXT(set.samples[2].values[0], "500");
    metric_store_destroy(store);
}

TEST(store_keeps_what_has_a_value)
{
    static const struct family_2 calls = { .name = "calls_total",
                                           .type = METRIC_COUNTER,
                                           LABELS("api", "tenant_id") };
    static const struct family_1 others = { .name = "others_total",
                                            .type = METRIC_COUNTER,
                                            LABELS("tenant_id") };
    static const char *const wanted[] = { "a", "c", NULL };
    struct metric_store *store = metric_store_create();
    for (int i = 0; i < 4; i++) {
        const char tenant[] = { "abcd"[i], 0 };
        metric_count(store, &calls, 1, METRIC_LABELS("list", tenant));
        metric_count(store, &others, 1, METRIC_LABELS(tenant));
    }
    metric_keep(store, &calls.family, "tenant_id", wanted);
    for (int i = 0; i < 4; i++) {
        const char tenant[] = { "abcd"[i], 0 };
        CHECK_NUMBER(metric_read(store, &calls, METRIC_LABELS("list", tenant)), !(i % 2));
        CHECK_NUMBER(metric_read(store, &others, METRIC_LABELS(tenant)), 1);
    }
    metric_store_destroy(store);
}

TEST(store_order_does_not_depend_on_who_came_first)
{
    for (int turn = 0; turn < 2; turn++) {
        struct metric_store *store = metric_store_create();
        if (turn)
            metric_put(store, &seen, 1, METRIC_LABELS("a"));
        metric_put(store, &plain, 1, METRIC_LABELS());
        if (!turn)
            metric_put(store, &seen, 1, METRIC_LABELS("a"));
        CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
        metric_store_emit(store, &set);
        CHECK(set.samples[0].family == &plain.family);
        metric_store_destroy(store);
    }
}

TEST(store_observes_into_buckets_with_inclusive_bounds)
{
    struct metric_store *store = metric_store_create();
    static const double values[] = { 0.05, 0.1, 0.5, 10, 11 };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        metric_observe(store, &delay, values[i], METRIC_LABELS("graph"));
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    metric_store_emit(store, &set);
    CHECK_INT(set.count, 1);
    const struct metric_histogram *histogram = set.samples[0].histogram;
    static const int want[] = { 2, 1, 1, 1 };
    for (size_t i = 0; i < ARRAY_COUNT(want); i++)
        CHECK_INT(histogram->buckets[i], want[i]);
    CHECK_INT(histogram->count, 5);
    CHECK_NUMBER(histogram->sum, 21.65);
    CHECK_NUMBER(metric_read(store, &delay, METRIC_LABELS("graph")), 5);
    metric_store_destroy(store);
}

TEST(store_observes_into_exponential_buckets_too)
{
    struct metric_store *store = metric_store_create();
    static const double values[] = { 0, 0.5, 1, 1, INFINITY, NAN };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        metric_observe(store, &delay, values[i], METRIC_LABELS("graph"));
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    metric_store_emit(store, &set);
    metric_store_destroy(store); /* the set has its own */
    const struct metric_histogram *histogram = set.samples[0].histogram;
    CLEANUP(buf_finish) struct buf text = { 0 };
    exponential_write(histogram->native, &text);
    CHECK_TEXT(buf_cstr(&text), "3 1 -8 1 0 0 0 0 0 0 0 2");
    CHECK_INT(histogram->count, 4); /* what is no number was not observed */
    CHECK_NUMBER(histogram->sum, 2.5);
}

TEST(store_says_since_when_it_counts)
{
    double before = (double)clock_now_ms() / 1000;
    struct metric_store *store = metric_store_create();
    metric_put(store, &plain, 1, METRIC_LABELS());
    metric_declare(store, &seen, METRIC_LABELS("200"));
    metric_observe(store, &delay, 1, METRIC_LABELS("graph"));
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    metric_store_emit(store, &set);
    CHECK_INT(set.count, 3); /* delay, plain, seen */
    CHECK(set.samples[0].detail->created_at >= before);
    CHECK(!set.samples[1].detail);
    CHECK(set.samples[2].detail->created_at >= before);
    CHECK(set.samples[2].detail->created_at <= (double)clock_now_ms() / 1000);
    metric_store_destroy(store);
}

TEST(set_copies_exemplars)
{
    char text[] = "0123456789abcdef";
    const struct metric_exemplar one = { "finding_id", text, 1, 1700000000.5 };
    const struct metric_exemplar four[] = { { 0 }, one, { 0 }, one };
    const struct metric_detail of_counter = { 1600000000, &one };
    const struct metric_detail of_histogram = { 0, four };
    const struct metric_histogram histogram = { 3, 2, (const uint64_t[]){ 0, 1, 0, 1 }, NULL };
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    metric_add_counter(&set, &seen, 5, &of_counter, METRIC_LABELS("200"));
    metric_add_counter(&set, &seen, NAN, &of_counter, METRIC_LABELS("201"));
    metric_add_histogram(&set, &delay, &histogram, &of_histogram, METRIC_LABELS("graph"));
    memset(text, 'x', strlen(text));
    metric_set_sort(&set);
    CHECK_INT(set.count, 2);
    CHECK_NUMBER(set.samples[0].value, 5);
    CHECK_NUMBER(set.samples[0].detail->created_at, 1600000000);
    CHECK_TEXT(set.samples[0].detail->exemplars->text, "0123456789abcdef");
    CHECK_NUMBER(set.samples[0].detail->exemplars->at, 1700000000.5);
    const struct metric_exemplar *copies = set.samples[1].detail->exemplars;
    CHECK(!copies[0].text && !copies[2].text);
    CHECK_TEXT(copies[1].text, "0123456789abcdef");
    CHECK_TEXT(copies[3].label, "finding_id");
    CHECK(!set.samples[1].histogram->native);
}

TEST(store_clears_one_family)
{
    struct metric_store *store = metric_store_create();
    metric_put(store, &fruit, 1, METRIC_LABELS("a", "b"));
    metric_put(store, &fruit, 1, METRIC_LABELS("c", "d"));
    metric_put(store, &plain, 1, METRIC_LABELS());
    metric_clear(store, &fruit.family);
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    metric_store_emit(store, &set);
    CHECK_INT(set.count, 1);
    metric_store_destroy(store);
}

static void *count_a_lot(void *store)
{
    for (int i = 0; i < 10000; i++)
        metric_count(store, &seen, 1, METRIC_LABELS(i % 2 ? "a" : "b"));
    return NULL;
}

TEST(store_counts_from_many_threads)
{
    struct metric_store *store = metric_store_create();
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        CHECK(!pthread_create(&threads[i], NULL, count_a_lot, store));
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    CHECK_NUMBER(metric_read(store, &seen, METRIC_LABELS("a")), 20000);
    metric_store_destroy(store);
}
