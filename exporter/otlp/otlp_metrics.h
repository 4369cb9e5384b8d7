#pragma once
/* Samples as requests: sets in, packets out, none of them large, so that what waits to be pushed
 * stays small. Pure. */
#include "core/metric.h"
#include "exporter/otlp/otlp_resource.h"
#include "exporter/otlp/otlp_send.h"

/* Of a request before it is compressed: far below the 64 MiB that are allowed. */
enum { OTLP_METRICS_BYTES = 128 * 1024 };

struct otlp_metrics {
    const struct otlp_resource *resource;
    int64_t at, started_at; /* Unix seconds: of the samples; of counters that do not know better */
    bool exponential;       /* histograms that have exponential buckets are told with these */
    size_t most_bytes;      /* of a request; 0 = OTLP_METRICS_BYTES */

    struct otlp_packet *packets; /* results */
    size_t count, capacity;

    struct buf points, items; /* of the family, of the request under way */
    size_t point_count, item_points;
    struct arena arena;
};

/* Append a sorted set. */
void otlp_metrics_add(struct otlp_metrics *metrics, const struct metric_set *set);

/* Finish the last packet. */
void otlp_metrics_end(struct otlp_metrics *metrics);

/* Forget the packets; everything else stays. */
void otlp_metrics_reset(struct otlp_metrics *metrics);
void otlp_metrics_finish(struct otlp_metrics *metrics);
