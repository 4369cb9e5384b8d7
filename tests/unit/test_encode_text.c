#include "exporter/formats/encode_text.h"

#include <locale.h>

#include "exposition_world.h"

static const struct encoding_options options;

TEST(text_equals_the_golden_file_in_every_locale)
{
    static const char *const locales[] = { "C", "de_DE.UTF-8" };
    for (size_t i = 0; i < ARRAY_COUNT(locales); i++) {
        if (!setlocale(LC_ALL, locales[i]))
            printf("skipped: locale %s is not installed\n", locales[i]);
        exposition_check("text 0.0.4", &options, "text.txt");
    }
    setlocale(LC_ALL, "C");
}

/* Our names need no quotes, in which alone the two differ. */
TEST(text_1_0_0_is_the_same_text)
{
    exposition_check("text 1.0.0", &options, "text.txt");
}

TEST(empty_set_is_empty_text)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    exposition_encode(exposition_format("text 0.0.4"), &options, &set, &got);
    CHECK_INT(got.length, 0);
}

/* Each is one label value and what must stand between the quotes. */
TEST(label_values_are_escaped_and_valid)
{
    static const struct {
        const char *value, *want;
    } cases[] = {
        { "a\\b", "a\\\\b" },
        { "\"", "\\\"" },
        { "\r\t", "\r\t" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
        { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf0\x9f\x8d\x90", "\xf0\x9f\x8d\x90" },
        { "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" }, /* cut in the middle */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(metric_set_finish) struct metric_set set = { 0 };
        CLEANUP(buf_finish) struct buf got = { 0 }, want = { 0 };
        metric_add(&set, &exposition_kinds, 1, METRIC_LABELS(cases[i].value));
        exposition_encode(exposition_format("text 0.0.4"), &options, &set, &got);
        buf_printf(&want, "\ndefender_kinds_info{id=\"%s\"} 1\n", cases[i].want);
        CHECK_CONTAINS(buf_cstr(&got), buf_cstr(&want));
    }
}

/* As Prometheus writes them that reads numbers: a series is the same in every format.
 * source: Go's strconv, FormatFloat with 'g' and -1. */
TEST(bounds_of_buckets_are_labels_as_prometheus_makes_them)
{
    static const struct {
        double bound;
        const char *want;
    } cases[] = {
        { -1e6, "-1e+06" },   { -0.5, "-0.5" },          { 0, "0.0" },
        { 0.00005, "5e-05" }, { 0.0001, "0.0001" },      { 0.1, "0.1" },
        { 1, "1.0" },         { 86400, "86400.0" },      { 999999.5, "999999.5" },
        { 1e6, "1e+06" },     { 1209600, "1.2096e+06" }, { 1234567.125, "1.234567125e+06" },
        { 1e21, "1e+21" },    { 1e100, "1e+100" },
    };
    static const char *const locales[] = { "C", "de_DE.UTF-8" };
    for (size_t i = 0; i < ARRAY_COUNT(cases) * ARRAY_COUNT(locales); i++) {
        struct family_0 family = { .name = "x", .type = METRIC_HISTOGRAM, .help = "" };
        CLEANUP(metric_set_finish) struct metric_set set = { 0 };
        CLEANUP(buf_finish) struct buf got = { 0 }, want = { 0 };
        family.buckets = &cases[i / 2].bound;
        family.bucket_count = 1;
        setlocale(LC_ALL, locales[i % 2]);
        const struct metric_histogram histogram = { .buckets = (const uint64_t[]){ 0, 0 } };
        metric_add_histogram(&set, &family, &histogram, NULL, METRIC_LABELS());
        exposition_encode(exposition_format("text 0.0.4"), &options, &set, &got);
        buf_printf(&want, "\nx_bucket{le=\"%s\"} 0\n", cases[i / 2].want);
        CHECK_CONTAINS(buf_cstr(&got), buf_cstr(&want));
    }
    setlocale(LC_ALL, "C");
}
