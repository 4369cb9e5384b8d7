#include "exporter/otlp/otlp_metrics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/memory.h"
#include "exporter/otlp/otlp_name.h"
#include "exporter/otlp/otlp_wire.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb-c.h"

enum { NANO = 1000000000 };
enum { DATA_POINTS = 1 }; /* the same field of all kinds of data */
enum { GAUGE = 5, SUM = 7, HISTOGRAM = 9, EXPONENTIAL = 10 }; /* of Metric */

typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;
typedef Opentelemetry__Proto__Metrics__V1__Exemplar exemplar;

/* Labels as attributes. */
struct labels {
    struct otlp_wire_text texts[METRIC_LABELS_MAX];
    key_value *list[METRIC_LABELS_MAX];
    size_t count;
};

static void set_labels(struct labels *labels, const struct sample *sample, struct arena *arena)
{
    for (labels->count = 0; sample->family->labels[labels->count]; labels->count++) {
        struct otlp_wire_text *text = &labels->texts[labels->count];
        otlp_wire_text(text, sample->family->labels[labels->count],
                       protobuf_valid(sample->values[labels->count], arena));
        labels->list[labels->count] = &text->pair;
    }
}

static uint64_t nano(double seconds)
{
    return (uint64_t)(seconds * NANO);
}

/* When a sample began to count; never after what it tells of. */
static uint64_t start_of(const struct otlp_metrics *metrics, const struct sample *sample)
{
    double at = sample->detail ? sample->detail->created_at : 0;
    if (at <= 0)
        at = (double)metrics->started_at;
    return nano(fmin(at, (double)metrics->at));
}

static exemplar *exemplar_of(const struct metric_exemplar *of, struct arena *arena)
{
    struct {
        exemplar message;
        struct otlp_wire_text label;
        key_value *list[1];
    } *one = arena_alloc(arena, sizeof *one);
    opentelemetry__proto__metrics__v1__exemplar__init(&one->message);
    otlp_wire_text(&one->label, of->label, protobuf_valid(of->text, arena));
    one->list[0] = &one->label.pair;
    one->message.n_filtered_attributes = 1;
    one->message.filtered_attributes = one->list;
    one->message.time_unix_nano = nano(of->at);
    one->message.value_case = OPENTELEMETRY__PROTO__METRICS__V1__EXEMPLAR__VALUE_AS_DOUBLE;
    one->message.as_double = of->value;
    return &one->message;
}

/* The exemplars of a sample; in the arena. */
static exemplar **exemplars_of(const struct sample *sample, struct arena *arena, size_t *count)
{
    const struct metric_exemplar *all = sample->detail ? sample->detail->exemplars : NULL;
    size_t most = all ? metric_exemplar_count(sample->family) : 0;
    exemplar **list = most ? arena_alloc(arena, most * sizeof *list) : NULL;
    *count = 0;
    for (size_t i = 0; i < most; i++)
        if (all[i].text)
            list[(*count)++] = exemplar_of(&all[i], arena);
    return list;
}

/* --- data points ------------------------------------------------------------------------------ */

/* What the kinds of points have under the same names. */
#define FILL_POINT(point, labels)                                                                  \
    ((point).n_attributes = (labels).count, (point).attributes = (labels).list,                    \
     (point).time_unix_nano = (uint64_t)metrics->at * NANO,                                        \
     (point).exemplars = exemplars_of(sample, &metrics->arena, &(point).n_exemplars))

static void append_number(struct otlp_metrics *metrics, const struct sample *sample)
{
    struct labels labels;
    Opentelemetry__Proto__Metrics__V1__NumberDataPoint point;
    opentelemetry__proto__metrics__v1__number_data_point__init(&point);
    set_labels(&labels, sample, &metrics->arena);
    FILL_POINT(point, labels);
    if (sample->family->type == METRIC_COUNTER)
        point.start_time_unix_nano = start_of(metrics, sample);
    point.value_case = OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_DOUBLE;
    point.as_double = sample->value;
    protobuf_pack(&metrics->points, DATA_POINTS, &point.base);
}

static void append_histogram(struct otlp_metrics *metrics, const struct sample *sample)
{
    struct labels labels;
    const struct family *family = sample->family;
    Opentelemetry__Proto__Metrics__V1__HistogramDataPoint point;
    opentelemetry__proto__metrics__v1__histogram_data_point__init(&point);
    set_labels(&labels, sample, &metrics->arena);
    FILL_POINT(point, labels);
    point.start_time_unix_nano = start_of(metrics, sample);
    point.count = sample->histogram->count;
    point._sum_case = OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM_DATA_POINT___SUM_SUM;
    point.sum = sample->histogram->sum;
    point.n_bucket_counts = family->bucket_count + 1;
    point.bucket_counts = (uint64_t *)(uintptr_t)sample->histogram->buckets; /* only read */
    point.n_explicit_bounds = family->bucket_count;
    point.explicit_bounds = (double *)(uintptr_t)family->buckets;
    protobuf_pack(&metrics->points, DATA_POINTS, &point.base);
}

static void append_exponential(struct otlp_metrics *metrics, const struct sample *sample)
{
    struct labels labels;
    const struct exponential *native = sample->histogram->native;
    Opentelemetry__Proto__Metrics__V1__ExponentialHistogramDataPoint point;
    Opentelemetry__Proto__Metrics__V1__ExponentialHistogramDataPoint__Buckets buckets;
    opentelemetry__proto__metrics__v1__exponential_histogram_data_point__init(&point);
    opentelemetry__proto__metrics__v1__exponential_histogram_data_point__buckets__init(&buckets);
    set_labels(&labels, sample, &metrics->arena);
    FILL_POINT(point, labels);
    point.start_time_unix_nano = start_of(metrics, sample);
    point.count = sample->histogram->count;
    point._sum_case = OPENTELEMETRY__PROTO__METRICS__V1__EXPONENTIAL_HISTOGRAM_DATA_POINT___SUM_SUM;
    point.sum = sample->histogram->sum;
    point.scale = exponential_schema(native);
    point.zero_count = native->zero_count;
    point.zero_threshold = EXPONENTIAL_ZERO;
    point.positive = native->count ? &buckets : NULL;
    buckets.offset = native->first - 1;
    buckets.n_bucket_counts = native->count;
    buckets.bucket_counts = (uint64_t *)(uintptr_t)native->counts; /* only read */
    protobuf_pack(&metrics->points, DATA_POINTS, &point.base);
}
#undef FILL_POINT

/* The field of Metric that holds a sample: in one family the same one for all. */
static unsigned field_of(const struct otlp_metrics *metrics, const struct sample *sample)
{
    if (sample->histogram)
        return metrics->exponential && sample->histogram->native ? EXPONENTIAL : HISTOGRAM;
    return sample->family->type == METRIC_GAUGE ? GAUGE : SUM;
}

static void append_point(struct otlp_metrics *metrics, const struct sample *sample)
{
    switch (field_of(metrics, sample)) {
    case HISTOGRAM:
        append_histogram(metrics, sample);
        break;
    case EXPONENTIAL:
        append_exponential(metrics, sample);
        break;
    default:
        append_number(metrics, sample);
    }
    metrics->point_count++;
    arena_reset(&metrics->arena);
}

/* --- metrics ---------------------------------------------------------------------------------- */

#define CUMULATIVE                                                                                 \
    OPENTELEMETRY__PROTO__METRICS__V1__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE

/* What stands beside the points: gauges have nothing there. */
static void append_kind(unsigned field, const struct family *family, struct buf *out)
{
    Opentelemetry__Proto__Metrics__V1__Sum sum;
    Opentelemetry__Proto__Metrics__V1__Histogram histogram;
    Opentelemetry__Proto__Metrics__V1__ExponentialHistogram exponential;
    opentelemetry__proto__metrics__v1__sum__init(&sum);
    opentelemetry__proto__metrics__v1__histogram__init(&histogram);
    opentelemetry__proto__metrics__v1__exponential_histogram__init(&exponential);
    sum.aggregation_temporality = histogram.aggregation_temporality =
        exponential.aggregation_temporality = CUMULATIVE;
    sum.is_monotonic = family->type == METRIC_COUNTER;
    if (field == HISTOGRAM)
        protobuf_pack(out, 0, &histogram.base);
    else if (field == EXPONENTIAL)
        protobuf_pack(out, 0, &exponential.base);
    else if (field == SUM)
        protobuf_pack(out, 0, &sum.base);
}

/* An info is a sum of 1 that does not grow, and says what it is. */
static void append_head(const struct family *family, struct buf *out)
{
    const struct otlp_name name = otlp_name_of(family);
    struct otlp_wire_text type;
    key_value *list[] = { &type.pair };
    Opentelemetry__Proto__Metrics__V1__Metric metric;
    opentelemetry__proto__metrics__v1__metric__init(&metric);
    otlp_wire_text(&type, "prometheus.type", "info");
    metric.name = (char *)(uintptr_t)name.name; /* only read, as the others */
    metric.description = (char *)(uintptr_t)family->help;
    metric.unit = (char *)(uintptr_t)name.unit;
    metric.n_metadata = family->type == METRIC_INFO;
    metric.metadata = list;
    protobuf_pack(out, 0, &metric.base);
}

/* The points of a family so far become a metric of the request. sample: one of them. */
static void end_family(struct otlp_metrics *metrics, const struct sample *sample)
{
    CLEANUP(buf_finish) struct buf head = { 0 };
    unsigned field = field_of(metrics, sample);
    append_kind(field, sample->family, &metrics->points);
    append_head(sample->family, &head);
    size_t data = protobuf_size(field, metrics->points.length);
    protobuf_head(&metrics->items, OTLP_ITEM_FIELD, head.length + data);
    buf_append(&metrics->items, head.data, head.length);
    protobuf_nest(&metrics->items, field, &metrics->points);
    metrics->item_points += metrics->point_count;
    metrics->point_count = 0;
    buf_reset(&metrics->points);
}

static void end_packet(struct otlp_metrics *metrics)
{
    CLEANUP(buf_finish) struct buf request = { 0 };
    if (!metrics->item_points)
        return;
    MEMORY_GROW(metrics->packets, metrics->count, metrics->capacity);
    struct otlp_packet *packet = &metrics->packets[metrics->count++];
    *packet = (struct otlp_packet){ 0 };
    otlp_resource_request(metrics->resource, &metrics->items, &request);
    otlp_send_pack(packet, &request, metrics->item_points);
    metrics->item_points = 0;
    buf_reset(&metrics->items);
}

void otlp_metrics_add(struct otlp_metrics *metrics, const struct metric_set *set)
{
    size_t most = metrics->most_bytes ? metrics->most_bytes : OTLP_METRICS_BYTES;
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        bool last = i + 1 == set->count || set->samples[i + 1].family != sample->family;
        append_point(metrics, sample);
        bool full = metrics->items.length + metrics->points.length >= most;
        if (last || full)
            end_family(metrics, sample);
        if (full)
            end_packet(metrics);
    }
}

void otlp_metrics_end(struct otlp_metrics *metrics)
{
    end_packet(metrics);
    buf_finish(&metrics->items);
    buf_finish(&metrics->points);
}

void otlp_metrics_reset(struct otlp_metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++)
        buf_finish(&metrics->packets[i].packed);
    metrics->count = 0;
}

void otlp_metrics_finish(struct otlp_metrics *metrics)
{
    otlp_metrics_reset(metrics);
    buf_finish(&metrics->items);
    buf_finish(&metrics->points);
    arena_finish(&metrics->arena);
    free(metrics->packets);
}
