/* exponential: buckets of powers of two, merged when there are too many. */
#include "core/exponential.h"

#include <float.h>
#include <math.h>

#include "core/compiler.h"
#include "test.h"

static const char *text_of(const struct exponential *histogram)
{
    static struct buf text;
    buf_reset(&text);
    exponential_write(histogram, &text);
    return buf_cstr(&text);
}

/* The upper bound of a bucket, by the definition. */
static double bound_of(const struct exponential *histogram, size_t i)
{
    double index = histogram->first + (double)i;
    return exp2(index * exp2(-exponential_schema(histogram)));
}

TEST(a_value_is_in_the_bucket_up_to_its_bound)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 1, "3 0 0 1" },
        { 1.0000001, "3 0 1 1" },
        { 1.0905, "3 0 1 1" },
        { 1.0906, "3 0 2 1" },
        { 2, "3 0 8 1" },
        { 2.0000001, "3 0 9 1" },
        { 0.5, "3 0 -8 1" },
        { 0.4999999, "3 0 -8 1" },
        { 0.45, "3 0 -9 1" },
        { 3600, "3 0 95 1" },
        { DBL_MAX, "3 0 8192 1" },
        { DBL_MIN, "3 1 0" },
        { 0, "3 1 0" },
        { -5, "3 1 0" },
        { 0x1p-128, "3 1 0" },
        { 0x1.1p-128, "3 0 -1023 1" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct exponential histogram = { 0 };
        exponential_add(&histogram, cases[i].value, 1);
        CHECK_TEXT(text_of(&histogram), cases[i].text);
    }
}

TEST(buckets_grow_to_both_sides)
{
    struct exponential histogram = { 0 };
    exponential_add(&histogram, 4, 2);
    exponential_add(&histogram, 2, 1);
    exponential_add(&histogram, 4.5, 3);
    exponential_add(&histogram, 3, 0);
    CHECK_TEXT(text_of(&histogram), "3 0 8 1 0 0 0 0 0 0 0 2 0 3");
    CHECK_INT(exponential_total(&histogram), 6);
}

TEST(too_many_buckets_are_merged_two_and_two)
{
    struct exponential histogram = { 0 };
    exponential_add(&histogram, 1, 1);
    exponential_add(&histogram, exp2(158.9 / 8), 1);
    CHECK_INT(exponential_schema(&histogram), 3);
    CHECK_INT(histogram.count, EXPONENTIAL_BUCKETS);
    exponential_add(&histogram, exp2(160.0 / 8), 5);
    CHECK_INT(exponential_schema(&histogram), 2);
    CHECK_INT(histogram.first, 0);
    CHECK_INT(histogram.count, 81);
    CHECK_INT(histogram.counts[0], 1);
    CHECK_INT(histogram.counts[80], 6); /* 159 and 160 */
    exponential_add(&histogram, 1e-30, 1);
    CHECK_INT(exponential_schema(&histogram), 0);
    CHECK_INT(exponential_total(&histogram), 8);
}

/* Merged or not, each value is in the bucket whose bounds are around it. */
TEST(merging_moves_no_value_out_of_its_bounds)
{
    for (int turn = 0; turn < 2; turn++) {
        struct exponential histogram = { 0 };
        double values[200];
        for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
            size_t step = turn ? i : ARRAY_COUNT(values) - 1 - i;
            values[i] = exp2((double)step * 1.17 - 117);
            exponential_add(&histogram, values[i], 1);
        }
        uint64_t want[EXPONENTIAL_BUCKETS] = { 0 };
        for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
            size_t bucket = 0;
            while (bound_of(&histogram, bucket) < values[i] * (1 - 1e-12))
                bucket++;
            want[bucket]++;
        }
        CHECK_INT(exponential_schema(&histogram), -1);
        for (size_t i = 0; i < histogram.count; i++)
            CHECK_INT(histogram.counts[i], want[i]);
    }
}

TEST(all_numbers_there_are_fit)
{
    struct exponential histogram = { 0 };
    exponential_add(&histogram, DBL_MAX, 1);
    exponential_add(&histogram, 0x1.1p-128, 1);
    CHECK_INT(exponential_total(&histogram), 2);
    CHECK(histogram.count <= EXPONENTIAL_BUCKETS);
}

TEST(a_text_is_read_back)
{
    struct exponential histogram = { 0 }, again;
    for (int i = 0; i < 60; i++)
        exponential_add(&histogram, exp2(i - 30), (uint64_t)i);
    exponential_add(&histogram, 0, 7);
    CHECK(exponential_read(text_of(&histogram), &again));
    CHECK(!memcmp(&histogram, &again, sizeof again));
    static const char *const bad[] = { "",          "x",          "3",
                                       "3 1",       "4 0 0",      "-5 0 0",
                                       "3 0 99999", "3 0 0 1 x",  "3 0 -99999 1",
                                       "-4 0 65",   "-4 0 -65 1", "3 0 8192 1 1" };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        CHECK(!exponential_read(bad[i], &again));
        CHECK_INT(exponential_total(&again), 0);
    }
    CLEANUP(buf_finish) struct buf many = { 0 };
    buf_text(&many, "3 0 0");
    for (int i = 0; i <= EXPONENTIAL_BUCKETS; i++)
        buf_text(&many, " 1");
    CHECK(!exponential_read(buf_cstr(&many), &again));
}
