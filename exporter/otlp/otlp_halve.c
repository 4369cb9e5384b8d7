#include "exporter/otlp/otlp_halve.h"

#include <string.h>

#include "core/memory.h"
#include "exporter/otlp/otlp_wire.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"

enum { LEAST_BYTES = 1024 }; /* one large point shall not make all requests as small */

typedef Opentelemetry__Proto__Metrics__V1__Metric metric;
typedef Opentelemetry__Proto__Metrics__V1__ScopeMetrics scope_metrics;
typedef Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest export_request;

/* NULL when it is none: never. */
static export_request *read_packet(const struct otlp_packet *packet)
{
    CLEANUP(buf_finish) struct buf bytes = { 0 };
    otlp_send_unpack(packet, &bytes);
    return opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__unpack(
        NULL, bytes.length, (const uint8_t *)bytes.data);
}

/* Append the points from .. to of a metric. of: its data, by their type. */
#define APPEND_POINTS(of)                                                                          \
    do {                                                                                           \
        size_t all = (of)->n_data_points;                                                          \
        (of)->n_data_points = to - from;                                                           \
        (of)->data_points += from;                                                                 \
        protobuf_pack(items, OTLP_ITEM_FIELD, &whole->base);                                       \
        (of)->data_points -= from;                                                                 \
        (of)->n_data_points = all;                                                                 \
    } while (0)

static void append_points(metric *whole, size_t from, size_t to, struct buf *items)
{
    if (from == to)
        return;
    switch (whole->data_case) {
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE:
        APPEND_POINTS(whole->gauge);
        break;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM:
        APPEND_POINTS(whole->sum);
        break;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_HISTOGRAM:
        APPEND_POINTS(whole->histogram);
        break;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_EXPONENTIAL_HISTOGRAM:
        APPEND_POINTS(whole->exponential_histogram);
        break;
    default:;
    }
}
#undef APPEND_POINTS

static size_t point_count(const metric *of)
{
    switch (of->data_case) {
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE:
        return of->gauge->n_data_points;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM:
        return of->sum->n_data_points;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_HISTOGRAM:
        return of->histogram->n_data_points;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_EXPONENTIAL_HISTOGRAM:
        return of->exponential_histogram->n_data_points;
    default:
        return 0;
    }
}

/* The first so many points, and the others. */
static void divide(const scope_metrics *scope, size_t first, struct buf items[2])
{
    for (size_t i = 0; i < scope->n_metrics; i++) {
        size_t count = point_count(scope->metrics[i]);
        size_t cut = first < count ? first : count;
        append_points(scope->metrics[i], 0, cut, &items[0]);
        append_points(scope->metrics[i], cut, count, &items[1]);
        first -= cut;
    }
}

static void pack(const struct otlp_metrics *metrics, const struct buf *items, size_t count,
                 struct otlp_packet *packet)
{
    CLEANUP(buf_finish) struct buf request = { 0 };
    otlp_resource_request(metrics->resource, items, &request);
    otlp_send_pack(packet, &request, count);
}

/* Replace a packet by two. */
static void put(struct otlp_metrics *metrics, size_t index, const struct otlp_packet halves[2])
{
    MEMORY_GROW(metrics->packets, metrics->count, metrics->capacity);
    struct otlp_packet *at = &metrics->packets[index];
    buf_finish(&at->packed);
    memmove(at + 2, at + 1, (metrics->count - index - 1) * sizeof *at);
    memcpy(at, halves, 2 * sizeof *at);
    metrics->count++;
}

static void learn(struct otlp_metrics *metrics, size_t bytes)
{
    if (bytes < LEAST_BYTES)
        bytes = LEAST_BYTES;
    if (!metrics->most_bytes || metrics->most_bytes > bytes)
        metrics->most_bytes = bytes;
}

bool otlp_halve(struct otlp_metrics *metrics, size_t index)
{
    const size_t points = metrics->packets[index].items;
    struct otlp_packet halves[2] = { 0 };
    struct buf items[2] = { 0 };
    export_request *request = points < 2 ? NULL : read_packet(&metrics->packets[index]);
    if (!request)
        return false;
    divide(request->resource_metrics[0]->scope_metrics[0], points / 2, items);
    learn(metrics, items[0].length);
    pack(metrics, &items[0], points / 2, &halves[0]);
    pack(metrics, &items[1], points - points / 2, &halves[1]);
    put(metrics, index, halves);
    for (size_t i = 0; i < 2; i++)
        buf_finish(&items[i]);
    opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__free_unpacked(
        request, NULL);
    return true;
}
