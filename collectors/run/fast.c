#include "collectors/run/fast.h"

#include <pthread.h>
#include <stdlib.h>

#include "collectors/run/collect.h"
#include "collectors/snapshot/part_patch.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

enum {
    INTERVAL_MS = 60000,
    INTERVAL_LARGE_MS = 30000,
    LARGE_ROWS = 100000, /* a sweep of them takes 33 s of the quota */
    TIMEOUT_MS = 60000,
    IDLE_MS = 1000, /* until there is a sweep to go by */
};

/* clang-format off */
static const struct family_2 looks = {
    .name = "defender_exporter_fast_looks_total", .type = METRIC_COUNTER, .level = 0,
    .help = "Looks at rows whose status changed, between two sweeps: with news of a finding, "
            "without, failed.",
    LABELS("collector", "result"),
};
static const struct family_1 last_look = {
    .name = "defender_exporter_fast_last_look_timestamp_seconds", .type = METRIC_GAUGE, .level = 0,
    .unit = "seconds", .help = "When the last look that did not fail began.",
    LABELS("collector"),
};
static const struct family_1 interval = {
    .name = "defender_exporter_fast_interval_seconds", .type = METRIC_GAUGE, .level = 0,
    .unit = "seconds", .help = "Time between two looks.",
    LABELS("collector"),
};
/* clang-format on */
const struct family *const fast_families[] = { &looks.family, &last_look.family, &interval.family,
                                               NULL };

enum result { NEWS, NOTHING, FAILURE, RESULT_COUNT };
static const char *const result_words[RESULT_COUNT] = { "news", "nothing", "failure" };

struct fast {
    struct fast_config config;
    const struct variant *variant;
    struct worker *worker;
    struct http_client *client;
    atomic_bool stopping;
    atomic_bool closing;        /* a sweep is about to be published */
    atomic_int_least64_t at_ms; /* when the last look that may have told something ended */
    atomic_size_t page_rows;    /* see collect_memory */
    int64_t looked_at;          /* when the last good one began, Unix seconds; 0 = none */
    bool failing, again;        /* again: it was not the last that published */
    bool waited;                /* the first sweep is over for an interval */
    pthread_mutex_t lock;       /* what follows */
    struct fast_settings settings;
};

/* --- pure ------------------------------------------------------------------------------------- */
int64_t fast_interval_ms(int64_t configured_ms, size_t rows)
{
    return configured_ms ? configured_ms : rows > LARGE_ROWS ? INTERVAL_LARGE_MS : INTERVAL_MS;
}

int64_t fast_since(int64_t collected_at, int64_t looked_at, int64_t overlap_ms)
{
    int64_t known_at = looked_at > collected_at ? looked_at : collected_at;
    int64_t since = known_at - overlap_ms / 1000;
    return since > 0 ? since : 1;
}

/* --- life ------------------------------------------------------------------------------------- */
struct fast *fast_create(const struct fast_config *config)
{
    struct fast *fast = MEMORY_NEW(struct fast);
    fast->config = *config;
    fast->client = http_client_create();
    pthread_mutex_init(&fast->lock, NULL);
    return fast;
}

void fast_destroy(struct fast *fast)
{
    if (!fast)
        return;
    http_client_destroy(fast->client);
    pthread_mutex_destroy(&fast->lock);
    free(fast);
}

void fast_configure(struct fast *fast, const struct fast_settings *settings)
{
    if (!fast)
        return;
    pthread_mutex_lock(&fast->lock);
    fast->settings = *settings;
    pthread_mutex_unlock(&fast->lock);
}

static struct fast_settings settings_of(struct fast *fast)
{
    pthread_mutex_lock(&fast->lock);
    struct fast_settings settings = fast->settings;
    pthread_mutex_unlock(&fast->lock);
    return settings;
}

/* --- looking ---------------------------------------------------------------------------------- */

/* Read what changed since context->since; NULL and *error when it cannot be read. */
static struct part *read_changed(struct fast *fast, const struct variant *variant,
                                 struct arm_session *session, const struct collect_context *context,
                                 const char *const *scope, size_t scope_count, struct error *error)
{
    const struct variant changed = { .name = variant->name, .queries = { variant->changed } };
    struct collect_memory memory = { .page_rows = { atomic_load(&fast->page_rows) } };
    struct collect_result result = { 0 };
    bool ok = collect_run(fast->config.source, &changed, session, context, NULL, scope, scope_count,
                          &memory, &result, error);
    atomic_store(&fast->page_rows, memory.page_rows[0]);
    return ok ? result.part : NULL;
}

/* Say how it went; a failure and its end are logged once. */
static void report(struct fast *fast, enum result result, int64_t began_at,
                   const struct error *error)
{
    const char *name = fast->config.source->name;
    struct metric_store *metrics = fast->config.metrics;
    bool failing = result == FAILURE;
    if (failing && error->code == ERROR_CANCELLED)
        return;
    if (failing && !fast->failing)
        log_warn(MSG("the fast lane fails, what changes waits for the next sweep"),
                 TEXT("collector", name), TEXT("reason", error_word(error->code)), ERR(error));
    else if (!failing && fast->failing)
        log_info(MSG("the fast lane works again"), TEXT("collector", name));
    fast->failing = failing;
    if (!metrics)
        return;
    metric_count(metrics, &looks, 1, METRIC_LABELS(name, result_words[result]));
    if (!failing)
        metric_put(metrics, &last_look, (double)began_at, METRIC_LABELS(name));
}

/* Publish what a look changes in the part it went by. A sweep that ended meanwhile has read it all,
 * or looks again itself. False: it did. */
static bool publish(struct fast *fast, const struct part *base, const struct part *look,
                    enum result *result)
{
    struct part *patched = part_patch(base, look);
    *result = patched ? NEWS : NOTHING;
    if (!patched)
        return true;
    atomic_store(&fast->at_ms, clock_monotonic_ms()); /* before it is asked who is closing */
    if (!atomic_load(&fast->closing))
        return snapshot_amend(fast->config.store, fast->config.source, base, patched);
    part_release(patched);
    return false;
}

/* Look at what changed since the part that is shown. True unless it failed. */
static bool look_from(struct fast *fast, const struct variant *variant,
                      const struct fast_settings *settings, const struct snapshot *snapshot,
                      const struct part *base)
{
    struct error error = { 0 };
    size_t count = 0;
    struct collect_context context = {
        .now = clock_now_s(),
        .snapshot = snapshot,
        .variant = variant,
        .severity_rates = settings->severity_rates,
        .since = fast_since(base->collected_at, fast->looked_at, settings->overlap_ms),
    };
    struct arm_session session = {
        .arm = fast->config.arm,
        .client = fast->client,
        .deadline_ms = clock_monotonic_ms() + TIMEOUT_MS,
        .cancelled = &fast->stopping,
        .rank = PACER_FIRST,
    };
    const char **scope = fast->config.scope(fast->config.owner, snapshot, &context, &count);
    struct part *look = read_changed(fast, variant, &session, &context, scope, count, &error);
    enum result result = FAILURE;
    free(scope);
    fast->again = look && !publish(fast, base, look, &result);
    if (look && !fast->again)
        fast->looked_at = context.now;
    part_release(look);
    report(fast, result, context.now, &error);
    return look != NULL;
}

/* Look, unless that is not due; *rows: of the sweep it goes by, SIZE_MAX = there is none. True
 * unless it failed. */
static bool look_once(struct fast *fast, const struct variant *variant,
                      const struct fast_settings *settings, bool due, size_t *rows)
{
    struct snapshot *snapshot = snapshot_acquire(fast->config.store, clock_now_s());
    const struct part *base = snapshot_part(snapshot, fast->config.source);
    bool ok = !base || !due || look_from(fast, variant, settings, snapshot, base);
    *rows = base ? base->rows : SIZE_MAX;
    snapshot_release(snapshot);
    return ok;
}

bool fast_look(struct fast *fast, const struct variant *variant)
{
    struct fast_settings settings = settings_of(fast);
    size_t rows;
    return look_once(fast, variant, &settings, true, &rows);
}

/* --- its thread ------------------------------------------------------------------------------- */

/* The first look is an interval after the first sweep. False: come back soon. */
static bool look_when_due(struct fast *fast, const struct fast_settings *settings, size_t *rows)
{
    fast->again = false;
    look_once(fast, fast->variant, settings, fast->waited, rows);
    fast->waited = *rows != SIZE_MAX;
    return fast->waited && !fast->again;
}

static int64_t tick(void *context)
{
    struct fast *fast = context;
    const struct fast_settings settings = settings_of(fast);
    int64_t began_ms = clock_monotonic_ms();
    size_t rows = 0;
    if (!settings.enabled || !look_when_due(fast, &settings, &rows))
        return IDLE_MS;
    int64_t interval_ms = fast_interval_ms(settings.interval_ms, rows);
    if (fast->config.metrics)
        metric_put(fast->config.metrics, &interval, (double)interval_ms / 1000,
                   METRIC_LABELS(fast->config.source->name));
    int64_t left_ms = began_ms + interval_ms - clock_monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

void fast_start(struct fast *fast, const struct variant *variant)
{
    if (!fast || !variant->changed.name)
        return;
    for (int result = 0; fast->config.metrics && result < RESULT_COUNT; result++)
        metric_declare(fast->config.metrics, &looks,
                       METRIC_LABELS(fast->config.source->name, result_words[result]));
    fast->variant = variant;
    atomic_store(&fast->stopping, false);
    http_client_resume(fast->client);
    fast->worker = worker_start("fast lane", tick, NULL, fast, 0);
}

void fast_cancel(struct fast *fast)
{
    if (!fast)
        return;
    atomic_store(&fast->stopping, true);
    http_client_cancel(fast->client);
}

void fast_join(struct fast *fast)
{
    if (!fast)
        return;
    worker_stop(fast->worker);
    fast->worker = NULL;
}

/* --- the end of a sweep ----------------------------------------------------------------------- */
bool fast_close(struct fast *fast, const struct variant *variant, struct arm_session *session,
                const struct collect_context *context, const char *const *scope, size_t scope_count,
                int64_t began_ms, struct part **part, struct error *error)
{
    if (!fast || !variant->changed.name)
        return true;
    atomic_store(&fast->closing, true);
    if (atomic_load(&fast->at_ms) < began_ms)
        return true;
    struct fast_settings settings = settings_of(fast);
    struct collect_context late = *context;
    late.since = fast_since(context->now, 0, settings.overlap_ms);
    struct part *look = read_changed(fast, variant, session, &late, scope, scope_count, error);
    if (!look)
        return false;
    struct part *patched = part_patch(*part, look);
    part_release(look);
    if (patched) {
        part_release(*part);
        *part = patched;
    }
    return true;
}

void fast_opened(struct fast *fast)
{
    if (fast)
        atomic_store(&fast->closing, false);
}
