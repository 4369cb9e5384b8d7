#pragma once
/* Decides: a new snapshot, or time, in; one transaction with everything that follows out.
 *
 * The rooms, each including only those above it, and who calls whom
 *   store       database <- schema, rows          everybody's tables
 *   text        match, template, html, record, time_interval: know no alert
 *   ledger      ledger: part -> events            watch: scores, freshness -> events
 *               points: potential points
 *   rules       rule: what is wanted              threshold: set -> signals
 *               active: events, signals -> alerts that fired or resolved (alert_state says when)
 *               notification <- alert             what a message says
 *   receivers   notification -> request, answer -> verdict: one file a kind
 *   notify      settings: `alerts:` compiled; owns rules, routes, receivers, intervals, windows
 *               group: route -> groups; when due: mute (silence, inhibit, intervals, windows,
 *               flapping), governor, notification_build -> outbox
 *               delivery: one thread a lane: outbox -> build -> core/http -> classify -> outbox
 *               outbox_figures: what waits, in memory for scrapes
 *   (here)      evaluator: this file; alone writes decisions; evaluation is one of its transactions
 *               trouble: why nothing can be decided, when that is so
 *               heartbeat, drill: show that messages arrive, outside and inside the outbox
 *               reports: what view_report says, as a message, when it is due
 *               replay, ruletest: run the same modules on a database of their own
 *               alerting: the wing as a whole: what exporter/service starts, reloads, stops
 *   view        what is open, put in order for people: made after an evaluation
 *   api         reads the tables, writes silences
 * Pure, time a parameter: alert_state, match, route, time_interval, mute, points, html, template,
 * text, notification, every receiver kind.
 *
 * One evaluation
 *    1 look whether the file is still there; acquire the snapshot; database_begin (waits for other
 *      writers; TIMEOUT: again in a second)
 *    2 ledger_advance, watch_advance        -> events, in ledger_event too
 *    3 metric set: max_level -1, opted = rule_families and those with `history`; runner_emit,
 *      ledger_emit, points_emit; sort; history_keep
 *    4 active_apply_event for each event; threshold_evaluate -> active_apply_signal; after a
 *      collection active_describe; active_advance
 *    5 group_route for each change
 *    6 group_flush, governor_flush          -> outbox rows
 *    7 prunes, at most once an hour
 *      Silences, inhibitions, scores, freshness, counters, values over time, the drill, reports,
 *      prunes and figures are each a savepoint: one that fails is undone alone, counted, and the
 *      decisions go on without it
 *    8 database_commit: durable from here
 *    9 counters, published figures, then delivery_wake; release the snapshot
 *   10 ledger_unseen_ask: questions for the runner; the answers come with the next part. Who
 *      changed the resources of 5 is asked, too: answers come with a part of their own, in seconds
 * Between snapshots the same runs without 2's merge, when the earliest next_at has come or after a
 * wake. A cycle that changes nothing executes no INSERT, UPDATE or DELETE: no byte is written.
 *
 * Crash safety. Before 8 nothing has happened: the next start finds the old tables, and the same
 * snapshot compared with them gives the same decisions. After 8 every message is in the outbox
 * under its final id. Delivery's only window is between the receiver's acceptance and
 * outbox_mark_sent: a kill there repeats that attempt once per kill, with the same id (a clean stop
 * waits a second for it). A failed
 * commit (disk full) rolls back, ledger_reload and threshold's memory follow, and nothing was sent.
 * Snapshots skipped while locked lose nothing: the ledger compares states, not steps. */
#include "alerts/notify/settings.h"
#include "alerts/store/database.h"
#include "alerts/trouble.h"
#include "alerts/view/view_board.h"
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

struct evaluator;

/* Called on the evaluator's thread after a commit that queued messages. */
typedef void evaluator_wake_delivery(void *context);

struct evaluator_config {
    const char *database_path;
    struct snapshot_store *snapshots; /* borrowed, as metrics; both outlive it */
    struct metric_store *metrics;
    evaluator_wake_delivery *wake; /* may be NULL */
    void *wake_context;
};

/* Open and migrate the database: answers may be given. NULL and *error as database_open: a refused
 * file is a start-up failure. settings: acquired. */
struct evaluator *evaluator_create(const struct evaluator_config *config, struct settings *settings,
                                   struct error *error) MUST_USE;
void evaluator_destroy(struct evaluator *evaluator);

/* Read what the database knows, once; its thread and the first evaluation do that by themselves.
 * *error as database_check_large, and database_step. Never while started. */
bool evaluator_load(struct evaluator *evaluator, struct error *error) MUST_USE;

/* Start and stop its thread; it waits in snapshot_wait, at most one second at a time. */
void evaluator_start(struct evaluator *evaluator);
void evaluator_stop(struct evaluator *evaluator);

/* From the next evaluation on; any thread. Groups are routed anew. */
void evaluator_configure(struct evaluator *evaluator, struct settings *settings);

/* Evaluate soon: a silence changed, a message was queued again. Any thread. */
void evaluator_wake(struct evaluator *evaluator);

/* One evaluation on the calling thread, with this snapshot and clock: for tests, --once, replay and
 * rule tests; never while started. next_at: when to come again, 0 = with the next snapshot. */
bool evaluator_run(struct evaluator *evaluator, struct snapshot *snapshot, int64_t now,
                   int64_t *next_at, struct error *error) MUST_USE;

/* Append the figures of the last commit: ledger's, points', defender_exporter_alerts (state),
 * _state_bytes, _state_last_write_timestamp_seconds. Any thread; all of one commit or none. Before
 * the first evaluation: what the database held, so that counters never go back; nothing before
 * that is loaded. */
void evaluator_emit(struct evaluator *evaluator, struct metric_set *set);

/* A number that rises with every evaluation that changed what evaluator_emit appends. Any
 * thread. */
uint64_t evaluator_generation(const struct evaluator *evaluator);

/* What was compiled of silences, for the API as well; it lives as long. Any thread. */
struct silence_cache *evaluator_silences(const struct evaluator *evaluator);

/* What is open now, for people: after an evaluation, as long as somebody looks. NULL: none came
 * within timeout_ms. The caller releases it. Any thread. */
struct view *evaluator_view(struct evaluator *evaluator, int64_t timeout_ms);

/* Whether what the database knows is loaded. Any thread. */
bool evaluator_is_loaded(const struct evaluator *evaluator);

/* When the last evaluation succeeded; for heartbeat and notifications. Any thread. */
int64_t evaluator_succeeded_at(const struct evaluator *evaluator);

/* Why nothing can be decided now, in a sentence; TROUBLE_NONE = it can. Any thread. */
enum trouble_reason evaluator_trouble(const struct evaluator *evaluator,
                                      char text[TROUBLE_TEXT_BYTES]);

/* Live in the metric store, declared for every rule at create and configure:
 * defender_exporter_rule_evaluations_total, _rule_evaluation_failures_total (rule),
 * _rule_last_duration_seconds, _notifications_suppressed_total (reason),
 * _state_write_failures_total, _bookkeeping_failures_total (kind). And those of evaluator_emit. */
extern const struct family *const evaluator_families[];
