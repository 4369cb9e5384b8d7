#include "exporter/otlp/otlp.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"
#include "exporter/otlp/otlp_records.h"

enum {
    LOOK_MS = 1000,          /* for news in memory */
    LOGS_MS = 60000,         /* for what brought none */
    DATABASE_BUSY_MS = 1000, /* stopping waits for it */
    DATABASE_RETRY_MS = 5000,
    UUID_BYTES = 37,
};

/* What one configuration needs. */
struct session {
    struct otlp_setup setup;
    struct otlp_resource resource;
    struct match_list match;
    struct otlp_records records;
    struct otlp_samples samples;
    struct database *database;
    bool has_logs, has_metrics;
    uint64_t generation; /* of the last evaluation that was looked at */
    int64_t logs_ms;     /* when to look although there is none */
    struct arena arena;
};

struct otlp {
    struct otlp_needs needs;
    pthread_mutex_t lock; /* start, stop and configure take turns */
    struct http_client *client;
    struct session *session; /* NULL = nothing is pushed */
    struct worker *worker;
    int64_t started_at;
    bool started;
};

const struct family *const *const otlp_families[] = { otlp_push_families, otlp_records_families,
                                                      NULL };

/* --- one configuration ------------------------------------------------------------------------ */

/* What was kept at the first start, else what is now. */
static void find_instance(struct database *database, char out[UUID_BYTES])
{
    struct error error;
    out[0] = 0;
    if (database && !schema_get(database, "instance", out, UUID_BYTES, &error))
        out[0] = 0;
    if (*out)
        return;
    hash_uuid(out);
    if (!database || !database_begin(database, &error))
        return;
    if (!schema_put(database, "instance", out, &error) || !database_commit(database, &error))
        database_rollback(database);
}

static struct database *open_database(const struct otlp *otlp)
{
    struct error error;
    const struct database_config config = {
        .path = otlp->needs.database_path,
        .migrations = schema_migrations,
        .busy_ms = DATABASE_BUSY_MS,
    };
    if (!otlp->needs.alerting)
        return NULL;
    struct database *database = database_open(&config, &error);
    if (!database)
        log_error(MSG("no logs are pushed: the history cannot be read"), ERR(&error));
    return database;
}

static void session_destroy(struct session *session)
{
    if (!session)
        return;
    otlp_records_finish(&session->records);
    otlp_samples_finish(&session->samples);
    match_finish(&session->match);
    otlp_resource_finish(&session->resource);
    database_close(session->database);
    settings_release(session->setup.settings);
    arena_finish(&session->arena);
    free(session);
}

static struct otlp_push push_of(struct otlp *otlp, struct session *session, enum otlp_signal signal)
{
    return (struct otlp_push){
        .signal = signal,
        .reach = otlp_config_reach(session->setup.config, signal, &session->arena),
        .client = otlp->client,
        .metrics = otlp->needs.metrics,
    };
}

static void open_logs(struct otlp *otlp, struct session *session)
{
    struct error error;
    struct otlp_records *records = &session->records;
    if (!otlp_config_match(session->setup.config, &session->match, &session->arena, &error)) {
        log_error(MSG("no logs are pushed"), ERR(&error)); /* never: it was checked */
        return;
    }
    *records = (struct otlp_records){
        .push = push_of(otlp, session, OTLP_LOGS),
        .database = session->database,
        .snapshots = otlp->needs.snapshots,
        .resource = &session->resource,
        .match = &session->match,
        .portal = session->setup.portal,
    };
    session->has_logs = otlp_records_open(records, &error);
    if (!session->has_logs)
        log_error(MSG("no logs are pushed: the history cannot be read"), ERR(&error));
}

static void open_metrics(struct otlp *otlp, struct session *session)
{
    const struct otlp_config *config = session->setup.config;
    session->samples = (struct otlp_samples){
        .push = push_of(otlp, session, OTLP_METRICS),
        .metrics = { .resource = &session->resource,
                     .started_at = otlp->started_at,
                     .exponential = config->metrics.histograms == OTLP_EXPONENTIAL },
        .read = otlp->needs.read,
        .source = otlp->needs.source,
        .interval_ms = config->metrics.interval_ms,
    };
    session->has_metrics = true;
    otlp_samples_open(&session->samples);
}

/* NULL where nothing is to be pushed. */
static struct session *session_create(struct otlp *otlp, const struct otlp_setup *setup)
{
    char instance[UUID_BYTES];
    bool logs = otlp_config_wants(setup->config, OTLP_LOGS);
    bool metrics = otlp_config_wants(setup->config, OTLP_METRICS);
    if (!logs && !metrics)
        return NULL;
    struct session *session = MEMORY_NEW(struct session);
    session->setup = *setup;
    session->setup.portal = arena_text(&session->arena, setup->portal);
    settings_acquire(setup->settings);
    session->database = open_database(otlp);
    find_instance(session->database, instance);
    otlp_resource_init(&session->resource, setup->config, instance);
    if (logs && !otlp->needs.alerting)
        log_warn(MSG("no logs are pushed: nothing is kept between runs"));
    if (logs && session->database)
        open_logs(otlp, session);
    if (metrics)
        open_metrics(otlp, session);
    return session;
}

static bool same_setup(const struct session *session, const struct otlp_setup *setup)
{
    return session && !strcmp(session->setup.portal, setup->portal) &&
           options_hash(otlp_options, session->setup.config, OPTIONS_HASH_OURS) ==
               options_hash(otlp_options, setup->config, OPTIONS_HASH_OURS);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Whether there may be events: an evaluation changed something, or it is long ago. */
static bool logs_are_due(struct otlp *otlp, int64_t now_ms)
{
    struct session *session = otlp->session;
    uint64_t generation = alerting_generation(otlp->needs.alerting);
    bool waits = session->records.push.attempts > 0;
    if (generation == session->generation && now_ms < session->logs_ms && !waits)
        return false;
    session->generation = generation;
    session->logs_ms = now_ms + LOGS_MS;
    return true;
}

static void run_logs(struct otlp *otlp, int64_t now_ms, int64_t now_s)
{
    struct session *session = otlp->session;
    struct error error;
    if (!logs_are_due(otlp, now_ms) || otlp_records_run(&session->records, now_ms, now_s, &error))
        return;
    log_warn(MSG("logs are pushed later"), ERR(&error));
    session->logs_ms = now_ms + DATABASE_RETRY_MS;
}

int64_t otlp_run(struct otlp *otlp, int64_t now_ms, int64_t now_s)
{
    if (!otlp->session)
        return -1;
    if (otlp->session->has_logs)
        run_logs(otlp, now_ms, now_s);
    if (otlp->session->has_metrics)
        otlp_samples_run(&otlp->session->samples, now_ms, now_s);
    return LOOK_MS;
}

static int64_t tick(void *context)
{
    return otlp_run(context, clock_monotonic_ms(), clock_now_s());
}

static void cancel(void *context)
{
    struct otlp *otlp = context;
    http_client_cancel(otlp->client);
}

/* --- life ------------------------------------------------------------------------------------- */

struct otlp *otlp_create(const struct otlp_needs *needs, const struct otlp_setup *setup)
{
    struct otlp *otlp = MEMORY_NEW(struct otlp);
    pthread_mutex_init(&otlp->lock, NULL);
    otlp->needs = *needs;
    otlp->client = http_client_create();
    otlp->started_at = clock_now_s();
    otlp->session = session_create(otlp, setup);
    return otlp;
}

static void start(struct otlp *otlp)
{
    if (otlp->started && otlp->session)
        otlp->worker = worker_start("otlp", tick, cancel, otlp, 0);
}

static void stop(struct otlp *otlp)
{
    worker_stop(otlp->worker);
    otlp->worker = NULL;
    http_client_resume(otlp->client);
}

void otlp_start(struct otlp *otlp)
{
    pthread_mutex_lock(&otlp->lock);
    otlp->started = true;
    start(otlp);
    pthread_mutex_unlock(&otlp->lock);
}

void otlp_stop(struct otlp *otlp)
{
    pthread_mutex_lock(&otlp->lock);
    stop(otlp);
    otlp->started = false;
    pthread_mutex_unlock(&otlp->lock);
}

void otlp_configure(struct otlp *otlp, const struct otlp_setup *setup)
{
    pthread_mutex_lock(&otlp->lock);
    if (!same_setup(otlp->session, setup)) {
        stop(otlp);
        session_destroy(otlp->session);
        otlp->session = session_create(otlp, setup);
        start(otlp);
    }
    pthread_mutex_unlock(&otlp->lock);
}

void otlp_destroy(struct otlp *otlp)
{
    if (!otlp)
        return;
    otlp_stop(otlp);
    session_destroy(otlp->session);
    http_client_destroy(otlp->client);
    pthread_mutex_destroy(&otlp->lock);
    free(otlp);
}
