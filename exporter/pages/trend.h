#pragma once
/* A small line of a value over time, as inline SVG: steps, since a value holds until the next; gaps
 * where nothing is told. Pure. */
#include "exporter/pages/page.h"

struct trend_point {
    int64_t at;
    double value; /* NAN = not told from here on */
};

struct trend {
    int64_t from, to;
    struct trend_point *points;
    size_t count, capacity;
};

/* Add the next value; one of before `from` holds there. */
void trend_add(struct trend *trend, int64_t at, double value);

/* Append it; nothing when there are no two instants to draw. label: what it shows, in words. */
void trend_write(struct page *page, const struct trend *trend, const char *label);
void trend_finish(struct trend *trend);
