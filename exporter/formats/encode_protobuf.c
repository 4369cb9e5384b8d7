#include "exporter/formats/encode_protobuf.h"

#include <math.h>
#include <string.h>

#include "core/compiler.h"
#include "exporter/formats/protobuf.h"
#include "io/prometheus/client/metrics.pb-c.h"

enum { FAMILY_METRIC = 4 }; /* the field of MetricFamily */
enum { MS_PER_S = 1000, NANO_PER_MS = 1000000 };
enum { GAP_MAX = 2 }; /* so many empty buckets cost less than another span */

typedef Google__Protobuf__Timestamp moment;
typedef Io__Prometheus__Client__LabelPair label;
typedef Io__Prometheus__Client__Exemplar exemplar;
typedef Io__Prometheus__Client__Bucket bucket;
typedef Io__Prometheus__Client__BucketSpan span;
typedef Io__Prometheus__Client__Histogram histogram;
typedef Io__Prometheus__Client__Metric metric;

static const Io__Prometheus__Client__MetricType types[] = {
    [METRIC_GAUGE] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE,
    [METRIC_COUNTER] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER,
    [METRIC_HISTOGRAM] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__HISTOGRAM,
    [METRIC_INFO] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE,
};

/* Texts are only read. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* Room for so many pointers and what they point to, which is not set. */
static void *alloc_list(struct arena *arena, size_t count, size_t each)
{
    void **list = arena_alloc(arena, (count ? count : 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = arena_alloc(arena, each);
    return list;
}

/* --- parts of a metric ------------------------------------------------------------------------ */

/* A time to the millisecond: readers cut off what is finer where those of texts round. */
static moment *make_moment(double seconds, struct arena *arena)
{
    int64_t ms = llround(seconds * MS_PER_S);
    moment *made = arena_alloc(arena, sizeof *made);
    google__protobuf__timestamp__init(made);
    made->seconds = ms / MS_PER_S;
    made->nanos = (int32_t)(ms % MS_PER_S) * NANO_PER_MS;
    return made;
}

/* When the series was 0; NULL = not known. */
static moment *make_created(const struct sample *sample, struct arena *arena)
{
    bool known = sample->detail && sample->detail->created_at > 0;
    return known ? make_moment(sample->detail->created_at, arena) : NULL;
}

static void set_label(label *to, const char *name, const char *value, struct arena *arena)
{
    io__prometheus__client__label_pair__init(to);
    to->name = borrow(name);
    to->value = borrow(protobuf_valid(value, arena));
}

static void set_labels(metric *to, const struct sample *sample, struct arena *arena)
{
    to->label = alloc_list(arena, METRIC_LABELS_MAX, sizeof **to->label);
    for (; sample->family->labels[to->n_label]; to->n_label++)
        set_label(to->label[to->n_label], sample->family->labels[to->n_label],
                  sample->values[to->n_label], arena);
}

/* The example at this place; NULL = there is none. */
static exemplar *make_exemplar(const struct sample *sample, size_t i, struct arena *arena)
{
    if (!sample->detail || !sample->detail->exemplars || !sample->detail->exemplars[i].text)
        return NULL;
    const struct metric_exemplar *from = &sample->detail->exemplars[i];
    exemplar *made = arena_alloc(arena, sizeof *made);
    io__prometheus__client__exemplar__init(made);
    made->label = alloc_list(arena, 1, sizeof **made->label);
    made->n_label = 1;
    set_label(made->label[0], from->label, from->text, arena);
    made->has_value = true;
    made->value = from->value;
    made->timestamp = from->at > 0 ? make_moment(from->at, arena) : NULL;
    return made;
}

/* --- histograms ------------------------------------------------------------------------------- */

/* Buckets as the text format has them, +Inf too, with their examples. */
static void set_classic(histogram *to, const struct sample *sample, struct arena *arena)
{
    const struct family *family = sample->family;
    to->n_bucket = family->bucket_count + 1;
    to->bucket = alloc_list(arena, to->n_bucket, sizeof **to->bucket);
    uint64_t below = 0;
    for (size_t i = 0; i < to->n_bucket; i++) {
        bucket *one = to->bucket[i];
        below += sample->histogram->buckets[i];
        io__prometheus__client__bucket__init(one);
        one->has_cumulative_count = one->has_upper_bound = true;
        one->cumulative_count = below;
        one->upper_bound = i < family->bucket_count ? family->buckets[i] : INFINITY;
        one->exemplar = make_exemplar(sample, i, arena);
    }
}

static void add_span(histogram *to, int32_t offset)
{
    span *made = to->positive_span[to->n_positive_span++];
    io__prometheus__client__bucket_span__init(made);
    made->has_offset = made->has_length = true;
    made->offset = offset;
}

/* Runs of buckets, each with its distance from the one before it. Long gaps are left out. */
static void set_spans(histogram *to, const struct exponential *from, struct arena *arena)
{
    to->positive_span = alloc_list(arena, from->count, sizeof **to->positive_span);
    to->positive_delta = arena_alloc(arena, (from->count + 1) * sizeof *to->positive_delta);
    int64_t last = 0;
    for (size_t i = 0, end = 0; i < from->count; i++) {
        if (!from->counts[i])
            continue;
        if (!to->n_positive_span || i - end > GAP_MAX) {
            add_span(to, (int32_t)(i - end) + (to->n_positive_span ? 0 : from->first));
            end = i;
        }
        for (; end <= i; end++) {
            int64_t count = (int64_t)from->counts[end];
            to->positive_delta[to->n_positive_delta++] = count - last;
            to->positive_span[to->n_positive_span - 1]->length++;
            last = count;
        }
    }
}

/* Exponential buckets, and once more the examples that have a time, as those here must. */
static void set_native(histogram *to, const struct exponential *from, struct arena *arena)
{
    to->has_schema = to->has_zero_threshold = to->has_zero_count = true;
    to->schema = exponential_schema(from);
    to->zero_threshold = EXPONENTIAL_ZERO;
    to->zero_count = from->zero_count;
    set_spans(to, from, arena);
    to->exemplars = arena_alloc(arena, to->n_bucket * sizeof *to->exemplars);
    for (size_t i = 0; i < to->n_bucket; i++)
        if (to->bucket[i]->exemplar && to->bucket[i]->exemplar->timestamp)
            to->exemplars[to->n_exemplars++] = to->bucket[i]->exemplar;
}

static histogram *make_histogram(const struct sample *sample, struct arena *arena)
{
    histogram *made = arena_alloc(arena, sizeof *made);
    io__prometheus__client__histogram__init(made);
    made->has_sample_count = made->has_sample_sum = true;
    made->sample_count = sample->histogram->count;
    made->sample_sum = sample->histogram->sum;
    made->created_timestamp = make_created(sample, arena);
    set_classic(made, sample, arena);
    if (sample->histogram->native)
        set_native(made, sample->histogram->native, arena);
    return made;
}

/* --- metrics and families --------------------------------------------------------------------- */

static void append_metric(const struct sample *sample, struct arena *arena, struct buf *out)
{
    metric one = IO__PROMETHEUS__CLIENT__METRIC__INIT;
    Io__Prometheus__Client__Gauge gauge = IO__PROMETHEUS__CLIENT__GAUGE__INIT;
    Io__Prometheus__Client__Counter counter = IO__PROMETHEUS__CLIENT__COUNTER__INIT;
    set_labels(&one, sample, arena);
    if (sample->histogram) {
        one.histogram = make_histogram(sample, arena);
    } else if (sample->family->type == METRIC_COUNTER) {
        counter.has_value = true;
        counter.value = sample->value;
        counter.exemplar = make_exemplar(sample, 0, arena);
        counter.created_timestamp = make_created(sample, arena);
        one.counter = &counter;
    } else {
        gauge.has_value = true;
        gauge.value = sample->value;
        one.gauge = &gauge;
    }
    protobuf_pack(out, FAMILY_METRIC, &one.base);
}

static bool ends_with(const char *name, size_t length, const char *end)
{
    size_t end_length = strlen(end);
    return length > end_length && !memcmp(name + length - end_length, end, end_length);
}

/* A unit is told of where the name ends with it, "_total" left aside: Prometheus refuses others. */
static bool named_after_unit(const struct family *family)
{
    static const char total[] = "_total";
    size_t length = strlen(family->name), unit = family->unit ? strlen(family->unit) : 0;
    if (ends_with(family->name, length, total))
        length -= strlen(total);
    return unit && ends_with(family->name, length, family->unit) &&
           family->name[length - unit - 1] == '_';
}

static void append_head(const struct family *family, struct buf *out)
{
    Io__Prometheus__Client__MetricFamily head = IO__PROMETHEUS__CLIENT__METRIC_FAMILY__INIT;
    head.name = borrow(family->name);
    head.help = borrow(family->help);
    head.has_type = true;
    head.type = types[family->type];
    head.unit = named_after_unit(family) ? borrow(family->unit) : NULL;
    protobuf_pack(out, 0, &head.base);
}

void encode_protobuf_family(const struct sample *samples, size_t count,
                            const struct encoding_options *options, struct buf *out)
{
    (void)options;
    CLEANUP(buf_finish) struct buf message = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 }; /* of one metric */
    append_head(samples->family, &message);
    for (size_t i = 0; i < count; i++) {
        arena_reset(&arena);
        append_metric(&samples[i], &arena, &message);
    }
    protobuf_varint(out, message.length);
    buf_append(out, message.data, message.length);
}
