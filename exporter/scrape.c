#include "exporter/scrape.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/points.h"
#include "collectors/collector.h"
#include "collectors/run/runner.h"
#include "core/clock.h"
#include "core/gzip.h"
#include "core/memory.h"
#include "exporter/process.h"
#include "exporter/selection.h"
#include "exporter/web/dispatch.h"
#include "exporter/web/login.h"

/* A scrape within this time of another gets the same bytes: at a normal pace every scrape sees
 * fresh values, at a benchmark's pace the program's own metrics cost nothing. */
enum { OWN_FRESH_MS = 100 };

/* Of 4.4 MB of samples level 1 makes 273 kB in 9 ms, level 6 226 kB in 21 ms: time once a snapshot
 * against bytes with every scrape. The own part is compressed each time it is made. */
enum { GZIP_DOMAIN = 6, GZIP_OWN = 1 };

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_COUNT };

/* A finished answer; several responses under way may share it. */
struct body {
    atomic_int references;
    struct buf bytes;
    int64_t made_at_ms; /* monotonic */
};

/* One format's cache. The domain part belongs to whoever renders, the bodies to the lock. */
struct rendition {
    struct buf domain;        /* with what begins a body */
    bool has_families;        /* in the domain part */
    struct gzip_piece packed; /* the same, made when somebody asks for gzip */
    bool is_packed;
    uint64_t generation;        /* of the snapshot */
    uint64_t alerts_generation; /* of the last evaluation */
    struct series_rules *rules; /* it was rendered with; NULL = never */
    struct series_report report;
    struct source_list *sources; /* whose families the report names */
    struct body *bodies[CODING_COUNT];
};

struct scrape {
    struct snapshot_store *snapshots;
    struct metric_store *metrics;
    struct alerting *alerting; /* NULL = none */
    struct process process;    /* only read */
    pthread_mutex_t lock;
    pthread_cond_t rendered;
    bool rendering;
    struct series_rules *rules;
    bool without_process;
    struct encoding_options options;
    const struct encoding *formats; /* format_count of them */
    size_t format_count;
    struct rendition *renditions; /* one a format */
};

/* What a rendering works with, taken under the lock. */
struct job {
    struct scrape *scrape;
    const struct encoding *encoding;
    struct rendition *rendition;
    enum coding coding;
    struct series_rules *rules;
    bool without_process;
    struct encoding_options options;
};

/* --- life ----------------------------------------------------------------------------------- */

struct scrape *scrape_create(struct snapshot_store *snapshots, struct metric_store *metrics,
                             const struct encoding *formats, size_t format_count)
{
    struct scrape *scrape = MEMORY_NEW(struct scrape);
    scrape->snapshots = snapshots;
    scrape->metrics = metrics;
    scrape->formats = formats;
    scrape->format_count = format_count;
    scrape->renditions = MEMORY_ARRAY(struct rendition, format_count);
    pthread_mutex_init(&scrape->lock, NULL);
    pthread_cond_init(&scrape->rendered, NULL);
    process_init(&scrape->process);
    return scrape;
}

void scrape_attach(struct scrape *scrape, struct alerting *alerting)
{
    scrape->alerting = alerting;
}

static void body_release(void *owner)
{
    struct body *body = owner;
    if (!body || atomic_fetch_sub(&body->references, 1) > 1)
        return;
    buf_finish(&body->bytes);
    free(body);
}

void scrape_destroy(struct scrape *scrape)
{
    if (!scrape)
        return;
    for (size_t i = 0; i < scrape->format_count; i++) {
        struct rendition *rendition = &scrape->renditions[i];
        buf_finish(&rendition->domain);
        gzip_piece_finish(&rendition->packed);
        series_rules_release(rendition->rules);
        series_report_finish(&rendition->report);
        source_list_release(rendition->sources);
        for (size_t coding = 0; coding < CODING_COUNT; coding++)
            body_release(rendition->bodies[coding]);
    }
    series_rules_release(scrape->rules);
    process_finish(&scrape->process);
    pthread_cond_destroy(&scrape->rendered);
    pthread_mutex_destroy(&scrape->lock);
    free(scrape->renditions);
    free(scrape);
}

bool scrape_configure(struct scrape *scrape, const struct scrape_config *config,
                      struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct source_list *sources = snapshot_store_sources(scrape->snapshots);
    struct series_rules *rules = series_rules_create(
        &config->series, series_list_families(sources, alerting_families, &arena), error);
    source_list_release(sources);
    if (!rules)
        return false;
    pthread_mutex_lock(&scrape->lock);
    struct series_rules *older = scrape->rules;
    scrape->rules = rules;
    scrape->without_process = config->without_process;
    scrape->options = config->options;
    pthread_mutex_unlock(&scrape->lock);
    series_rules_release(older);
    return true;
}

/* --- rendering ------------------------------------------------------------------------------ */

/* Whether a domain part is that of the current snapshot and the last evaluation. */
static bool is_current(const struct scrape *scrape, const struct rendition *rendition)
{
    return rendition->generation == snapshot_generation(scrape->snapshots, clock_now_s()) &&
           (!scrape->alerting ||
            rendition->alerts_generation == alerting_generation(scrape->alerting));
}

/* What needs no ledger: where one is kept, its evaluations work it out. */
static void emit_points(const struct snapshot *snapshot, struct metric_set *set)
{
    struct points *points = points_create(snapshot);
    points_emit(points, set);
    points_destroy(points);
}

/* The domain part for one snapshot, sorted and limited. selection: NULL = all of it. sources: with
 * a reference, as long as the families are needed. */
static uint64_t fill_domain(const struct job *job, const struct selection *selection,
                            struct metric_set *set, struct series_report *report,
                            struct source_list **sources)
{
    struct snapshot *snapshot = snapshot_acquire(job->scrape->snapshots, clock_now_s());
    uint64_t generation = snapshot->generation;
    *sources = snapshot->sources;
    source_list_acquire(*sources);
    series_begin(job->rules, set);
    runner_emit(snapshot, set);
    if (selection)
        selection_apply(selection, set);
    if (!job->scrape->alerting)
        emit_points(snapshot, set);
    snapshot_release(snapshot);
    char trouble[TROUBLE_TEXT_BYTES];
    if (job->scrape->alerting && alerting_trouble(job->scrape->alerting, trouble))
        runner_emit_down(set);
    if (job->scrape->alerting)
        alerting_emit(job->scrape->alerting, set);
    series_apply(job->rules, true, set, report);
    return generation;
}

static bool contains(const struct family *const *families, const struct family *family)
{
    for (; *families; families++)
        if (*families == family)
            return true;
    return false;
}

static void drop_process(struct metric_set *set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++)
        if (!contains(dispatch_families, set->samples[i].family) &&
            !contains(login_families, set->samples[i].family))
            set->samples[kept++] = set->samples[i];
    set->count = kept;
}

/* The program's own metrics, sorted. */
static void fill_own(const struct job *job, const struct series_report *domain,
                     struct metric_set *set)
{
    CLEANUP(series_report_finish) struct series_report own = { 0 };
    series_begin(job->rules, set);
    metric_store_emit(job->scrape->metrics, set);
    if (job->without_process)
        drop_process(set);
    else
        process_emit(&job->scrape->process, set);
    if (job->scrape->alerting)
        alerting_emit_own(job->scrape->alerting, set);
    series_apply(job->rules, false, set, &own);
    series_emit(domain, &own, set);
}

/* The same in the job's format, and what ends a body. first: the domain part had no families. */
static void render_own(const struct job *job, const struct series_report *domain, bool first,
                       struct buf *out)
{
    CLEANUP(metric_set_finish) struct metric_set set;
    fill_own(job, domain, &set);
    encoding_append(job->encoding, &job->options, &set, first, out);
    encoding_end(job->encoding, out);
}

/* Bring the cached domain part up to date. */
static void render_domain(const struct job *job)
{
    struct rendition *rendition = job->rendition;
    if (rendition->rules != job->rules || !is_current(job->scrape, rendition)) {
        CLEANUP(metric_set_finish) struct metric_set set;
        struct alerting *alerting = job->scrape->alerting;
        rendition->alerts_generation = alerting ? alerting_generation(alerting) : 0;
        series_report_finish(&rendition->report);
        source_list_release(rendition->sources);
        rendition->generation =
            fill_domain(job, NULL, &set, &rendition->report, &rendition->sources);
        series_rules_acquire(job->rules);
        series_rules_release(rendition->rules);
        rendition->rules = job->rules;
        rendition->is_packed = false;
        buf_reset(&rendition->domain);
        encoding_begin(job->encoding, &rendition->domain);
        encoding_append(job->encoding, &job->options, &set, true, &rendition->domain);
        rendition->has_families = set.count > 0;
    }
    if (job->coding == CODING_GZIP && !rendition->is_packed) {
        gzip_piece_fill(&rendition->packed, rendition->domain.data, rendition->domain.length,
                        GZIP_DOMAIN);
        rendition->is_packed = true;
    }
}

static struct body *render(const struct job *job)
{
    struct body *body = MEMORY_NEW(struct body);
    atomic_init(&body->references, 1);
    render_domain(job);
    const struct rendition *rendition = job->rendition;
    if (job->coding == CODING_IDENTITY) {
        buf_reserve(&body->bytes, rendition->domain.length + 32768);
        buf_append(&body->bytes, rendition->domain.data, rendition->domain.length);
        render_own(job, &rendition->report, !rendition->has_families, &body->bytes);
    } else {
        CLEANUP(buf_finish) struct buf own = { 0 };
        CLEANUP(gzip_piece_finish) struct gzip_piece packed = { 0 };
        render_own(job, &rendition->report, !rendition->has_families, &own);
        gzip_piece_fill(&packed, own.data, own.length, GZIP_OWN);
        buf_reserve(&body->bytes, rendition->packed.deflated.length + packed.deflated.length + 64);
        gzip_join(&body->bytes, (const struct gzip_piece *const[]){ &rendition->packed, &packed },
                  2);
    }
    body->made_at_ms = clock_monotonic_ms();
    return body;
}

/* --- the cache ------------------------------------------------------------------------------ */

/* Whether the cached body is still true. The lock is held. */
static bool is_fresh(const struct scrape *scrape, const struct rendition *rendition,
                     enum coding coding)
{
    const struct body *body = rendition->bodies[coding];
    return body && clock_monotonic_ms() - body->made_at_ms < OWN_FRESH_MS &&
           rendition->rules == scrape->rules && is_current(scrape, rendition);
}

static struct job job_of(struct scrape *scrape, const struct encoding *encoding, enum coding coding)
{
    struct job job = { .scrape = scrape, .encoding = encoding, .coding = coding };
    job.rendition = &scrape->renditions[encoding - scrape->formats];
    job.rules = scrape->rules;
    job.without_process = scrape->without_process;
    job.options = scrape->options;
    series_rules_acquire(job.rules);
    return job;
}

/* Become the one who renders, with the lock held; others wait meanwhile, or take older bytes. */
static struct body *refresh(struct scrape *scrape, const struct encoding *encoding,
                            enum coding coding)
{
    struct job job = job_of(scrape, encoding, coding);
    scrape->rendering = true;
    pthread_mutex_unlock(&scrape->lock);
    struct body *body = render(&job);
    pthread_mutex_lock(&scrape->lock);
    scrape->rendering = false;
    body_release(job.rendition->bodies[coding]);
    job.rendition->bodies[coding] = body;
    series_rules_release(job.rules);
    pthread_cond_broadcast(&scrape->rendered);
    return body;
}

/* The finished answer; the caller releases it. */
static struct body *acquire_body(struct scrape *scrape, const struct encoding *encoding,
                                 enum coding coding)
{
    struct rendition *rendition = &scrape->renditions[encoding - scrape->formats];
    pthread_mutex_lock(&scrape->lock);
    while (scrape->rendering && !rendition->bodies[coding])
        pthread_cond_wait(&scrape->rendered, &scrape->lock);
    struct body *body = rendition->bodies[coding];
    if (!scrape->rendering && !is_fresh(scrape, rendition, coding))
        body = refresh(scrape, encoding, coding);
    atomic_fetch_add(&body->references, 1);
    pthread_mutex_unlock(&scrape->lock);
    return body;
}

void scrape_print(struct scrape *scrape, struct buf *out)
{
    struct body *body =
        acquire_body(scrape, &scrape->formats[scrape->format_count - 1], CODING_IDENTITY);
    buf_append(out, body->bytes.data, body->bytes.length);
    body_release(body);
}

/* --- the samples themselves ------------------------------------------------------------------- */

void scrape_read(void *context, scrape_take *take, void *taker)
{
    CLEANUP(series_report_finish) struct series_report report = { 0 };
    struct scrape *scrape = context;
    struct metric_set set;
    struct source_list *sources;
    pthread_mutex_lock(&scrape->lock);
    struct job job = job_of(scrape, &scrape->formats[0], CODING_IDENTITY);
    pthread_mutex_unlock(&scrape->lock);
    fill_domain(&job, NULL, &set, &report, &sources);
    take(taker, &set);
    metric_set_finish(&set);
    fill_own(&job, &report, &set);
    take(taker, &set);
    metric_set_finish(&set);
    source_list_release(sources);
    series_rules_release(job.rules);
}

/* --- the handler ---------------------------------------------------------------------------- */

/* Which bytes a client understands, and what they are called. */
struct wanted {
    struct encoding_choice format;
    enum coding coding;
};

/* A part of the exposition, made for this request alone. */
static void respond_selected(struct scrape *scrape, const struct wanted *wanted,
                             const struct selection *selection, struct web_response *response)
{
    CLEANUP(metric_set_finish) struct metric_set set;
    CLEANUP(series_report_finish) struct series_report report = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    pthread_mutex_lock(&scrape->lock);
    struct job job = job_of(scrape, wanted->format.encoding, wanted->coding);
    pthread_mutex_unlock(&scrape->lock);
    struct source_list *sources;
    fill_domain(&job, selection, &set, &report, &sources);
    encoding_begin(job.encoding, &text);
    encoding_append(job.encoding, &job.options, &set, true, &text);
    render_own(&job, &report, !set.count, &text);
    source_list_release(sources);
    series_rules_release(job.rules);
    if (job.coding == CODING_GZIP) {
        struct buf packed = { 0 };
        gzip_append(&packed, text.data, text.length, GZIP_OWN);
        web_response_buf(response, 200, wanted->format.content_type, &packed);
    } else {
        web_response_buf(response, 200, wanted->format.content_type, &text);
    }
}

static void respond_body(struct body *body, const struct wanted *wanted,
                         struct web_response *response)
{
    response->type = wanted->format.content_type;
    response->bytes = body->bytes.data;
    response->count = body->bytes.length;
    response->release = body_release;
    response->owner = body;
}

static struct wanted negotiate(const struct scrape *scrape, const struct web_request *request)
{
    CLEANUP(buf_finish) struct buf accept = { 0 };
    struct wanted wanted = { .coding = CODING_IDENTITY };
    web_request_header(request, "Accept-Encoding", &accept);
    if (encoding_gzip(buf_cstr(&accept)))
        wanted.coding = CODING_GZIP;
    buf_reset(&accept);
    web_request_header(request, "Accept", &accept);
    wanted.format = encoding_choose(scrape->formats, scrape->format_count, buf_cstr(&accept));
    return wanted;
}

static void describe(enum coding coding, struct web_response *response)
{
    web_response_header(response, "Vary", "Accept, Accept-Encoding");
    if (coding == CODING_GZIP)
        web_response_header(response, "Content-Encoding", "gzip");
}

void scrape_handle(void *context, const struct web_request *request, struct web_response *response)
{
    struct scrape *scrape = context;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct source_list *sources = snapshot_store_sources(scrape->snapshots);
    struct selection selection;
    struct error error;
    const struct wanted wanted = negotiate(scrape, request);
    if (!selection_read(request, sources, &arena, &selection, &error)) {
        describe(CODING_IDENTITY, response);
        web_response_text(response, 400, error.message);
    } else {
        describe(wanted.coding, response);
        if (selection.narrow)
            respond_selected(scrape, &wanted, &selection, response);
        else
            respond_body(acquire_body(scrape, wanted.format.encoding, wanted.coding), &wanted,
                         response);
    }
    source_list_release(sources);
}

bool scrape_handle_at_once(void *context, const struct web_request *request,
                           struct web_response *response)
{
    struct scrape *scrape = context;
    if (request->query_count)
        return false;
    const struct wanted wanted = negotiate(scrape, request);
    struct rendition *rendition = &scrape->renditions[wanted.format.encoding - scrape->formats];
    pthread_mutex_lock(&scrape->lock);
    struct body *body = rendition->bodies[wanted.coding];
    bool there = body && (scrape->rendering || is_fresh(scrape, rendition, wanted.coding));
    if (there)
        atomic_fetch_add(&body->references, 1);
    pthread_mutex_unlock(&scrape->lock);
    if (!there)
        return false;
    describe(wanted.coding, response);
    respond_body(body, &wanted, response);
    return true;
}
