#include "collectors/run/runner.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/run/answer.h"
#include "collectors/run/collect.h"
#include "collectors/run/fast.h"
#include "collectors/run/prove.h"
#include "collectors/run/runner_kept.h"
#include "collectors/run/runner_report.h"
#include "collectors/run/texts.h"
#include "collectors/subscriptions.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

enum {
    RETRY_BASE_S = 5,
    FIRST_LOOK_MS = 50,
    ASKED_LOOK_MS = 250, /* how soon a question is seen ... */
    ASKED_PACE_MS = 5000 /* ... and how often at most some are answered: a quota's window */
};

/* --- life ------------------------------------------------------------------------------------- */

/* What may change while a run is under way. */
struct timing {
    int64_t interval_ms, timeout_ms, max_staleness_ms;
    double share;
    bool severity_rates;
};

/* One source's thread and what it remembers between runs. Only its own thread touches it. */
struct slot {
    struct runner *runner;
    const struct source *source;
    struct arm *arm;
    struct runner_source config;
    struct worker *worker;
    struct http_client *client;
    struct source_status status;
    struct collect_memory memory;
    struct pacer_budget budget; /* of its runs; of its own thread */
    struct waivers *waivers;
    struct answer_memory answers;
    struct fast *fast; /* NULL = it has no fast lane */
    bool severity_rates;
    bool loaded;    /* from the last run of the program: not due yet */
    int64_t ran_ms; /* when its last run began; 0 = not yet */
    atomic_bool stopping;
    pthread_mutex_t lock; /* what follows: from a reload, for its thread to go on with */
    struct timing next;
    bool changed;
};

struct runner {
    struct snapshot_store *store;
    struct scope *scope;
    char **tags;
    atomic_bool callers;
    const struct collect_ear *ear;
    char *storage_path;
    bool started;
    struct source_list *sources;
    struct slot *slots; /* one a source, by its index */
};

static const struct variant *variant_of(const struct slot *slot)
{
    return &slot->source->collector->variants[slot->config.variant];
}

bool runner_is_needed(const struct source *source, const struct source *by,
                      const struct variant *variant)
{
    enum collector_role role = source->collector->role;
    bool needed = role == COLLECTOR_DISCOVERY   ? by->collector->role != COLLECTOR_DISCOVERY
                  : role == COLLECTOR_REFERENCE ? variant->needs_reference
                                                : false;
    return needed && source != by && !strcmp(source->tenant, by->tenant);
}

static bool is_asked(const struct slot *slot)
{
    return slot->source->collector->role == COLLECTOR_ANSWERS;
}

static bool is_needed(const struct source *source, const struct slot *by)
{
    return runner_is_needed(source, by->source, variant_of(by));
}

/* The variant of a source: who needs a reference needs all of it, also what is special in each
 * subscription. */
static int choose_variant(const struct runner_config *config, const struct source *source)
{
    const struct variant *variants = source->collector->variants;
    bool needed = false;
    int chosen = runner_variant(&config->settings[source->index], source);
    for (size_t i = 0; i < config->sources->count; i++) {
        const struct source *by = &config->sources->sources[i];
        needed = needed || runner_is_needed(
                               source, by,
                               &by->collector->variants[runner_variant(&config->settings[i], by)]);
    }
    for (int i = 0; i < COLLECTOR_VARIANTS_MAX && needed; i++)
        if (variants[i].complete)
            chosen = i;
    return chosen;
}

static struct runner_source settings_of(const struct runner_config *config,
                                        const struct source *source)
{
    struct runner_source settings = config->settings[source->index];
    settings.variant = choose_variant(config, source);
    return settings;
}

/* How old the data of a source may become. What runs less often than the operator's limit would be
 * gone between two good runs: it has three intervals, as where there is no limit. */
static struct timing timing_of(const struct runner_config *config, const struct source *source)
{
    const struct runner_source *settings = &config->settings[source->index];
    int64_t configured = config->common.max_staleness_ms, interval_ms = settings->interval_ms;
    return (struct timing){
        .interval_ms = interval_ms,
        .timeout_ms = settings->timeout_ms,
        .share = settings->share,
        .max_staleness_ms = configured && configured >= interval_ms ? configured : 3 * interval_ms,
        .severity_rates = config->common.risk_when_missing == RUNNER_RISK_SEVERITY,
    };
}

/* Its thread only, or while there is none. */
static void set_timing(struct slot *slot, const struct timing *timing)
{
    slot->config.interval_ms = slot->status.interval_ms = timing->interval_ms;
    slot->config.timeout_ms = timing->timeout_ms;
    slot->budget.share = timing->share;
    slot->severity_rates = timing->severity_rates;
    slot->status.max_staleness_ms = timing->max_staleness_ms;
}

/* Any time. */
static void set_fast(struct slot *slot, const struct runner_config *config,
                     const struct source *source)
{
    const struct runner_source *settings = &config->settings[source->index];
    fast_configure(slot->fast, &(struct fast_settings){
                                   .enabled = settings->fast,
                                   .interval_ms = settings->fast_interval_ms,
                                   .overlap_ms = settings->fast_overlap_ms,
                                   .severity_rates = timing_of(config, source).severity_rates,
                               });
}

/* Give a source that is not running these settings. */
static void set_slot(struct slot *slot, const struct runner_config *config)
{
    struct runner *runner = slot->runner;
    const struct source *source = &config->sources->sources[slot->source->index];
    const struct timing timing = timing_of(config, source);
    slot->config = settings_of(config, source);
    waivers_destroy(slot->waivers);
    slot->waivers = waivers_create(&slot->config.waivers);
    slot->config.waivers = (struct option_items){ 0 }; /* the configuration's own */
    slot->status.enabled = slot->config.enabled;
    slot->changed = false;
    if (slot->config.enabled && variant_of(slot)->lacks)
        log_info(MSG("what is read does not tell everything"), TEXT("collector", source->name),
                 TEXT("source", variant_of(slot)->name), TEXT("missing", variant_of(slot)->lacks));
    slot->next = timing;
    set_timing(slot, &timing);
    set_fast(slot, config, source);
    struct snapshot *snapshot = snapshot_acquire(runner->store, clock_now_s());
    snapshot_publish(runner->store, slot->source, NULL, &slot->status);
    if (!slot->status.enabled && snapshot_part(snapshot, slot->source))
        snapshot_drop(runner->store, slot->source);
    snapshot_release(snapshot);
}

/* Whether only some subscriptions are to be asked about. */
static bool is_filtered(const struct runner *runner, const struct subscription *known, size_t count)
{
    bool filtered = !scope_is_open(runner->scope);
    for (size_t i = 0; i < count; i++)
        filtered = filtered || known[i].state == SUBSCRIPTION_FILTERED;
    return filtered;
}

/* Whose rows are wanted; the subscriptions to ask Resource Graph about when some are filtered, NULL
 * = the tenant. */
static const char **scope_of(void *owner, const struct snapshot *snapshot,
                             struct collect_context *context, size_t *scope_count)
{
    size_t count;
    const struct slot *slot = owner;
    const struct runner *runner = slot->runner;
    const struct subscription *known = subscriptions_known(snapshot, slot->source->tenant, &count);
    context->scope = runner->scope;
    *scope_count = 0;
    if (!is_filtered(runner, known, count))
        return NULL;
    const char **scope = MEMORY_ARRAY(const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (known[i].state == SUBSCRIPTION_VISIBLE)
            scope[(*scope_count)++] = known[i].id;
    return scope;
}

/* For a source of which a variant can be asked what changed. */
static struct fast *create_fast(struct slot *slot, const struct runner_config *config)
{
    bool can = false;
    for (int i = 0; i < COLLECTOR_VARIANTS_MAX; i++)
        can = can || slot->source->collector->variants[i].changed.name;
    const struct fast_config fast = {
        .source = slot->source,
        .arm = slot->arm,
        .store = slot->runner->store,
        .metrics = config->metrics,
        .scope = scope_of,
        .owner = slot,
    };
    return can ? fast_create(&fast) : NULL;
}

static void create_slots(struct runner *runner, const struct runner_config *config)
{
    const struct source_list *sources = runner->sources;
    snapshot_store_configure(runner->store, runner->sources);
    struct snapshot *snapshot = snapshot_acquire(runner->store, clock_now_s());
    runner->slots = MEMORY_ARRAY(struct slot, sources->count);
    for (size_t i = 0; i < sources->count; i++) {
        struct slot *slot = &runner->slots[i];
        pthread_mutex_init(&slot->lock, NULL);
        slot->runner = runner;
        slot->source = &sources->sources[i];
        slot->arm = config->arms ? config->arms[i] : NULL;
        slot->client = http_client_create();
        slot->fast = create_fast(slot, config);
        slot->status = *snapshot_status(snapshot, slot->source);
        set_slot(slot, config);
    }
    snapshot_release(snapshot);
}

struct runner *runner_create(const struct runner_config *config, struct snapshot_store *store)
{
    struct runner *runner = MEMORY_NEW(struct runner);
    runner->store = store;
    runner->sources = config->sources;
    source_list_acquire(runner->sources);
    runner->scope = scope_create(&config->scope);
    runner->tags = texts_copy(&config->tags);
    runner->callers = config->callers;
    runner->ear = config->ear;
    if (config->storage_path)
        runner->storage_path = memory_copy(config->storage_path);
    create_slots(runner, config);
    return runner;
}

void runner_destroy(struct runner *runner)
{
    if (!runner)
        return;
    runner_stop(runner);
    for (size_t i = 0; i < runner->sources->count; i++) {
        http_client_destroy(runner->slots[i].client);
        waivers_destroy(runner->slots[i].waivers);
        answer_memory_finish(&runner->slots[i].answers);
        fast_destroy(runner->slots[i].fast);
        pthread_mutex_destroy(&runner->slots[i].lock);
    }
    free(runner->slots);
    source_list_release(runner->sources);
    scope_destroy(runner->scope);
    texts_free(runner->tags);
    free(runner->storage_path);
    free(runner);
}

/* Turn what a run brought into the next status. */
static void conclude(struct slot *slot, bool ok, const struct collect_result *result,
                     const struct error *error)
{
    struct source_status *status = &slot->status;
    size_t broken = result->refused + result->failed;
    status->attempted = true;
    status->success = ok && !result->failed;
    status->rows = result->rows;
    status->truncated = ok && result->part->truncated;
    status->odd = ok ? result->part->odd : status->odd;
    status->error = (struct error){ 0 };
    if (!ok) {
        status->error = *error;
    } else if (result->failed) {
        status->error = result->first_error;
        error_wrap(&status->error, "%zu subscriptions could not be read", broken);
    }
    if (status->success)
        status->last_success_at = clock_now_s();
    status->failures = status->success ? 0 : status->failures + 1;
}

/* Answer what the evaluator asked since the last run. */
static void answer_questions(const struct runner *runner, struct part *part,
                             struct arm_session *session)
{
    struct proof_board *proofs = snapshot_store_proofs(runner->store);
    struct proof_questions *questions = proof_board_take(proofs, part->source);
    if (questions)
        prove_part(part, questions, session);
    proof_questions_destroy(questions);
}

bool runner_run(struct runner *runner, const struct source *source)
{
    struct slot *slot = &runner->slots[source->index];
    struct source_status before = slot->status;
    int64_t now = clock_now_s(), started_ms = clock_monotonic_ms();
    struct snapshot *snapshot = snapshot_acquire(runner->store, now);
    struct arm_session session = {
        .arm = slot->arm,
        .client = slot->client,
        .deadline_ms = started_ms + slot->config.timeout_ms,
        .cancelled = &slot->stopping,
        .rank = variant_of(slot)->changed.name ? PACER_SWEEP : PACER_REST,
        .budget = &slot->budget,
    };
    struct collect_context context = {
        .now = now,
        .snapshot = snapshot,
        .variant = variant_of(slot),
        .max_staleness_s = slot->status.max_staleness_ms / 1000,
        .severity_rates = slot->severity_rates,
        .waivers = slot->waivers,
        .tags = source->collector->asks_for_tags ? (const char *const *)runner->tags : NULL,
        .callers = runner->callers,
        .ear = runner->ear,
    };
    struct collect_result result = { 0 };
    struct error error = { 0 };
    size_t scope_count;
    const char **scope = scope_of(slot, snapshot, &context, &scope_count);
    slot->status.started_at = context.now;
    slot->ran_ms = started_ms;
    struct part *older = snapshot_part(snapshot, source);
    bool ok = is_asked(slot)
                  ? answer_run(source, variant_of(slot), &session, &context,
                               snapshot_store_asked(runner->store), &slot->answers, &result, &error)
                  : collect_run(source, variant_of(slot), &session, &context, older, scope,
                                scope_count, &slot->memory, &result, &error);
    if (ok)
        answer_questions(runner, result.part, &session);
    ok = ok && fast_close(slot->fast, variant_of(slot), &session, &context, scope, scope_count,
                          started_ms, &result.part, &error);
    free(scope);
    slot->status.duration_ms = clock_monotonic_ms() - started_ms;
    conclude(slot, ok, &result, &error);
    if (ok && source->collector->save && runner->storage_path)
        runner_kept_save(result.part, runner->storage_path);
    runner_report(source, &before, &slot->status);
    if (ok) {
        runner_report_carried(source, older, result.part);
        runner_report_limited(source, older, result.part);
    }
    snapshot_publish(runner->store, source, ok ? result.part : NULL, &slot->status);
    fast_opened(slot->fast);
    if (!ok)
        part_release(result.part);
    snapshot_release(snapshot);
    return slot->status.success;
}

/* The sources that it needs have had their first try. */
static bool may_start(const struct slot *slot)
{
    const struct runner *runner = slot->runner;
    struct snapshot *snapshot = snapshot_acquire(runner->store, clock_now_s());
    bool ok = true;
    for (size_t i = 0; i < runner->sources->count; i++) {
        const struct source *other = &runner->sources->sources[i];
        const struct source_status *status = snapshot_status(snapshot, other);
        ok = ok && (!is_needed(other, slot) || !status->enabled || status->attempted);
    }
    snapshot_release(snapshot);
    return ok;
}

/* Go on with what a reload has changed; true when it did. */
static bool adopt(struct slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    bool changed = slot->changed;
    const struct timing timing = slot->next;
    slot->changed = false;
    pthread_mutex_unlock(&slot->lock);
    if (!changed)
        return false;
    set_timing(slot, &timing);
    snapshot_publish(slot->runner->store, slot->source, NULL, &slot->status);
    return true;
}

int64_t runner_fresh_ms(const struct source_status *status, int64_t now)
{
    int64_t age_ms = (now - status->last_success_at) * 1000;
    return age_ms >= 0 && age_ms < status->interval_ms ? status->interval_ms - age_ms : 0;
}

/* Whether one that is asked has nothing to do yet. */
static bool is_idle(const struct slot *slot)
{
    int64_t since_ms = clock_monotonic_ms() - slot->ran_ms;
    if (!is_asked(slot) || !slot->ran_ms || since_ms >= slot->status.interval_ms)
        return false;
    return since_ms < ASKED_PACE_MS || !asked_board_waits(snapshot_store_asked(slot->runner->store),
                                                          slot->source->tenant, clock_now_s());
}

static int64_t tick(void *data)
{
    struct slot *slot = data;
    bool changed = adopt(slot);
    if (!may_start(slot))
        return FIRST_LOOK_MS;
    if (is_idle(slot))
        return ASKED_LOOK_MS;
    int64_t due_ms = slot->ran_ms + slot->status.interval_ms - clock_monotonic_ms();
    if (changed && slot->ran_ms && slot->status.success && due_ms > 0 && !is_asked(slot))
        return due_ms;
    int64_t interval_ms = slot->status.interval_ms;
    int64_t fresh_ms = slot->loaded ? runner_fresh_ms(&slot->status, clock_now_s()) : 0;
    slot->loaded = false;
    if (fresh_ms)
        return fresh_ms;
    if (runner_run(slot->runner, slot->source))
        return is_asked(slot) ? ASKED_LOOK_MS : clock_jitter(interval_ms, 5);
    int64_t retry_ms = clock_backoff_s(slot->status.failures, RETRY_BASE_S, 3600) * 1000;
    return clock_jitter(retry_ms < interval_ms ? retry_ms : interval_ms, 20);
}

static void cancel(void *data)
{
    struct slot *slot = data;
    http_client_cancel(slot->client);
}

/* Show what the last run of the program knew, until it is time to ask again. */
static void load_kept(struct slot *slot)
{
    const struct collector *collector = slot->source->collector;
    struct snapshot *snapshot = snapshot_acquire(slot->runner->store, clock_now_s());
    bool known = snapshot_part(snapshot, slot->source) != NULL;
    snapshot_release(snapshot);
    if (!collector->load || !slot->runner->storage_path || known)
        return;
    struct part *part = runner_kept_load(slot->source, slot->runner->storage_path);
    if (!part)
        return;
    if (clock_now_s() - part->collected_at > slot->status.max_staleness_ms / 1000) {
        part_release(part);
        return;
    }
    slot->loaded = !is_asked(slot); /* what is asked does not wait */
    slot->status.attempted = slot->status.success = true;
    slot->status.last_success_at = part->collected_at;
    slot->status.rows = part->rows;
    snapshot_publish(slot->runner->store, slot->source, part, &slot->status);
}

static void start_slot(struct slot *slot)
{
    if (!slot->status.enabled)
        return;
    load_kept(slot);
    atomic_store(&slot->stopping, false);
    http_client_resume(slot->client);
    slot->worker = worker_start(slot->source->name, tick, cancel, slot, 0);
    fast_start(slot->fast, variant_of(slot));
}

/* Its run, if any, ends soon. */
static void cancel_slot(struct slot *slot)
{
    atomic_store(&slot->stopping, true);
    http_client_cancel(slot->client);
    fast_cancel(slot->fast);
}

static void join_slot(struct slot *slot)
{
    worker_stop(slot->worker);
    slot->worker = NULL;
    fast_join(slot->fast);
}

void runner_start(struct runner *runner)
{
    runner->started = true;
    for (size_t i = 0; i < runner->sources->count; i++)
        start_slot(&runner->slots[i]);
}

void runner_stop(struct runner *runner)
{
    runner->started = false;
    for (size_t i = 0; i < runner->sources->count; i++)
        cancel_slot(&runner->slots[i]);
    for (size_t i = 0; i < runner->sources->count; i++)
        join_slot(&runner->slots[i]);
}

/* --- a reload --------------------------------------------------------------------------------- */

/* Whether a source has to begin anew: it asks for something else. */
static bool is_other(const struct slot *slot, const struct runner_config *config)
{
    const struct source *source = &config->sources->sources[slot->source->index];
    const struct runner_source settings = settings_of(config, source);
    return settings.enabled != slot->config.enabled || settings.variant != slot->config.variant ||
           !waivers_equal(slot->waivers, &settings.waivers) ||
           (source->collector->asks_for_tags && !texts_equal(slot->runner->tags, &config->tags)) ||
           (is_asked(slot) && slot->runner->callers != config->callers);
}

/* Hand a source that goes on its new times, if they are new. */
static void hand_timing(struct slot *slot, const struct runner_config *config)
{
    const struct source *source = &config->sources->sources[slot->source->index];
    const struct timing timing = timing_of(config, source);
    pthread_mutex_lock(&slot->lock);
    bool changed = timing.interval_ms != slot->next.interval_ms ||
                   timing.timeout_ms != slot->next.timeout_ms || timing.share != slot->next.share ||
                   timing.max_staleness_ms != slot->next.max_staleness_ms ||
                   timing.severity_rates != slot->next.severity_rates;
    set_fast(slot, config, source);
    slot->changed = slot->changed || changed;
    slot->next = timing;
    pthread_mutex_unlock(&slot->lock);
    if (changed && slot->worker)
        worker_wake(slot->worker);
}

void runner_configure(struct runner *runner, const struct runner_config *config)
{
    size_t count = runner->sources->count;
    bool filter = !scope_equal(runner->scope, &config->scope);
    bool tags = !texts_equal(runner->tags, &config->tags);
    bool *other = MEMORY_ARRAY(bool, count);
    for (size_t i = 0; i < count; i++) {
        other[i] = filter || !runner->started || is_other(&runner->slots[i], config);
        if (other[i])
            cancel_slot(&runner->slots[i]);
        else
            hand_timing(&runner->slots[i], config);
    }
    for (size_t i = 0; i < count; i++)
        if (other[i])
            join_slot(&runner->slots[i]);
    if (filter) { /* no source runs meanwhile */
        scope_destroy(runner->scope);
        runner->scope = scope_create(&config->scope);
    }
    if (tags) /* no source that asks for them runs meanwhile */
        texts_replace(&runner->tags, &config->tags);
    runner->callers = config->callers;
    for (size_t i = 0; i < count; i++)
        if (other[i])
            set_slot(&runner->slots[i], config);
    for (size_t i = 0; i < count; i++)
        if (other[i] && runner->started)
            start_slot(&runner->slots[i]);
    free(other);
}
