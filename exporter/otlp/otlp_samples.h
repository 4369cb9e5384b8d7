#pragma once
/* The metrics that are pushed: what a scrape shows, at an interval. What was not taken before the
 * next interval is not pushed any more: newer values say it all. Its own thread only. */
#include "exporter/otlp/otlp_metrics.h"
#include "exporter/otlp/otlp_push.h"

/* Called with a set of samples, sorted, that is valid until it returns. */
typedef void otlp_samples_take(void *context, const struct metric_set *set);

/* Hands on all samples of one moment, in one or more sets. */
typedef void otlp_samples_read(void *source, otlp_samples_take *take, void *context);

struct otlp_samples {
    struct otlp_push push;
    struct otlp_metrics metrics;
    otlp_samples_read *read;
    void *source; /* borrowed */
    int64_t interval_ms;
    int64_t next_ms; /* when to read anew */
    size_t sent;     /* packets that need nothing more */
    size_t unfit;    /* single points that were too large, since the last time one was not */
};

void otlp_samples_open(struct otlp_samples *samples);
void otlp_samples_finish(struct otlp_samples *samples);

/* Read when it is time, push what is not pushed yet. */
void otlp_samples_run(struct otlp_samples *samples, int64_t now_ms, int64_t now_s);
