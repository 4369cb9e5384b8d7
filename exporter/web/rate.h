#pragma once
/* How many requests are let in: a token bucket that starts full. Time is a parameter. */
#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"

struct rate {
    double interval_s; /* between two requests; 0 = no limit */
    double burst;      /* so many at once; 0 lets nobody in */
    double tokens;
    double at_s; /* when they were counted, monotonic */
};

/* Another limit begins full; the same one goes on as it is. */
void rate_configure(struct rate *rate, double interval_s, int64_t burst);

/* Whether one more may come now. */
bool rate_take(struct rate *rate, double now_s) MUST_USE;
