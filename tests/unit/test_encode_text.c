#include "exporter/encode_text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "exporter/encoding.h"
#include "test.h"

static const struct family_2 fruit = {
    .name = "defender_fruit",
    .type = METRIC_GAUGE,
    LABELS("kind", "colour"),
    .help = "Fruit, with a back\\slash and a\nline break.",
};
static const struct family_0 plain = {
    .name = "defender_plain",
    .type = METRIC_GAUGE,
    .help = "One value.",
};
static const struct family_1 kinds = {
    .name = "defender_kinds_info",
    .type = METRIC_INFO,
    LABELS("id"),
    .help = "Kinds.",
};
static const struct family_1 seen = {
    .name = "defender_seen_total",
    .type = METRIC_COUNTER,
    LABELS("code"),
    .help = "Seen.",
};
static const double bounds[] = { 0.25, 1, 3600 };
static const struct family_1 delay = {
    .name = "defender_delay_seconds",
    .type = METRIC_HISTOGRAM,
    LABELS("api"),
    .buckets = bounds,
    .bucket_count = ARRAY_COUNT(bounds),
    .help = "Delay.",
};

static void encode(const struct metric_set *set, struct buf *out)
{
    encoding_append(&encodings[encoding_count - 1], set, true, out);
}

static void add_everything(struct metric_set *set)
{
    metric_add(set, &fruit, 0.4807, METRIC_LABELS("apple", "a \"quoted\" \\ red"));
    metric_add(set, &fruit, 1, METRIC_LABELS("x\xffy\xe2\x82", "\xc0\x80"));
    set->samples[set->count - 1].value = INFINITY; /* which none adds */
    metric_add(set, &fruit, 1, METRIC_LABELS("line\nbreak", ""));
    set->samples[set->count - 1].value = NAN;
    metric_add(set, &fruit, -1.5, METRIC_LABELS("birne", "grün 梨 🍐"));
    metric_add(set, &plain, 1798761600, METRIC_LABELS());
    metric_add(set, &kinds, 1, METRIC_LABELS("1"));
    struct metric_store *store = metric_store_create();
    metric_declare(store, &seen, METRIC_LABELS("200"));
    metric_count(store, &seen, 0.1, METRIC_LABELS("500"));
    static const double values[] = { 0.25, 1, 2, 7200 };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        metric_observe(store, &delay, values[i], METRIC_LABELS("graph"));
    metric_store_emit(store, set);
    metric_store_destroy(store);
    metric_set_sort(set);
}

static void read_golden(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    char chunk[4096];
    for (size_t got; file && (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(out, chunk, got);
    if (file)
        fclose(file);
}

TEST(text_equals_the_golden_file_in_every_locale)
{
    CLEANUP(buf_finish) struct buf want = { 0 };
    read_golden("golden/encode_text.txt", &want);
    static const char *const locales[] = { "C", "de_DE.UTF-8" };
    for (size_t i = 0; i < ARRAY_COUNT(locales); i++) {
        if (!setlocale(LC_ALL, locales[i]))
            printf("skipped: locale %s is not installed\n", locales[i]);
        CLEANUP(metric_set_finish) struct metric_set set = { 0 };
        CLEANUP(buf_finish) struct buf got = { 0 };
        add_everything(&set);
        encode(&set, &got);
        CHECK_TEXT(buf_cstr(&got), buf_cstr(&want));
    }
    setlocale(LC_ALL, "C");
}

TEST(empty_set_is_empty_text)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    encode(&set, &got);
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
        metric_add(&set, &kinds, 1, METRIC_LABELS(cases[i].value));
        encode(&set, &got);
        buf_printf(&want, "\ndefender_kinds_info{id=\"%s\"} 1\n", cases[i].want);
        CHECK_CONTAINS(buf_cstr(&got), buf_cstr(&want));
    }
}
