#include "exporter/scrape.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/points.h"
#include "collectors/collector.h"
#include "collectors/run/runner.h"
#include "core/clock.h"
#include "core/gzip.h"
#include "core/memory.h"
#include "core/worker.h"
#include "exporter/negotiation.h"
#include "exporter/process.h"
#include "exporter/rendition.h"
#include "exporter/selection.h"
#include "exporter/web/dispatch.h"
#include "exporter/web/login.h"

/* A scrape within this time of another gets the same bytes: at a normal pace every scrape sees
 * fresh values, at a benchmark's pace the program's own metrics cost nothing. */
enum { OWN_FRESH_MS = 100 };

/* While somebody renders, or is on the way to it, others get bytes of so long ago, or wait. */
enum { OLD_MS = 2000 };

/* How often is looked whether the data are new; rendering ahead takes at most one part of so many
 * of the time, however often they are. */
enum { AHEAD_MS = 200, AHEAD_SHARE = 10 };

/* What is compressed each time it is made. */
enum { GZIP_OWN = 1 };

/* A finished answer. */
struct body {
    struct web_shared *shared; /* NULL = there is none */
    int64_t made_at_ms;        /* monotonic */
    uint64_t domain;           /* the number of its domain part */
    bool asked;                /* somebody is on the way to render it anew */
};

/* What the domain part was made of. It belongs to whoever renders. */
struct domain {
    uint64_t number;            /* one more each time it is new; 0 = never rendered */
    uint64_t generation;        /* of the snapshot */
    uint64_t alerts_generation; /* of the last evaluation */
    struct series_rules *rules; /* it was rendered with */
    struct series_report report;
    struct source_list *sources; /* whose families the report names */
    bool has_families;
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
    struct negotiation negotiation;
    double began_at; /* Unix seconds */
    struct domain domain;
    struct rendition_set renditions; /* the domain part */
    struct worker *ahead;            /* NULL = it is not started */
    struct body bodies[ENCODINGS_MAX][RENDITION_CODINGS];
};

/* Which bytes a client understands, and what they are called. */
struct wanted {
    struct rendition *rendition;
    enum rendition_coding coding;
    const char *content_type;
};

/* What a rendering works with, taken under the lock. */
struct job {
    struct scrape *scrape;
    struct rendition *rendition; /* of the format */
    enum rendition_coding coding;
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
    negotiation_init(&scrape->negotiation, formats, format_count);
    scrape->began_at = (double)clock_now_ms() / 1000;
    rendition_set_init(&scrape->renditions, formats, format_count);
    pthread_mutex_init(&scrape->lock, NULL);
    pthread_cond_init(&scrape->rendered, NULL);
    process_init(&scrape->process);
    return scrape;
}

void scrape_attach(struct scrape *scrape, struct alerting *alerting)
{
    scrape->alerting = alerting;
}

void scrape_destroy(struct scrape *scrape)
{
    if (!scrape)
        return;
    for (size_t i = 0; i < ENCODINGS_MAX; i++)
        for (size_t coding = 0; coding < RENDITION_CODINGS; coding++)
            web_shared_release(scrape->bodies[i][coding].shared);
    negotiation_finish(&scrape->negotiation);
    rendition_set_finish(&scrape->renditions);
    series_rules_release(scrape->domain.rules);
    series_report_finish(&scrape->domain.report);
    source_list_release(scrape->domain.sources);
    series_rules_release(scrape->rules);
    process_finish(&scrape->process);
    pthread_cond_destroy(&scrape->rendered);
    pthread_mutex_destroy(&scrape->lock);
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

static uint64_t alerts_generation(const struct scrape *scrape)
{
    return scrape->alerting ? alerting_generation(scrape->alerting) : 0;
}

/* Whether the domain part is that of the current snapshot and the last evaluation. */
static bool is_current(const struct scrape *scrape)
{
    const struct domain *domain = &scrape->domain;
    return domain->generation == snapshot_generation(scrape->snapshots, clock_now_s()) &&
           domain->alerts_generation == alerts_generation(scrape);
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
    rendition_set_emit(&job->scrape->renditions, job->scrape->began_at, set);
    series_apply(job->rules, false, set, &own);
    series_emit(domain, &own, set);
}

/* The same in the job's format, and what ends a body. first: the domain part had no families. */
static void render_own(const struct job *job, const struct series_report *domain, bool first,
                       struct buf *out)
{
    CLEANUP(metric_set_finish) struct metric_set set;
    fill_own(job, domain, &set);
    encoding_append(job->rendition->encoding, &job->options, &set, first, out);
    encoding_end(job->rendition->encoding, out);
}

/* Fill the domain part anew, and render it in every format that is expected if it is another. */
static void renew_domain(const struct job *job)
{
    CLEANUP(metric_set_finish) struct metric_set set;
    struct scrape *scrape = job->scrape;
    struct domain *domain = &scrape->domain, older = *domain;
    *domain = (struct domain){ .number = older.number, .rules = job->rules };
    series_rules_acquire(job->rules);
    domain->alerts_generation = alerts_generation(scrape);
    domain->generation = fill_domain(job, NULL, &set, &domain->report, &domain->sources);
    domain->has_families = set.count > 0;
    if (!older.number || older.rules != domain->rules || older.generation != domain->generation ||
        older.alerts_generation != domain->alerts_generation) {
        domain->number++;
        rendition_set_renew(&scrape->renditions, &job->options, &set, clock_monotonic_ms());
    }
    rendition_render(job->rendition, &job->options, &set);
    series_rules_release(older.rules);
    series_report_finish(&older.report);
    source_list_release(older.sources);
}

static struct body render(const struct job *job)
{
    const struct domain *domain = &job->scrape->domain;
    const struct rendition *rendition = job->rendition;
    struct buf bytes = { 0 };
    if (domain->rules != job->rules || !is_current(job->scrape) || !rendition->is_rendered)
        renew_domain(job);
    if (job->coding == RENDITION_IDENTITY) {
        buf_reserve(&bytes, rendition->bytes.length + 32768);
        buf_append(&bytes, rendition->bytes.data, rendition->bytes.length);
        render_own(job, &domain->report, !domain->has_families, &bytes);
    } else {
        CLEANUP(buf_finish) struct buf own = { 0 };
        CLEANUP(gzip_piece_finish) struct gzip_piece packed = { 0 };
        rendition_pack(job->rendition);
        render_own(job, &domain->report, !domain->has_families, &own);
        gzip_piece_fill(&packed, own.data, own.length, GZIP_OWN);
        buf_reserve(&bytes, rendition->packed.deflated.length + packed.deflated.length + 64);
        gzip_join(&bytes, (const struct gzip_piece *const[]){ &rendition->packed, &packed }, 2);
    }
    return (struct body){ web_shared_create(&bytes), clock_monotonic_ms(), domain->number, false };
}

/* --- the cache ------------------------------------------------------------------------------ */

static struct body *body_of(struct scrape *scrape, const struct wanted *wanted)
{
    return &scrape->bodies[wanted->rendition - scrape->renditions.formats][wanted->coding];
}

/* Whether a cached body is still true. The lock is held, nobody renders. */
static bool is_fresh(const struct scrape *scrape, const struct body *body)
{
    return body->shared && body->domain == scrape->domain.number &&
           clock_monotonic_ms() - body->made_at_ms < OWN_FRESH_MS &&
           scrape->domain.rules == scrape->rules && is_current(scrape);
}

/* Whether it can be sent now; the lock is held. */
static bool is_usable(const struct scrape *scrape, const struct body *body)
{
    if (!scrape->rendering && !body->asked)
        return is_fresh(scrape, body);
    return body->shared && clock_monotonic_ms() - body->made_at_ms < OLD_MS;
}

static struct job job_of(struct scrape *scrape, const struct wanted *wanted)
{
    struct job job = { .scrape = scrape, .rendition = wanted->rendition, .coding = wanted->coding };
    job.rules = scrape->rules;
    job.without_process = scrape->without_process;
    job.options = scrape->options;
    series_rules_acquire(job.rules);
    return job;
}

/* What nobody expects takes no memory. The lock is held. */
static void drop_bodies(struct scrape *scrape)
{
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < scrape->renditions.count; i++) {
        for (size_t coding = 0; coding < RENDITION_CODINGS; coding++) {
            struct body *body = &scrape->bodies[i][coding];
            if (rendition_expected(&scrape->renditions.formats[i], coding, now_ms))
                continue;
            web_shared_release(body->shared);
            *body = (struct body){ 0 };
        }
    }
}

/* Become the one who renders, with the lock held; others wait meanwhile, or take older bytes. */
static void refresh(struct scrape *scrape, const struct wanted *wanted)
{
    struct job job = job_of(scrape, wanted);
    struct body *place = body_of(scrape, wanted);
    scrape->rendering = true;
    pthread_mutex_unlock(&scrape->lock);
    struct body body = render(&job);
    pthread_mutex_lock(&scrape->lock);
    scrape->rendering = false;
    drop_bodies(scrape);
    web_shared_release(place->shared);
    *place = body;
    series_rules_release(job.rules);
    pthread_cond_broadcast(&scrape->rendered);
}

/* The finished answer, with a reference. */
static struct web_shared *acquire_body(struct scrape *scrape, const struct wanted *wanted)
{
    struct body *body = body_of(scrape, wanted);
    pthread_mutex_lock(&scrape->lock);
    body->asked = false; /* here he is */
    while (scrape->rendering && !is_usable(scrape, body))
        pthread_cond_wait(&scrape->rendered, &scrape->lock);
    if (!is_usable(scrape, body))
        refresh(scrape, wanted);
    struct web_shared *shared = body->shared;
    web_shared_acquire(shared);
    pthread_mutex_unlock(&scrape->lock);
    return shared;
}

/* --- ahead ---------------------------------------------------------------------------------- */

/* One that is expected; false = none is. */
static bool find_expected(struct scrape *scrape, struct wanted *wanted)
{
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < scrape->renditions.count; i++)
        for (size_t coding = 0; coding < RENDITION_CODINGS; coding++) {
            *wanted = (struct wanted){ &scrape->renditions.formats[i], coding, NULL };
            if (rendition_expected(wanted->rendition, coding, now_ms))
                return true;
        }
    return false;
}

bool scrape_ahead(struct scrape *scrape)
{
    struct wanted wanted;
    pthread_mutex_lock(&scrape->lock);
    bool due = !scrape->rendering && find_expected(scrape, &wanted) &&
               (scrape->domain.rules != scrape->rules || !is_current(scrape));
    if (due)
        refresh(scrape, &wanted); /* with it all that are expected */
    pthread_mutex_unlock(&scrape->lock);
    return due;
}

static int64_t tick(void *context)
{
    int64_t began_ms = clock_monotonic_ms();
    if (!scrape_ahead(context))
        return AHEAD_MS;
    int64_t rest_ms = (clock_monotonic_ms() - began_ms) * (AHEAD_SHARE - 1);
    return rest_ms > AHEAD_MS ? rest_ms : AHEAD_MS;
}

void scrape_start(struct scrape *scrape)
{
    scrape->ahead = worker_start("ahead", tick, NULL, scrape, AHEAD_MS);
}

void scrape_stop(struct scrape *scrape)
{
    worker_stop(scrape->ahead);
    scrape->ahead = NULL;
}

void scrape_print(struct scrape *scrape, struct buf *out)
{
    struct rendition_set *all = &scrape->renditions;
    const struct wanted last = { &all->formats[all->count - 1], RENDITION_IDENTITY, NULL };
    struct web_shared *shared = acquire_body(scrape, &last);
    const struct buf *bytes = web_shared_bytes(shared);
    buf_append(out, bytes->data, bytes->length);
    web_shared_release(shared);
}

/* --- the samples themselves ------------------------------------------------------------------- */

void scrape_read(void *context, scrape_take *take, void *taker)
{
    CLEANUP(series_report_finish) struct series_report report = { 0 };
    struct scrape *scrape = context;
    struct metric_set set;
    struct source_list *sources;
    pthread_mutex_lock(&scrape->lock);
    struct job job = job_of(scrape, &(struct wanted){ .rendition = scrape->renditions.formats });
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

/* A part of the exposition, made for this request alone. */
static void respond_selected(struct scrape *scrape, const struct wanted *wanted,
                             const struct selection *selection, struct web_response *response)
{
    CLEANUP(metric_set_finish) struct metric_set set;
    CLEANUP(series_report_finish) struct series_report report = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    pthread_mutex_lock(&scrape->lock);
    struct job job = job_of(scrape, wanted);
    pthread_mutex_unlock(&scrape->lock);
    struct source_list *sources;
    rendition_count(wanted->rendition, wanted->coding);
    fill_domain(&job, selection, &set, &report, &sources);
    encoding_begin(job.rendition->encoding, &text);
    encoding_append(job.rendition->encoding, &job.options, &set, true, &text);
    render_own(&job, &report, !set.count, &text);
    source_list_release(sources);
    series_rules_release(job.rules);
    if (job.coding == RENDITION_GZIP) {
        struct buf packed = { 0 };
        gzip_append(&packed, text.data, text.length, GZIP_OWN);
        web_response_buf(response, 200, wanted->content_type, &packed);
    } else {
        web_response_buf(response, 200, wanted->content_type, &text);
    }
}

static struct wanted negotiate(struct scrape *scrape, const struct web_request *request)
{
    CLEANUP(buf_finish) struct buf accepts = { 0 };
    CLEANUP(buf_finish) struct buf codings = { 0 };
    struct negotiation *negotiation = &scrape->negotiation;
    const struct negotiated result =
        negotiation_decide(negotiation, web_request_field(request, WEB_ACCEPT, &accepts),
                           web_request_field(request, WEB_ACCEPT_ENCODING, &codings));
    size_t place = (size_t)(result.choice.encoding - negotiation->formats);
    return (struct wanted){ &scrape->renditions.formats[place],
                            result.gzip ? RENDITION_GZIP : RENDITION_IDENTITY,
                            result.choice.content_type };
}

static void describe(enum rendition_coding coding, struct web_response *response)
{
    web_response_header(response, "Vary", "Accept, Accept-Encoding");
    if (coding == RENDITION_GZIP)
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
        describe(RENDITION_IDENTITY, response);
        web_response_text(response, 400, error.message);
    } else if (selection.narrow) {
        describe(wanted.coding, response);
        respond_selected(scrape, &wanted, &selection, response);
    } else {
        describe(wanted.coding, response);
        rendition_ask(wanted.rendition, wanted.coding, clock_monotonic_ms());
        web_response_shared(response, wanted.content_type, acquire_body(scrape, &wanted));
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
    pthread_mutex_lock(&scrape->lock);
    struct body *body = body_of(scrape, &wanted);
    struct web_shared *shared = is_usable(scrape, body) ? body->shared : NULL;
    body->asked = body->asked || !shared;
    if (shared)
        web_shared_acquire(shared);
    pthread_mutex_unlock(&scrape->lock);
    if (!shared)
        return false;
    rendition_ask(wanted.rendition, wanted.coding, clock_monotonic_ms());
    describe(wanted.coding, response);
    web_response_shared(response, wanted.content_type, shared);
    return true;
}
