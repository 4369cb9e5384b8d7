#pragma once
/* Metrics and their values as people read them. Pure. */
#include <stdint.h>

#include "core/buf.h"

/* The unit of a metric, by its name: "percent" of ratios, "points", "seconds", "bytes", "date" of
 * Unix times; "" = a count. */
const char *quantity_unit(const char *metric);

/* Append the name of a metric in words, without its unit: "secure score", "findings overdue". */
void quantity_name(struct buf *out, const char *metric);

/* Append "53.8 %", "1.83", "2 h 5 min", "4096 bytes", "2026-11-12 04:10 UTC" or "12".
 * decimals: of percent and points, one and two when -1. */
void quantity_write(struct buf *out, double value, const char *unit, int decimals);

/* Append a value, between_text and another value, with as many decimals as it takes to tell them
 * apart: never "55.0 %, below 55.0 %". */
void quantity_compare(struct buf *out, double value, const char *between, double other,
                      const char *unit);
