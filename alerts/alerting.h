#pragma once
/* The floor as a whole: ledger, rules and delivery, started, reloaded and stopped together. */
#include "alerts/evaluator.h"
#include "alerts/heartbeat.h"
#include "alerts/notify/delivery.h"

#define ALERTING_DATABASE "defender_exporter.db" /* below storage.path */

struct alerting;
struct api_context;

struct alerting_config {
    const char *database_path;
    struct snapshot_store *snapshots; /* both are borrowed and outlive it */
    struct metric_store *metrics;
};

/* Open everything; no thread runs yet. settings: acquired. NULL and *error as evaluator_create. */
struct alerting *alerting_create(const struct alerting_config *config, struct settings *settings,
                                 struct error *error) MUST_USE;
void alerting_destroy(struct alerting *alerting); /* NULL is fine */

void alerting_start(struct alerting *alerting);

/* Evaluator first, then delivery; under two seconds. */
void alerting_stop(struct alerting *alerting);

/* One evaluation of the current snapshot, then whatever is due to the receivers, on this thread:
 * for run --once; never while started. */
bool alerting_run(struct alerting *alerting, int64_t now, struct error *error) MUST_USE;

/* Go on with other settings; database, ledger and outbox stay open. */
void alerting_configure(struct alerting *alerting, struct settings *settings);

/* What the last evaluation says of findings and alerts, and a number that rises when it changed.
 * Any thread. */
void alerting_emit(struct alerting *alerting, struct metric_set *set);
uint64_t alerting_generation(const struct alerting *alerting);

/* The figures of the outbox as they are now. Any thread. */
void alerting_emit_own(struct alerting *alerting, struct metric_set *set);

/* What the API needs; the settings in it are acquired: release them. */
struct api_context alerting_api(struct alerting *alerting, int64_t now);

/* All families of the floor, ends with NULL. */
extern const struct family *const *const alerting_families[];
