#include "core/exponential.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The least schema there is: with it, all numbers fit into the buckets. */
enum { SCHEMA_MIN = -4, INDEX_MAX = 1024 * 8 };

int exponential_schema(const struct exponential *histogram)
{
    return EXPONENTIAL_SCHEMA - histogram->merged;
}

/* The bucket of a positive value while nothing is merged. */
static int32_t index_of(double value)
{
    /* 2^(i/8) / 2: what frexp gives for the bounds between two powers of two */
    static const double bounds[] = {
        0.5,
        0.5452538663326288,
        0.5946035575013605,
        0.6484197773255048,
        0.7071067811865475,
        0.7711054127039704,
        0.8408964152537144,
        0.9170040432046711,
    };
    int exponent;
    double fraction = frexp(value, &exponent);
    int32_t i = 0;
    while (i < (int32_t)ARRAY_COUNT(bounds) && bounds[i] < fraction)
        i++;
    return (exponent - 1) * (int32_t)ARRAY_COUNT(bounds) + i;
}

/* The bucket that holds it where two have become one so often. Rounds up, also below zero. */
static int32_t merged_index(int32_t index, int merged)
{
    int32_t each = (int32_t)1 << merged;
    return index >= 0 ? (index + each - 1) / each : -(-index / each);
}

/* Two buckets become one. */
static void merge(struct exponential *histogram)
{
    struct exponential wide = { .merged = histogram->merged + 1,
                                .first = merged_index(histogram->first, 1),
                                .zero_count = histogram->zero_count };
    for (size_t i = 0; i < histogram->count; i++) {
        size_t to = (size_t)(merged_index(histogram->first + (int32_t)i, 1) - wide.first);
        wide.counts[to] += histogram->counts[i];
        wide.count = to + 1;
    }
    *histogram = wide;
}

/* How many buckets there would be with this one. */
static size_t span_with(const struct exponential *histogram, int32_t index)
{
    if (!histogram->count)
        return 1;
    int32_t last = histogram->first + (int32_t)histogram->count - 1;
    int32_t low = index < histogram->first ? index : histogram->first;
    int32_t high = index > last ? index : last;
    return (size_t)(high - low) + 1;
}

static void reach(struct exponential *histogram, int32_t index)
{
    size_t count = span_with(histogram, index);
    if (!histogram->count) {
        histogram->first = index;
    } else if (index < histogram->first) {
        size_t before = (size_t)(histogram->first - index);
        memmove(histogram->counts + before, histogram->counts,
                histogram->count * sizeof *histogram->counts);
        memset(histogram->counts, 0, before * sizeof *histogram->counts);
        histogram->first = index;
    }
    histogram->count = count;
}

void exponential_add(struct exponential *histogram, double value, uint64_t times)
{
    if (!times)
        return;
    if (value <= EXPONENTIAL_ZERO) {
        histogram->zero_count += times;
        return;
    }
    int32_t finest = index_of(value);
    while (span_with(histogram, merged_index(finest, histogram->merged)) > EXPONENTIAL_BUCKETS)
        merge(histogram);
    int32_t index = merged_index(finest, histogram->merged);
    reach(histogram, index);
    histogram->counts[index - histogram->first] += times;
}

uint64_t exponential_total(const struct exponential *histogram)
{
    uint64_t total = histogram->zero_count;
    for (size_t i = 0; i < histogram->count; i++)
        total += histogram->counts[i];
    return total;
}

void exponential_write(const struct exponential *histogram, struct buf *out)
{
    buf_printf(out, "%d %" PRIu64 " %" PRId32, exponential_schema(histogram), histogram->zero_count,
               histogram->first);
    for (size_t i = 0; i < histogram->count; i++)
        buf_printf(out, " %" PRIu64, histogram->counts[i]);
}

bool exponential_read(const char *text, struct exponential *histogram)
{
    int schema, used = 0;
    struct exponential read = { 0 };
    *histogram = read;
    if (sscanf(text, "%d %" SCNu64 " %" SCNd32 "%n", &schema, &read.zero_count, &read.first,
               &used) != 3 ||
        schema < SCHEMA_MIN || schema > EXPONENTIAL_SCHEMA)
        return false;
    read.merged = EXPONENTIAL_SCHEMA - schema;
    int32_t most = merged_index(INDEX_MAX, read.merged);
    if (read.first < -most || read.first > most)
        return false;
    for (const char *at = text + used; *at; at += used, read.count++)
        if (read.count == EXPONENTIAL_BUCKETS || read.first + (int32_t)read.count > most ||
            sscanf(at, " %" SCNu64 "%n", &read.counts[read.count], &used) != 1)
            return false;
    *histogram = read;
    return true;
}
