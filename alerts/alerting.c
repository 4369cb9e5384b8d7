#include "alerts/alerting.h"

#include <pthread.h>
#include <stdlib.h>

#include "alerts/api/api.h"
#include "alerts/ledger/points.h"
#include "alerts/notify/lane.h"
#include "alerts/notify/outbox_figures.h"
#include "alerts/store/readers.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/memory.h"
#include "version.h"

enum { BUSY_MS = 200 }; /* a web server waits for no one who writes long */

struct alerting {
    struct evaluator *evaluator;
    struct delivery *delivery;
    struct snapshot_store *snapshots;
    struct metric_store *metrics;
    const char *database_path;
    struct readers *readers;
    int64_t started_at;
    pthread_mutex_t lock; /* what follows; configure and the API take turns */
    struct settings *settings;
    struct heartbeat *heartbeat;
    struct heartbeat_told told;
    bool started;
    struct arena arena;
};

const struct family *const *const alerting_families[] = {
    ledger_families,         points_families,    evaluator_families, lane_families,
    outbox_figures_families, heartbeat_families, audit_families,     NULL,
};

static void on_queued(void *context)
{
    struct alerting *alerting = context;
    delivery_wake(alerting->delivery);
}

struct alerting *alerting_create(const struct alerting_config *config, struct settings *settings,
                                 struct error *error)
{
    struct alerting *alerting = MEMORY_NEW(struct alerting);
    pthread_mutex_init(&alerting->lock, NULL);
    alerting->snapshots = config->snapshots;
    alerting->metrics = config->metrics;
    alerting->database_path = arena_text(&alerting->arena, config->database_path);
    const struct database_config reading = {
        .path = alerting->database_path,
        .migrations = schema_migrations,
        .busy_ms = BUSY_MS,
        .read_only = true,
    };
    alerting->readers = readers_create(&reading);
    alerting->started_at = clock_now_s();
    settings_acquire(settings);
    alerting->settings = settings;
    const struct evaluator_config evaluator = {
        .database_path = alerting->database_path,
        .snapshots = config->snapshots,
        .metrics = config->metrics,
        .wake = on_queued,
        .wake_context = alerting,
    };
    alerting->evaluator = evaluator_create(&evaluator, settings, error);
    if (!alerting->evaluator) {
        alerting_destroy(alerting);
        return NULL;
    }
    const struct delivery_config delivery = { alerting->database_path, config->metrics };
    alerting->delivery = delivery_create(&delivery, settings);
    return alerting;
}

void alerting_destroy(struct alerting *alerting)
{
    if (!alerting)
        return;
    readers_destroy(alerting->readers);
    delivery_destroy(alerting->delivery);
    if (alerting->evaluator)
        evaluator_destroy(alerting->evaluator);
    settings_release(alerting->settings);
    pthread_mutex_destroy(&alerting->lock);
    arena_finish(&alerting->arena);
    free(alerting);
}

static void start_heartbeat(struct alerting *alerting)
{
    alerting->heartbeat = heartbeat_start(alerting->settings, alerting->evaluator,
                                          alerting->snapshots, alerting->metrics, &alerting->told);
}

void alerting_start(struct alerting *alerting)
{
    pthread_mutex_lock(&alerting->lock);
    alerting->started = true;
    delivery_start(alerting->delivery);
    evaluator_start(alerting->evaluator);
    start_heartbeat(alerting);
    pthread_mutex_unlock(&alerting->lock);
}

void alerting_stop(struct alerting *alerting)
{
    pthread_mutex_lock(&alerting->lock);
    if (alerting->started) {
        heartbeat_stop(alerting->heartbeat);
        alerting->heartbeat = NULL;
        evaluator_stop(alerting->evaluator);
        delivery_stop(alerting->delivery);
        alerting->started = false;
    }
    pthread_mutex_unlock(&alerting->lock);
}

bool alerting_run(struct alerting *alerting, int64_t now, struct error *error)
{
    int64_t next_at;
    struct snapshot *snapshot = snapshot_acquire(alerting->snapshots, now);
    bool ok = evaluator_run(alerting->evaluator, snapshot, now, &next_at, error);
    snapshot_release(snapshot);
    if (ok)
        delivery_run(alerting->delivery, now, &next_at);
    return ok;
}

void alerting_configure(struct alerting *alerting, struct settings *settings)
{
    pthread_mutex_lock(&alerting->lock);
    if (settings->hash == alerting->settings->hash) {
        delivery_configure(alerting->delivery, alerting->settings);
        pthread_mutex_unlock(&alerting->lock);
        return;
    }
    settings_acquire(settings);
    struct settings *older = alerting->settings;
    alerting->settings = settings;
    heartbeat_stop(alerting->heartbeat);
    alerting->heartbeat = NULL;
    evaluator_configure(alerting->evaluator, settings);
    delivery_configure(alerting->delivery, settings);
    if (alerting->started)
        start_heartbeat(alerting);
    pthread_mutex_unlock(&alerting->lock);
    settings_release(older);
}

void alerting_emit(struct alerting *alerting, struct metric_set *set)
{
    evaluator_emit(alerting->evaluator, set);
}

uint64_t alerting_generation(const struct alerting *alerting)
{
    return evaluator_generation(alerting->evaluator);
}

bool alerting_is_loaded(const struct alerting *alerting)
{
    return evaluator_is_loaded(alerting->evaluator);
}

bool alerting_trouble(const struct alerting *alerting, char text[TROUBLE_TEXT_BYTES])
{
    return evaluator_trouble(alerting->evaluator, text) != TROUBLE_NONE;
}

void alerting_emit_own(struct alerting *alerting, struct metric_set *set)
{
    delivery_emit(alerting->delivery, set);
}

bool alerting_audit(struct alerting *alerting, enum audit_action action, const struct audit_by *by,
                    const char *subject, const char *detail, struct error *error)
{
    const struct database_config config = {
        .path = alerting->database_path,
        .migrations = schema_migrations,
        .busy_ms = BUSY_MS,
    };
    struct database *database = database_open(&config, error);
    bool ok =
        database && audit_add_alone(database, action, by, subject, detail, clock_now_s(), error);
    database_close(database);
    evaluator_wake(alerting->evaluator);
    return ok;
}

void alerting_wake(struct alerting *alerting)
{
    evaluator_wake(alerting->evaluator);
    delivery_wake(alerting->delivery);
}

struct view *alerting_view(struct alerting *alerting, int64_t timeout_ms)
{
    return evaluator_view(alerting->evaluator, timeout_ms);
}

struct readers *alerting_readers(struct alerting *alerting)
{
    return alerting->readers;
}

struct api_context alerting_api(struct alerting *alerting, int64_t now)
{
    pthread_mutex_lock(&alerting->lock);
    struct settings *settings = alerting->settings;
    settings_acquire(settings);
    pthread_mutex_unlock(&alerting->lock);
    return (struct api_context){
        .database_path = alerting->database_path,
        .readers = alerting->readers,
        .settings = settings,
        .evaluator = alerting->evaluator,
        .snapshots = alerting->snapshots,
        .version = VERSION,
        .started_at = alerting->started_at,
        .now = now,
    };
}
