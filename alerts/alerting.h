#pragma once
/* The alerts wing as a whole: ledger, rules and delivery, started, reloaded and stopped
 * together. */
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

/* Open database, ledger and outbox; no thread runs yet. settings: acquired. NULL and *error as
 * evaluator_create. */
struct alerting *alerting_create(const struct alerting_config *config, struct settings *settings,
                                 struct error *error) MUST_USE;
void alerting_destroy(struct alerting *alerting); /* NULL is fine */

void alerting_start(struct alerting *alerting);

/* Stop the evaluator, then delivery; under two seconds. */
void alerting_stop(struct alerting *alerting);

/* Evaluate the current snapshot once, then send whatever is due, on this thread: for run --once;
 * never while started. */
bool alerting_run(struct alerting *alerting, int64_t now, struct error *error) MUST_USE;

/* Continue with other settings; database, ledger and outbox stay open. With equal ones everything
 * is left alone, but for lanes that a receiver has stopped: those try again. */
void alerting_configure(struct alerting *alerting, struct settings *settings);

/* Append the figures of the last evaluation, about findings and alerts; the generation rises when
 * they changed. Any thread. */
void alerting_emit(struct alerting *alerting, struct metric_set *set);
uint64_t alerting_generation(const struct alerting *alerting);

/* Whether what was known before the start is read. Any thread. */
bool alerting_is_loaded(const struct alerting *alerting);

/* Why nothing can be decided now, in a sentence; false = it can. A change rises the generation. Any
 * thread. */
bool alerting_trouble(const struct alerting *alerting, char text[TROUBLE_TEXT_BYTES]);

/* Append the figures of the outbox as they are now. Any thread. */
void alerting_emit_own(struct alerting *alerting, struct metric_set *set);

/* Note what somebody did outside the database; the next evaluation tells, counts and logs it. Any
 * thread. */
bool alerting_audit(struct alerting *alerting, enum audit_action action, const struct audit_by *by,
                    const char *subject, const char *detail, struct error *error) MUST_USE;

/* Somebody has changed silences or messages: decide and deliver soon. Any thread. */
void alerting_wake(struct alerting *alerting);

/* What is open now, for people, with a reference; NULL: none came within timeout_ms. Any thread. */
struct view *alerting_view(struct alerting *alerting, int64_t timeout_ms);

/* Connections that read its database. Any thread. */
struct readers *alerting_readers(struct alerting *alerting);

/* The context of an API call; the settings in it are acquired: release them. */
struct api_context alerting_api(struct alerting *alerting, int64_t now);

/* All families of the alerts wing, ends with NULL. */
extern const struct family *const *const alerting_families[];
