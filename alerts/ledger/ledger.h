#pragma once
/* The life of every finding: first seen, opened, reopened, risk changed, overdue, resolved and why.
 * Open findings are kept in memory in compact form (56 bytes each, sorted by id), everything in the
 * database. Evaluator only, unless a function says otherwise.
 *
 * Concluding (pure merge of three sorted lists: mirror, part.findings, part.closed):
 *   in findings, not open        -> opened, or reopened when the table knows it (episode + 1)
 *   in findings, other risk      -> risk changed
 *   in closed, open              -> resolved at once, with the row's reason
 *   in neither, open             -> unseen since this collection, and open; over when something
 *                                   says why:
 *     resource_deleted     the part has a proof (proof.h)
 *     retired              neither the part nor the catalogue knows its assessment any more
 *     fixed                where rows tell only what fails: a newer report is there without it
 *                          (collector.h)
 *     no_longer_assessed   nothing said why for max staleness, where most of the subscription, or
 *                          of the source, lacks its rows for a day: told, and counted as nothing
 *                          good
 * All but a proof need a second collection without the row that counts. One counts when the
 * source's last run succeeded, the part is a new one, it is not truncated, the finding's
 * subscription is in its cover and not carried, and the set of subscriptions in the cover and not
 * carried equals that of the collection before; in a subscription with gaps none counts. Only a
 * row makes an unseen finding seen, also an odd one, which neither opens nor resolves it. All of it
 * is kept in the database, so that a restart changes nothing. Findings of carried subscriptions are
 * never touched, although part_carry copied them into the part.
 *
 * A cycle in which nothing happened touches no statement. Texts are written once, when a finding
 * opens; 200,000 rows of a first run are one transaction through one prepared statement. */
#include "alerts/ledger/event.h"
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

enum ledger_first_run { LEDGER_FIRST_SILENT, LEDGER_FIRST_SUMMARY, LEDGER_FIRST_ALL };
extern const char *const ledger_first_run_words[];

/* What the SLA counts from: since when Azure says a finding fails, or when we saw it. */
enum ledger_sla_from { LEDGER_SLA_AZURE, LEDGER_SLA_SEEN };
extern const char *const ledger_sla_from_words[];

struct ledger_config {
    int first_run;               /* enum ledger_first_run */
    int sla_from;                /* enum ledger_sla_from */
    int64_t sla_s[RISK_COUNT];   /* that instant -> due; 0 = no SLA for this risk */
    int64_t due_soon_s;          /* this long before due it counts as due soon */
    int64_t ruler_subscriptions; /* a new assessment key open in at least so many ... */
    int64_t ruler_findings;      /* ... or with so many findings is one ruler.changed event */
    int64_t keep_events_s;       /* history for replay; 0 = for ever */
};

struct ledger;

/* Load the mirror and the counters of these sources; those of another list that a snapshot brings
 * are loaded when it is advanced to. config: copied. NULL and *error as database_step. */
struct ledger *ledger_create(struct database *database, const struct ledger_config *config,
                             struct source_list *sources, struct error *error) MUST_USE;
void ledger_destroy(struct ledger *ledger);

/* Use another configuration from the next advance on; due dates follow it. */
void ledger_configure(struct ledger *ledger, const struct ledger_config *config);

/* Compare the snapshot with what is known, and the clock with what is due; write the changes and
 * append the events. Inside a transaction. The snapshot must be held until the events are used.
 * A clock that stepped back makes nothing overdue and nothing older; times of events never go
 * below those already recorded of their finding.
 * What is overdue when it is adopted, or only because its date was corrected, has no overdue event:
 * the first run's names their number.
 * First run of a source (store key "adopted.<key of the source>" is not set; its first part sets
 * it, also an empty one, so that the first finding of a clean tenant is an event): adopted quietly;
 * then
 *   silent: no event; summary: one EVENT_FIRST_RUN; all: an event each.
 * So is what a source finds in a subscription that it covers for the first time, or again after 30
 * days; one EVENT_FIRST_RUN then tells of all subscriptions that every source has adopted.
 * Only the last is recorded in ledger_event. Findings of a ruler.changed are recorded, and appended
 * as quiet events. A quiet finding has no alert, so its resolve is recorded only; a change of its
 * risk, its overdue and its reopening are ordinary events and end the quiet. On false: roll back,
 * then ledger_reload. */
bool ledger_advance(struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                    struct event_list *events, struct error *error) MUST_USE;

/* Write the counters that changed, so that they go on after a restart. Inside the same transaction;
 * no decision depends on it, and what fails is written with the next change. */
bool ledger_keep_counters(struct ledger *ledger, struct error *error) MUST_USE;

/* Read everything again from the database, after a rollback. */
bool ledger_reload(struct ledger *ledger, struct error *error) MUST_USE;

/* When time alone brings an event: the next finding becomes overdue, or a new subscription has been
 * waited for long enough; 0 = none will. */
int64_t ledger_next_due_at(const struct ledger *ledger);

/* Since when an open finding is open and when it is due (0 = never); both are left as they
 * are when it is not open. */
void ledger_times(const struct ledger *ledger, const struct finding_id *id, int64_t *opened_at,
                  int64_t *due_at);

/* Append the figures as they are now, the advance under way included. Zeros for every subscription
 * known to the snapshot and every enum, so that increase() sees the first one. */
void ledger_emit(const struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                 struct metric_set *set);

/* defender_findings_opened_total _resolved_total _reopened_total (subscription_id, risk_level),
 * defender_finding_resolutions_total (risk_level, reason), defender_finding_risk_changes_total,
 * defender_finding_resolution_seconds, defender_finding_detection_delay_seconds,
 * defender_findings_overdue, _due_soon, _unseen,
 * defender_finding_opened_timestamp_seconds (level 3),
 * defender_baseline_rules_regressed_total, _fixed_total (assignment, rule_severity). */
extern const struct family *const ledger_families[];

/* True before the first run of any source. */
bool ledger_is_new(const struct ledger *ledger);

/* Record an event in the history, as ledger_advance does with its own, under the next number, which
 * none had before, deleted or not. Inside a transaction. */
bool ledger_record(struct database *database, const struct event *event,
                   struct error *error) MUST_USE;

/* Delete the oldest events that are older than keep_events_s, a step of them, and the findings they
 * are about that are closed as long and have no alert: such a finding would open as a new one. Once
 * a day the texts and individual recommendations that no finding has any more, a step of them.
 * Evaluator, inside its transaction. */
bool ledger_prune(struct ledger *ledger, int64_t now, struct error *error) MUST_USE;

/* What the ledger knows of a finding; for notifications, GET /f/<id>, the API. Any thread with its
 * own database handle. */
struct ledger_entry {
    struct finding finding; /* texts in the arena */
    bool open, quiet;
    int reason; /* enum finding_reason; -1 while open */
    uint32_t episode;
    int64_t opened_at, resolved_at, overdue_at;
    int64_t absent_at; /* first collection without it; 0 = it was seen to the end */
};

/* *found false when none of the sources has seen it. prefix: 16 or 32 hex digits. */
bool ledger_find(struct database *database, const struct source_list *sources, const char *prefix,
                 struct arena *arena, struct ledger_entry *entry, bool *found,
                 struct error *error) MUST_USE;

/* Called with one recorded event, oldest first; valid until it returns. About a finding: record is
 * filled, its risk is that of the event. False stops with *error. */
typedef bool ledger_visit(void *context, const struct event *event, struct error *error);

/* Walk the history of these sources since an instant; finding NULL = of all findings. Reads rows
 * one by one. Any thread with its own database handle. */
bool ledger_history(struct database *database, const struct source_list *sources, int64_t since,
                    const struct finding_id *finding, ledger_visit *visit, void *context,
                    struct error *error) MUST_USE;

/* Walk up to limit events behind a number, in the order they were recorded; those of other sources
 * are passed over, and count. *last: the number of the last one, `after` when there was none. */
bool ledger_follow(struct database *database, const struct source_list *sources, int64_t after,
                   int64_t limit, ledger_visit *visit, void *context, int64_t *last,
                   struct error *error) MUST_USE;
