#pragma once
/* A histogram with exponential buckets: eight between two powers of two, and half as many each time
 * they would become too many. What Prometheus calls a native histogram and OpenTelemetry an
 * exponential one. One thread.
 * source: prometheus/client_model, Histogram; opentelemetry-proto, ExponentialHistogramDataPoint.
 */
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

enum { EXPONENTIAL_SCHEMA = 3, EXPONENTIAL_BUCKETS = 160 };

/* Up to here a value counts as zero, and so does what is negative: a duration between two clocks.
 */
#define EXPONENTIAL_ZERO 0x1p-128

/* Zeroed = ready and empty. counts[i] is of the values up to base^(first + i) and above the bound
 * before it, base = 2^(2^-schema): Prometheus' numbers. OpenTelemetry's are lower by one. */
struct exponential {
    int merged; /* how often two buckets became one: EXPONENTIAL_SCHEMA - schema */
    int32_t first;
    size_t count; /* of buckets; the first and the last are not empty */
    uint64_t zero_count;
    uint64_t counts[EXPONENTIAL_BUCKETS];
};

int exponential_schema(const struct exponential *histogram);

/* Count a value so many times. It is finite. */
void exponential_add(struct exponential *histogram, double value, uint64_t times);

/* How many values it has counted. */
uint64_t exponential_total(const struct exponential *histogram);

/* Append as a text, and read one back: false when it is none, then the histogram is empty. */
void exponential_write(const struct exponential *histogram, struct buf *out);
bool exponential_read(const char *text, struct exponential *histogram) MUST_USE;
