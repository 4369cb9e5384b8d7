/* The protobuf format, read back by what the same .proto file made. */
#include <inttypes.h>

#include "exposition_world.h"
#include "io/prometheus/client/metrics.pb-c.h"

typedef Io__Prometheus__Client__MetricFamily read_family;
typedef Io__Prometheus__Client__Metric read_metric;
typedef Io__Prometheus__Client__Exemplar read_exemplar;
typedef Io__Prometheus__Client__Histogram read_histogram;

/* --- messages --------------------------------------------------------------------------------- */

/* The next message of a body, its length before it; NULL and a failed check when there is none. */
static read_family *read_next(const struct buf *body, size_t *at)
{
    size_t length = 0;
    for (int shift = 0; *at < body->length; shift += 7) {
        unsigned char byte = (unsigned char)body->data[(*at)++];
        length |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    CHECK(length > 0 && length <= body->length - *at);
    if (length > body->length - *at)
        return NULL;
    read_family *family = io__prometheus__client__metric_family__unpack(
        NULL, length, (const uint8_t *)body->data + *at);
    CHECK(family != NULL);
    *at += length;
    return family;
}

static void free_family(read_family *family)
{
    io__prometheus__client__metric_family__free_unpacked(family, NULL);
}

static double seconds_of(const Google__Protobuf__Timestamp *time)
{
    return (double)time->seconds + time->nanos / 1e9;
}

/* --- as a text -------------------------------------------------------------------------------- */

static void print_labels(Io__Prometheus__Client__LabelPair *const *labels, size_t count,
                         struct buf *out)
{
    buf_char(out, '{');
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s=<%s>", i ? ", " : "", labels[i]->name, labels[i]->value);
    buf_char(out, '}');
}

static void print_time(const char *word, const Google__Protobuf__Timestamp *time, struct buf *out)
{
    if (time)
        buf_printf(out, " %s %" PRId64 ".%09" PRId32, word, time->seconds, time->nanos);
}

static void print_exemplar(const read_exemplar *exemplar, struct buf *out)
{
    if (!exemplar)
        return;
    buf_text(out, " exemplar ");
    print_labels(exemplar->label, exemplar->n_label, out);
    buf_printf(out, " %.17g", exemplar->value);
    print_time("at", exemplar->timestamp, out);
}

static void print_native(const read_histogram *histogram, struct buf *out)
{
    buf_printf(out, "    schema %" PRId32 ", zero %" PRIu64 " up to %.17g\n", histogram->schema,
               histogram->zero_count, histogram->zero_threshold);
    buf_text(out, "    spans");
    for (size_t i = 0; i < histogram->n_positive_span; i++)
        buf_printf(out, " %" PRId32 "+%" PRIu32, histogram->positive_span[i]->offset,
                   histogram->positive_span[i]->length);
    buf_text(out, ", deltas");
    for (size_t i = 0; i < histogram->n_positive_delta; i++)
        buf_printf(out, " %" PRId64, histogram->positive_delta[i]);
    buf_text(out, "\n   ");
    for (size_t i = 0; i < histogram->n_exemplars; i++)
        print_exemplar(histogram->exemplars[i], out);
    buf_char(out, '\n');
}

static void print_histogram(const read_histogram *histogram, struct buf *out)
{
    buf_printf(out, " histogram count %" PRIu64 ", sum %.17g", histogram->sample_count,
               histogram->sample_sum);
    print_time("since", histogram->created_timestamp, out);
    buf_char(out, '\n');
    for (size_t i = 0; i < histogram->n_bucket; i++) {
        buf_printf(out, "    <= %g: %" PRIu64, histogram->bucket[i]->upper_bound,
                   histogram->bucket[i]->cumulative_count);
        print_exemplar(histogram->bucket[i]->exemplar, out);
        buf_char(out, '\n');
    }
    if (histogram->has_schema)
        print_native(histogram, out);
}

static void print_metric(const read_metric *metric, struct buf *out)
{
    buf_text(out, "  ");
    print_labels(metric->label, metric->n_label, out);
    if (metric->gauge)
        buf_printf(out, " gauge %.17g\n", metric->gauge->value);
    if (metric->counter) {
        buf_printf(out, " counter %.17g", metric->counter->value);
        print_time("since", metric->counter->created_timestamp, out);
        print_exemplar(metric->counter->exemplar, out);
        buf_char(out, '\n');
    }
    if (metric->histogram)
        print_histogram(metric->histogram, out);
}

static void print_family(const read_family *family, struct buf *out)
{
    buf_printf(out, "%s type %d unit <%s> help <%s>\n", family->name, (int)family->type,
               family->unit ? family->unit : "", family->help);
    for (size_t i = 0; i < family->n_metric; i++)
        print_metric(family->metric[i], out);
}

static void encode(const struct metric_set *set, struct buf *out)
{
    static const struct encoding_options options = { 0 };
    exposition_encode(exposition_format("protobuf"), &options, set, out);
}

TEST(protobuf_equals_the_golden_file)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    CLEANUP(buf_finish) struct buf body = { 0 }, got = { 0 }, want = { 0 };
    exposition_fill(&set);
    encode(&set, &body);
    for (size_t at = 0; at < body.length;) {
        read_family *family = read_next(&body, &at);
        if (!family)
            break;
        print_family(family, &got);
        free_family(family);
    }
    if (getenv("GOLDEN_WRITE")) {
        FILE *file = fopen("golden/exposition/protobuf.txt", "w");
        CHECK(file && fwrite(got.data, 1, got.length, file) == got.length && !fclose(file));
    }
    exposition_read("golden/exposition/protobuf.txt", &want);
    CHECK_TEXT(buf_cstr(&got), buf_cstr(&want));
}

/* Written down by the encoding's rules, so that a mistake of the library's is seen. */
TEST(bytes_are_those_of_the_encoding)
{
    static const struct family_1 seen = {
        .name = "a_total", .type = METRIC_COUNTER, .help = "b", LABELS("c")
    };
    static const char want[] = "\x2c"                 /* 44 bytes follow */
                               "\x0a\x07"             /* name */
                               "a_total"              //
                               "\x12\x01"             /* help */
                               "b"                    //
                               "\x18\x00"             /* type: counter */
                               "\x22\x1c"             /* metric */
                               "\x0a\x06"             /* label */
                               "\x0a\x01"             /* its name */
                               "c"                    //
                               "\x12\x01"             /* its value */
                               "d"                    //
                               "\x1a\x12"             /* counter */
                               "\x09"                 /* its value: 1.5 */
                               "\0\0\0\0\0\0\xf8\x3f" //
                               "\x1a\x07"             /* created: 3 s, 5 ms */
                               "\x08\x03"             //
                               "\x10\xc0\x96\xb1\x02";
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    metric_add_counter(&set, &seen, 1.5, (&(const struct metric_detail){ .created_at = 3.005 }),
                       METRIC_LABELS("d"));
    encode(&set, &got);
    CHECK_INT(got.length, sizeof want - 1);
    CHECK(got.length == sizeof want - 1 && !memcmp(got.data, want, got.length));
}

/* --- read back, whatever it is ---------------------------------------------------------------- */

enum { HISTORIES = 300, SERIES = 12 };

static unsigned draw(uint64_t *state, unsigned below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state % below);
}

static const struct family *const drawn_families[] = {
    &exposition_fruit.family, &exposition_plain.family, &exposition_kinds.family,
    &exposition_seen.family,  &exposition_used.family,  &exposition_delay.family,
};

/* What a sample is made of, which is copied when it is added. */
struct drawn {
    struct metric_histogram histogram;
    uint64_t buckets[ARRAY_COUNT(exposition_bounds) + 1];
    struct exponential native;
    struct metric_detail detail;
    struct metric_exemplar exemplars[ARRAY_COUNT(exposition_bounds) + 1];
};

static void draw_histogram(struct drawn *drawn, uint64_t *state)
{
    unsigned count = draw(state, 40), wide = 1 + draw(state, 60);
    for (unsigned i = 0; i < count; i++) {
        double value = draw(state, 8) ? exp2(draw(state, wide) - wide / 2.0) : 0;
        unsigned times = 1 + draw(state, 200);
        drawn->buckets[metric_bucket(&exposition_delay.family, value)] += times;
        drawn->histogram.sum += value * times;
        drawn->histogram.count += times;
        exponential_add(&drawn->native, value, times);
    }
    drawn->histogram.buckets = drawn->buckets;
    drawn->histogram.native = draw(state, 4) ? &drawn->native : NULL;
}

static void draw_sample(struct metric_set *set, const struct family *family, uint64_t *state)
{
    static const char *const texts[] = { "a", "b\nc", "\"\\", "gr\xc3\xbcn", "x,y={}" };
    struct drawn drawn = { .detail.created_at = draw(state, 2) * (1.7e9 + draw(state, 999) / 1e3) };
    const char *values[METRIC_LABELS_MAX];
    for (size_t i = 0; family->labels[i]; i++)
        values[i] = texts[draw(state, ARRAY_COUNT(texts))];
    for (size_t i = 0; i < metric_exemplar_count(family); i++)
        if (draw(state, 2))
            drawn.exemplars[i] =
                (struct metric_exemplar){ "finding_id", texts[draw(state, ARRAY_COUNT(texts))],
                                          draw(state, 99),
                                          draw(state, 2) * (1.7e9 + draw(state, 999) / 1e3) };
    drawn.detail.exemplars = drawn.exemplars;
    struct sample sample = { .family = family, .values = values, .value = draw(state, 999) / 8.0 };
    if (family->type == METRIC_HISTOGRAM) {
        draw_histogram(&drawn, state);
        sample.histogram = &drawn.histogram;
    }
    if (family->type != METRIC_GAUGE && draw(state, 4))
        sample.detail = &drawn.detail;
    metric_add_sample(set, &sample);
}

static void check_time(const Google__Protobuf__Timestamp *got, double want)
{
    CHECK(!got == (want <= 0));
    if (got)
        CHECK(fabs(seconds_of(got) - want) < 0.0006);
}

static void check_exemplar(const read_exemplar *got, const struct sample *sample, size_t i)
{
    static const struct metric_exemplar none;
    const struct metric_exemplar *all = sample->detail ? sample->detail->exemplars : NULL;
    const struct metric_exemplar *want = all ? &all[i] : &none;
    CHECK(!got == !want->text);
    if (!got || !want->text)
        return;
    CHECK_INT(got->n_label, 1);
    CHECK_TEXT(got->label[0]->name, want->label);
    CHECK_TEXT(got->label[0]->value, want->text);
    CHECK_NUMBER(got->value, want->value);
    check_time(got->timestamp, want->at);
}

/* Every bucket that holds something is in a span, with its number, and nothing else is. */
static void check_native(const read_histogram *got, const struct exponential *want)
{
    uint64_t total = got->zero_count;
    int64_t count = 0, index = 0;
    size_t delta = 0;
    CHECK_INT(got->schema, exponential_schema(want));
    CHECK_INT(got->zero_count, want->zero_count);
    for (size_t i = 0; i < got->n_positive_span; i++) {
        CHECK(got->positive_span[i]->length > 0 && (!i || got->positive_span[i]->offset > 0));
        index += got->positive_span[i]->offset;
        for (uint32_t n = 0; n < got->positive_span[i]->length; n++, index++) {
            CHECK(delta < got->n_positive_delta);
            count += got->positive_delta[delta++];
            CHECK(index >= want->first && index < want->first + (int64_t)want->count);
            CHECK_INT(count, want->counts[index - want->first]);
            total += (uint64_t)count;
        }
    }
    CHECK_INT(delta, got->n_positive_delta);
    CHECK_INT(total, got->sample_count); /* or Prometheus refuses it */
    for (size_t i = 0; i < got->n_exemplars; i++)
        CHECK(got->exemplars[i]->timestamp != NULL);
}

static void check_histogram(const read_histogram *got, const struct sample *sample)
{
    const struct metric_histogram *want = sample->histogram;
    CHECK_INT(got->sample_count, want->count);
    CHECK_NUMBER(got->sample_sum, want->sum);
    check_time(got->created_timestamp, sample->detail ? sample->detail->created_at : 0);
    CHECK_INT(got->n_bucket, sample->family->bucket_count + 1);
    uint64_t below = 0;
    for (size_t i = 0; i < got->n_bucket; i++) {
        CHECK_INT(got->bucket[i]->cumulative_count, below += want->buckets[i]);
        CHECK_NUMBER(got->bucket[i]->upper_bound,
                     i + 1 < got->n_bucket ? sample->family->buckets[i] : INFINITY);
        check_exemplar(got->bucket[i]->exemplar, sample, i);
    }
    CHECK_INT(below, got->sample_count);
    CHECK(!got->has_schema == !want->native);
    if (want->native)
        check_native(got, want->native);
}

static void check_metric(const read_metric *got, const struct sample *sample)
{
    size_t labels = 0;
    for (; sample->family->labels[labels]; labels++) {
        CHECK(labels < got->n_label);
        CHECK_TEXT(got->label[labels]->name, sample->family->labels[labels]);
        CHECK_TEXT(got->label[labels]->value, sample->values[labels]);
    }
    CHECK_INT(got->n_label, labels);
    bool counter = sample->family->type == METRIC_COUNTER;
    CHECK_INT(!got->histogram, !sample->histogram);
    CHECK_INT(!got->counter, !counter);
    CHECK_INT(!got->gauge, counter || sample->histogram);
    if (got->gauge)
        CHECK_NUMBER(got->gauge->value, sample->value);
    if (got->counter) {
        CHECK_NUMBER(got->counter->value, sample->value);
        check_time(got->counter->created_timestamp,
                   sample->detail ? sample->detail->created_at : 0);
        check_exemplar(got->counter->exemplar, sample, 0);
    }
    if (got->histogram)
        check_histogram(got->histogram, sample);
}

static void check_set(const struct metric_set *set)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    size_t at = 0, sample = 0;
    encode(set, &body);
    while (at < body.length) {
        read_family *family = read_next(&body, &at);
        if (!family)
            return;
        CHECK(sample < set->count && family->n_metric > 0);
        CHECK_TEXT(family->name, set->samples[sample].family->name);
        CHECK_TEXT(family->help, set->samples[sample].family->help);
        for (size_t i = 0; i < family->n_metric && sample < set->count; i++)
            check_metric(family->metric[i], &set->samples[sample++]);
        free_family(family);
    }
    CHECK_INT(sample, set->count);
}

TEST(what_is_read_back_is_what_was_written)
{
    for (uint64_t turn = 1; turn <= HISTORIES; turn++) {
        CLEANUP(metric_set_finish) struct metric_set set = { 0 };
        uint64_t state = turn * 0x9e3779b97f4a7c15;
        for (size_t i = draw(&state, SERIES); i-- > 0;)
            draw_sample(&set, drawn_families[draw(&state, ARRAY_COUNT(drawn_families))], &state);
        metric_set_sort(&set);
        check_set(&set);
    }
}
