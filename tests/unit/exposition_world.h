#pragma once
/* One set of samples with everything a format has to write: each type, odd bytes and values, what
 * is told of counters and histograms besides. Each format has a golden file of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "core/metric.h"
#include "exporter/formats/encoding.h"
#include "test.h"

static const struct family_2 exposition_fruit = {
    .name = "defender_fruit",
    .type = METRIC_GAUGE,
    LABELS("kind", "colour"),
    .help = "Fruit, with a back\\slash, a \"quote\" and a\nline break.",
};
static const struct family_0 exposition_plain = {
    .name = "defender_plain_bytes",
    .type = METRIC_GAUGE,
    .unit = "bytes",
    .help = "One value.",
};
static const struct family_1 exposition_kinds = {
    .name = "defender_kinds_info",
    .type = METRIC_INFO,
    LABELS("id"),
    .help = "Kinds.",
};
static const struct family_1 exposition_seen = {
    .name = "defender_seen_total",
    .type = METRIC_COUNTER,
    .unit = "things", /* in which the name does not end */
    LABELS("code"),
    .help = "Seen.",
};
static const struct family_0 exposition_used = {
    .name = "defender_used_seconds_total",
    .type = METRIC_COUNTER,
    .unit = "seconds",
    .help = "Used.",
};
static const double exposition_bounds[] = { 0.25, 1, 3600, 2592000 };
static const struct family_1 exposition_delay = {
    .name = "defender_delay_seconds",
    .type = METRIC_HISTOGRAM,
    .unit = "seconds",
    LABELS("api"),
    .buckets = exposition_bounds,
    .bucket_count = ARRAY_COUNT(exposition_bounds),
    .help = "Delay.",
};

static inline void exposition_add_delay(struct metric_set *set)
{
    static const double values[] = { -3, 0.25, 1, 2, 7200, 1e7 };
    static const struct metric_exemplar exemplars[] = {
        [1] = { "finding_id", "0123456789abcdef", 1, 1763726400.25 },
        [4] = { "finding_id", "odd \xff\\\n", 1e7, 1763726401 },
    };
    uint64_t buckets[ARRAY_COUNT(exposition_bounds) + 1] = { 0 };
    struct exponential native = { 0 };
    struct metric_histogram histogram = { .buckets = buckets, .native = &native };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        buckets[metric_bucket(&exposition_delay.family, values[i])]++;
        histogram.count++;
        histogram.sum += values[i];
        exponential_add(&native, values[i], 1);
    }
    metric_add_histogram(
        set, &exposition_delay, &histogram,
        (&(const struct metric_detail){ .created_at = 1763720000.5, .exemplars = exemplars }),
        METRIC_LABELS("graph"));
    const struct metric_histogram empty = {
        .buckets = (const uint64_t[ARRAY_COUNT(exposition_bounds) + 1]){ 0 },
        .native = &(const struct exponential){ 0 },
    };
    metric_add_histogram(set, &exposition_delay, &empty, NULL, METRIC_LABELS("arm"));
}

/* metric_add takes no such value. */
static inline void exposition_make_last(struct metric_set *set, double value)
{
    set->samples[set->count - 1].value = value;
}

static inline void exposition_fill(struct metric_set *set)
{
    metric_add(set, &exposition_fruit, 0.4807, METRIC_LABELS("apple", "a \"quoted\" \\ red"));
    metric_add(set, &exposition_fruit, 1, METRIC_LABELS("x\xffy\xe2\x82", "\xc0\x80"));
    exposition_make_last(set, INFINITY);
    metric_add(set, &exposition_fruit, 1, METRIC_LABELS("line\nbreak", ""));
    exposition_make_last(set, NAN);
    metric_add(set, &exposition_fruit, -1.5, METRIC_LABELS("birne", "grün 梨 🍐"));
    metric_add(set, &exposition_plain, 1798761600, METRIC_LABELS());
    metric_add(set, &exposition_kinds, 1, METRIC_LABELS("1"));
    exposition_add_delay(set);
    metric_add_counter(set, &exposition_seen, 0,
                       (&(const struct metric_detail){ .created_at = 1763720000 }),
                       METRIC_LABELS("200"));
    metric_add_counter(
        set, &exposition_seen, 0.1,
        (&(const struct metric_detail){
            .created_at = 1763720000.125,
            .exemplars = &(const struct metric_exemplar){ "finding_id", "fedcba9876543210", 1,
                                                          1763726402 } }),
        METRIC_LABELS("500"));
    metric_add(set, &exposition_used, 1.5, METRIC_LABELS());
    metric_set_sort(set);
}

/* The row of a name, which is there. */
static inline const struct encoding *exposition_format(const char *name)
{
    size_t at = encoding_count;
    for (size_t i = 0; i < encoding_count; i++)
        if (!strcmp(encodings[i].name, name))
            at = i;
    CHECK(at < encoding_count);
    return &encodings[at];
}

/* A whole body. */
static inline void exposition_encode(const struct encoding *encoding,
                                     const struct encoding_options *options,
                                     const struct metric_set *set, struct buf *out)
{
    encoding_begin(encoding, out);
    encoding_append(encoding, options, set, true, out);
    encoding_end(encoding, out);
}

/* Append a file of the folder tests; nothing when it is not there. */
static inline void exposition_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "r");
    char chunk[4096];
    for (size_t got; file && (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(out, chunk, got);
    if (file)
        fclose(file);
}

/* What a format makes of the set is its golden file; GOLDEN_WRITE=1 writes that. */
static inline void exposition_check(const char *format, const struct encoding_options *options,
                                    const char *golden)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 }, want = { 0 }, path = { 0 };
    buf_printf(&path, "golden/exposition/%s", golden);
    exposition_fill(&set);
    exposition_encode(exposition_format(format), options, &set, &got);
    if (getenv("GOLDEN_WRITE")) {
        FILE *file = fopen(buf_cstr(&path), "w");
        CHECK(file && fwrite(got.data, 1, got.length, file) == got.length && !fclose(file));
    }
    exposition_read(buf_cstr(&path), &want);
    CHECK_INT(got.length, want.length);
    CHECK_TEXT(buf_cstr(&got), buf_cstr(&want));
}
