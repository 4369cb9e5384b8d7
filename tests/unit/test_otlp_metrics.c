/* Samples as they are pushed. */
#include "otlp_world.h"

#include "exporter/otlp/otlp_samples.h"

enum { AT = 1763726500, STARTED = 1763726400 };

static const double bounds[] = { 0.5, 1 };
static const struct family_2 findings = { .name = "defender_findings",
                                          .type = METRIC_GAUGE,
                                          .help = "Open findings.",
                                          LABELS("risk_level", "id") };
static const struct family_1 opened = { .name = "defender_findings_opened_total",
                                        .type = METRIC_COUNTER,
                                        .help = "Opened.",
                                        LABELS("risk_level") };
static const struct family_0 took = { .name = "defender_took_seconds",
                                      .type = METRIC_HISTOGRAM,
                                      .help = "Time.",
                                      .unit = "seconds",
                                      .buckets = bounds,
                                      .bucket_count = 2 };
static const struct family_1 info = {
    .name = "defender_thing_info", .type = METRIC_INFO, .help = "A thing.", LABELS("name")
};

/* Three values, the last one not long ago. */
static void fill_took(struct metric_set *set)
{
    static const char id[] = "00000000000000aa";
    const struct metric_exemplar exemplars[] = { { "finding_id", id, 0.25, 1763726450.5 },
                                                 { 0 },
                                                 { "finding_id", id, 4, 1763726460 } };
    struct exponential native = { 0 };
    exponential_add(&native, 0.25, 1);
    exponential_add(&native, 0.5, 1);
    exponential_add(&native, 0, 1);
    metric_add_histogram(
        set, &took,
        (&(const struct metric_histogram){ 0.75, 3, (const uint64_t[]){ 3, 0, 0 }, &native }),
        (&(const struct metric_detail){ AT + 2, exemplars }), METRIC_LABELS());
}

static void fill(struct metric_set *set)
{
    const struct metric_exemplar exemplar = { "finding_id", "00000000000000bb", 1, 1763726499 };
    *set = (struct metric_set){ 0 };
    metric_add(set, &findings, 3, METRIC_LABELS("critical", "b"));
    metric_add(set, &findings, 0, METRIC_LABELS("critical", "a\xff"));
    metric_add(set, &opened, 5, METRIC_LABELS("high"));
    metric_add_counter(set, &opened, 7, (&(const struct metric_detail){ 1763720000, &exemplar }),
                       METRIC_LABELS("low"));
    metric_add_histogram(set, &took,
                         (&(const struct metric_histogram){
                             .sum = 1.25, .count = 6, .buckets = (const uint64_t[]){ 1, 2, 3 } }),
                         NULL, METRIC_LABELS());
    metric_add(set, &info, 1, METRIC_LABELS("x"));
    metric_set_sort(set);
}

static void print_exemplars(Opentelemetry__Proto__Metrics__V1__Exemplar *const *exemplars,
                            size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(exemplars[i]->value_case ==
              OPENTELEMETRY__PROTO__METRICS__V1__EXEMPLAR__VALUE_AS_DOUBLE);
        buf_printf(out, "  such as %g at %.1f\n", exemplars[i]->as_double,
                   (double)exemplars[i]->time_unix_nano / 1e9);
        otlp_receiver_attributes(exemplars[i]->filtered_attributes,
                                 exemplars[i]->n_filtered_attributes, out);
    }
}

static void print_point(const Opentelemetry__Proto__Metrics__V1__NumberDataPoint *point,
                        struct buf *out)
{
    CHECK(point->value_case ==
          OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_DOUBLE);
    buf_printf(out, " %g at %llu since %llu\n", point->as_double,
               (unsigned long long)point->time_unix_nano / 1000000000,
               (unsigned long long)point->start_time_unix_nano / 1000000000);
    otlp_receiver_attributes(point->attributes, point->n_attributes, out);
    print_exemplars(point->exemplars, point->n_exemplars, out);
}

static void
print_exponential(const Opentelemetry__Proto__Metrics__V1__ExponentialHistogramDataPoint *point,
                  struct buf *out)
{
    buf_printf(out, " count %llu sum %g at %llu since %llu\n  scale %d zeros %llu up to %g",
               (unsigned long long)point->count, point->sum,
               (unsigned long long)point->time_unix_nano / 1000000000,
               (unsigned long long)point->start_time_unix_nano / 1000000000, point->scale,
               (unsigned long long)point->zero_count, point->zero_threshold);
    CHECK(!point->negative);
    if (point->positive)
        buf_printf(out, " from %d", point->positive->offset);
    for (size_t i = 0; point->positive && i < point->positive->n_bucket_counts; i++)
        buf_printf(out, " %llu", (unsigned long long)point->positive->bucket_counts[i]);
    buf_char(out, '\n');
    otlp_receiver_attributes(point->attributes, point->n_attributes, out);
    print_exemplars(point->exemplars, point->n_exemplars, out);
}

static void print_histogram(const Opentelemetry__Proto__Metrics__V1__HistogramDataPoint *point,
                            struct buf *out)
{
    buf_printf(out, " count %llu sum %g at %llu since %llu\n ", (unsigned long long)point->count,
               point->sum, (unsigned long long)point->time_unix_nano / 1000000000,
               (unsigned long long)point->start_time_unix_nano / 1000000000);
    for (size_t i = 0; i < point->n_bucket_counts; i++)
        buf_printf(out, " %llu", (unsigned long long)point->bucket_counts[i]);
    for (size_t i = 0; i < point->n_explicit_bounds; i++)
        buf_printf(out, " <=%g", point->explicit_bounds[i]);
    buf_char(out, '\n');
    otlp_receiver_attributes(point->attributes, point->n_attributes, out);
    print_exemplars(point->exemplars, point->n_exemplars, out);
}

static void print_metric(const Opentelemetry__Proto__Metrics__V1__Metric *metric, struct buf *out)
{
    buf_printf(out, "%s [%s] %s", metric->name, metric->unit, metric->description);
    switch (metric->data_case) {
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE:
        buf_text(out, " gauge\n");
        for (size_t i = 0; i < metric->gauge->n_data_points; i++)
            print_point(metric->gauge->data_points[i], out);
        break;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM:
        buf_printf(out, " sum, temporality %d%s\n", metric->sum->aggregation_temporality,
                   metric->sum->is_monotonic ? ", monotonic" : "");
        for (size_t i = 0; i < metric->sum->n_data_points; i++)
            print_point(metric->sum->data_points[i], out);
        break;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_HISTOGRAM:
        buf_printf(out, " histogram, temporality %d\n", metric->histogram->aggregation_temporality);
        for (size_t i = 0; i < metric->histogram->n_data_points; i++)
            print_histogram(metric->histogram->data_points[i], out);
        break;
    case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_EXPONENTIAL_HISTOGRAM:
        buf_printf(out, " exponential, temporality %d\n",
                   metric->exponential_histogram->aggregation_temporality);
        for (size_t i = 0; i < metric->exponential_histogram->n_data_points; i++)
            print_exponential(metric->exponential_histogram->data_points[i], out);
        break;
    default:
        buf_text(out, " ?\n");
    }
    otlp_receiver_attributes(metric->metadata, metric->n_metadata, out);
}

/* Append a request as text. */
static void print_request(const struct buf *body, struct buf *out)
{
    Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest *read =
        opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__unpack(
            NULL, body->length, (const uint8_t *)body->data);
    CHECK(read && read->n_resource_metrics == 1);
    const Opentelemetry__Proto__Metrics__V1__ScopeMetrics *scope =
        read->resource_metrics[0]->scope_metrics[0];
    for (size_t i = 0; i < scope->n_metrics; i++)
        print_metric(scope->metrics[i], out);
    opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__free_unpacked(
        read, NULL);
}

static void print_packet(const struct otlp_packet *packet, struct buf *out)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    otlp_send_unpack(packet, &body);
    CHECK(body.length < 2 * OTLP_METRICS_BYTES);
    print_request(&body, out);
}

static void begin(struct otlp_metrics *metrics, struct otlp_resource *resource)
{
    static const struct otlp_config config = { 0 };
    otlp_resource_init(resource, &config, "one");
    *metrics = (struct otlp_metrics){ .resource = resource, .at = AT, .started_at = STARTED };
}

TEST(each_type_has_its_form)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(otlp_resource_finish) struct otlp_resource resource;
    CLEANUP(otlp_metrics_finish) struct otlp_metrics metrics;
    CLEANUP(metric_set_finish) struct metric_set set;
    begin(&metrics, &resource);
    fill(&set);
    otlp_metrics_add(&metrics, &set);
    otlp_metrics_end(&metrics);
    CHECK_INT(metrics.count, 1);
    CHECK_INT(metrics.packets[0].items, 6);
    print_packet(&metrics.packets[0], &out);
    CHECK_TEXT(buf_cstr(&out),
               "defender.findings [{finding}] Open findings. gauge\n"
               " 0 at 1763726500 since 0\n  risk_level=critical\n  id=a\xef\xbf\xbd\n"
               " 3 at 1763726500 since 0\n  risk_level=critical\n  id=b\n"
               "defender.findings.opened [] Opened. sum, temporality 2, monotonic\n"
               " 5 at 1763726500 since 1763726400\n  risk_level=high\n"
               " 7 at 1763726500 since 1763720000\n  risk_level=low\n"
               "  such as 1 at 1763726499.0\n  finding_id=00000000000000bb\n"
               "defender.took [s] Time. histogram, temporality 2\n"
               " count 6 sum 1.25 at 1763726500 since 1763726400\n  1 2 3 <=0.5 <=1\n"
               "defender.thing.info [] A thing. sum, temporality 2\n"
               " 1 at 1763726500 since 0\n  name=x\n  prometheus.type=info\n");
}

static const char *took_as(bool exponential, const char *from)
{
    static struct buf out;
    CLEANUP(otlp_resource_finish) struct otlp_resource resource;
    CLEANUP(otlp_metrics_finish) struct otlp_metrics metrics;
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    begin(&metrics, &resource);
    metrics.exponential = exponential;
    fill_took(&set);
    otlp_metrics_add(&metrics, &set);
    otlp_metrics_end(&metrics);
    buf_finish(&out);
    print_packet(&metrics.packets[0], &out);
    return strstr(buf_cstr(&out), from);
}

/* The series is younger than the moment that is told of: it began then. */
TEST(histograms_have_the_form_that_is_wished)
{
#define EXEMPLARS                                                                                  \
    "  such as 0.25 at 1763726450.5\n  finding_id=00000000000000aa\n"                              \
    "  such as 4 at 1763726460.0\n  finding_id=00000000000000aa\n"
    CHECK_TEXT(took_as(false, "histogram"),
               "histogram, temporality 2\n"
               " count 3 sum 0.75 at 1763726500 since 1763726500\n  3 0 0 <=0.5 <=1\n" EXEMPLARS);
    CHECK_TEXT(took_as(true, "exponential"),
               "exponential, temporality 2\n"
               " count 3 sum 0.75 at 1763726500 since 1763726500\n"
               "  scale 3 zeros 1 up to 2.93874e-39 from -17 1 0 0 0 0 0 0 0 1\n" EXEMPLARS);
#undef EXEMPLARS
}

TEST(empty_and_unknown_exponential_buckets)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(otlp_resource_finish) struct otlp_resource resource;
    CLEANUP(otlp_metrics_finish) struct otlp_metrics metrics;
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    static const struct family_0 other = { .name = "defender_other_seconds",
                                           .type = METRIC_HISTOGRAM,
                                           .help = "Time.",
                                           .buckets = bounds,
                                           .bucket_count = 2 };
    const struct exponential none = { 0 };
    const struct metric_histogram empty = { 0, 0, (const uint64_t[]){ 0, 0, 0 }, &none };
    const struct metric_histogram classic = { 1, 1, (const uint64_t[]){ 0, 1, 0 }, NULL };
    begin(&metrics, &resource);
    metrics.exponential = true;
    metric_add_histogram(&set, &took, &empty, NULL, METRIC_LABELS());
    metric_add_histogram(&set, &other, &classic, NULL, METRIC_LABELS());
    otlp_metrics_add(&metrics, &set);
    otlp_metrics_end(&metrics);
    print_packet(&metrics.packets[0], &out);
    CHECK_CONTAINS(buf_cstr(&out), "  scale 3 zeros 0 up to 2.93874e-39\n");
    CHECK_CONTAINS(buf_cstr(&out), "histogram, temporality 2\n count 1 sum 1");
}

/* A family that is larger than a request stands in several. */
TEST(packets_are_small)
{
    enum { SAMPLES = 20000 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(otlp_resource_finish) struct otlp_resource resource;
    CLEANUP(otlp_metrics_finish) struct otlp_metrics metrics;
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    size_t points = 0, items = 0;
    begin(&metrics, &resource);
    for (int i = 0; i < SAMPLES; i++) {
        char id[32];
        snprintf(id, sizeof id, "%06d", i);
        metric_add(&set, &findings, i, METRIC_LABELS("high", id));
    }
    otlp_metrics_add(&metrics, &set);
    otlp_metrics_end(&metrics);
    CHECK(metrics.count > 3);
    for (size_t i = 0; i < metrics.count; i++) {
        print_packet(&metrics.packets[i], &out);
        items += metrics.packets[i].items;
    }
    for (const char *at = buf_cstr(&out); (at = strstr(at, "  id=")); at++)
        points++;
    CHECK_INT(points, SAMPLES);
    CHECK_INT(items, SAMPLES);
    CHECK_CONTAINS(buf_cstr(&out), " 19999 at");
}

/* --- when ------------------------------------------------------------------------------------- */

struct scene {
    struct loopback *server;
    struct otlp_samples samples;
    struct otlp_resource resource;
    struct metric_store *metrics;
    struct http_client *client;
    struct secret headers;
    int status, requests;
    const char *more;
    int reads;
    size_t samples_each; /* so many more points */
    const char *one;     /* and one more with this label */
    size_t most;         /* bytes of a request that it takes; 0 = any number */
    struct buf taken;    /* requests as text */
};

static void reply(void *context, const struct loopback_request *request, struct buf *out)
{
    struct scene *scene = context;
    CLEANUP(buf_finish) struct buf body = { 0 };
    int status = scene->status;
    scene->requests++;
    otlp_receiver_unpack(request, &body);
    if (scene->most && body.length > scene->most)
        status = 413;
    if (status == 200)
        print_request(&body, &scene->taken);
    loopback_reply_bytes(out, status, scene->more, "", 0);
}

static void read_set(void *source, otlp_samples_take *take, void *context)
{
    struct scene *scene = source;
    CLEANUP(metric_set_finish) struct metric_set set;
    fill(&set);
    for (size_t i = 0; i < scene->samples_each; i++) {
        char id[32];
        snprintf(id, sizeof id, "%06zu", i);
        metric_add(&set, &findings, 1, METRIC_LABELS("high", id));
    }
    if (scene->one)
        metric_add(&set, &opened, 1, METRIC_LABELS(scene->one));
    metric_set_sort(&set);
    scene->reads++;
    take(context, &set);
}

static void set_up(struct scene *scene)
{
    static const struct otlp_config config = { 0 };
    *scene = (struct scene){ .status = 200, .more = "" };
    scene->server = loopback_start(reply, scene);
    scene->metrics = metric_store_create();
    scene->client = http_client_create();
    otlp_resource_init(&scene->resource, &config, "one");
    scene->samples = (struct otlp_samples){
        .push = { .signal = OTLP_METRICS,
                  .reach = { .url = scene->server->url,
                             .headers = &scene->headers,
                             .timeout_ms = 5000,
                             .gzip = true },
                  .client = scene->client,
                  .metrics = scene->metrics },
        .metrics = { .resource = &scene->resource, .started_at = STARTED },
        .read = read_set,
        .source = scene,
        .interval_ms = 60000,
    };
    otlp_samples_open(&scene->samples);
}

static void tear_down(struct scene *scene)
{
    otlp_samples_finish(&scene->samples);
    otlp_resource_finish(&scene->resource);
    http_client_destroy(scene->client);
    metric_store_destroy(scene->metrics);
    loopback_stop(scene->server);
    buf_finish(&scene->taken);
}

/* "reads requests" of this moment. */
static const char *run(struct scene *scene, int64_t now_ms)
{
    static char text[64];
    int reads = scene->reads, requests = scene->requests;
    otlp_samples_run(&scene->samples, now_ms, AT);
    snprintf(text, sizeof text, "%d %d", scene->reads - reads, scene->requests - requests);
    return text;
}

TEST(metrics_are_pushed_at_their_interval)
{
    struct scene scene;
    set_up(&scene);
    CHECK_TEXT(run(&scene, 5000), "1 1");
    CHECK_TEXT(run(&scene, 6000), "0 0");
    CHECK_TEXT(run(&scene, 64999), "0 0");
    CHECK_TEXT(run(&scene, 65000), "1 1");
    CHECK_TEXT(run(&scene, 300000), "1 1"); /* asleep */
    CHECK_TEXT(run(&scene, 304999), "0 0"); /* the pace stays */
    CHECK_TEXT(run(&scene, 305000), "1 1");
    tear_down(&scene);
}

TEST(what_was_not_taken_is_pushed_again_until_there_is_newer)
{
    struct scene scene;
    set_up(&scene);
    scene.status = 503;
    scene.samples_each = 20000; /* several packets */
    CHECK_TEXT(run(&scene, 1000), "1 1");
    char again[32], anew[32];
    CHECK(scene.samples.metrics.count > 3);
    snprintf(again, sizeof again, "0 %zu", scene.samples.metrics.count);
    snprintf(anew, sizeof anew, "1 %zu", scene.samples.metrics.count);
    int64_t due_ms = scene.samples.push.due_ms;
    CHECK(due_ms >= 1800 && due_ms <= 2200);
    CHECK_TEXT(run(&scene, due_ms - 1), "0 0");
    CHECK_TEXT(run(&scene, due_ms), "0 1");
    scene.status = 200;
    due_ms = scene.samples.push.due_ms;
    CHECK_TEXT(run(&scene, due_ms), again);
    CHECK_TEXT(run(&scene, due_ms + 1), "0 0");
    scene.status = 503;
    CHECK_TEXT(run(&scene, 61000), "1 1");
    scene.status = 200;
    CHECK_TEXT(run(&scene, 121000), anew);
    scene.status = 429;
    scene.more = "Retry-After: 90\r\n";
    CHECK_TEXT(run(&scene, 181000), "1 1");
    CHECK_TEXT(run(&scene, 241000), "0 0"); /* it asked for time */
    scene.status = 200;
    CHECK_TEXT(run(&scene, 271000), anew);
    CHECK_TEXT(run(&scene, 301000), anew);
    tear_down(&scene);
}

static double rejected(const struct scene *scene)
{
    return metric_read_values(scene->metrics, otlp_push_families[2],
                              METRIC_LABELS("metrics")->values);
}

static size_t times(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        count++;
    return count;
}

/* Each point arrives once, and the next push is made of requests that are small enough. */
TEST(what_is_too_large_is_pushed_in_halves)
{
    enum { SAMPLES = 5000, MOST = 10000 };
    struct scene scene;
    set_up(&scene);
    scene.samples_each = SAMPLES;
    scene.most = MOST;
    run(&scene, 1000);
    CHECK_NUMBER(rejected(&scene), 0);
    CHECK_INT(times(buf_cstr(&scene.taken), "  id="), SAMPLES + 2);
    CHECK_INT(times(buf_cstr(&scene.taken), "  id=004999\n"), 1);
    CHECK_INT(times(buf_cstr(&scene.taken), " count 6 "), 1);
    CHECK_INT(times(buf_cstr(&scene.taken), "finding_id="), 1);
    CHECK_INT(times(buf_cstr(&scene.taken), "prometheus.type=info"), 1);
    int requests = scene.requests;
    buf_reset(&scene.taken);
    run(&scene, 61000);
    CHECK_INT(times(buf_cstr(&scene.taken), "  id="), SAMPLES + 2);
    CHECK(scene.requests - requests < requests);
    CHECK_NUMBER(
        metric_read_values(scene.metrics, otlp_push_families[2], METRIC_LABELS("metrics")->values),
        0);
    tear_down(&scene);
}

/* A single point that is too large goes alone; whoever takes none is not asked for each. */
TEST(what_cannot_be_halved_is_given_up)
{
    struct scene scene;
    char large[3000];
    set_up(&scene);
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    scene.samples_each = 2000;
    scene.one = large;
    scene.most = 2000;
    run(&scene, 1000);
    CHECK_NUMBER(rejected(&scene), 1);
    CHECK_INT(times(buf_cstr(&scene.taken), "  id="), 2002);
    CHECK_INT(times(buf_cstr(&scene.taken), "finding_id="), 1);
    run(&scene, 61000);
    CHECK_NUMBER(rejected(&scene), 2);
    CHECK_INT(times(buf_cstr(&scene.taken), "  id="), 2 * 2002);

    int requests = scene.requests;
    scene.most = 1;
    run(&scene, 121000);
    CHECK_NUMBER(rejected(&scene), 2 + 2007);
    CHECK(scene.requests - requests < 100);
    tear_down(&scene);
}

TEST(what_is_refused_is_counted_and_dropped)
{
    struct scene scene;
    set_up(&scene);
    scene.status = 400;
    CHECK_TEXT(run(&scene, 1000), "1 1");
    CHECK_TEXT(run(&scene, 30000), "0 0");
    CHECK_NUMBER(rejected(&scene), 6);
    scene.status = 401;
    CHECK_TEXT(run(&scene, 121000), "1 1");
    CHECK_TEXT(run(&scene, 121000 + 899999), "0 0");
    CHECK_TEXT(run(&scene, 121000 + 900000), "1 1");
    tear_down(&scene);
}
