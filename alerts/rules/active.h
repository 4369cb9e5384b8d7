#pragma once
/* The alerts that are pending, firing or lately resolved: a table, read by key, so that ten
 * thousand of them cost no memory. Event alerts are touched only by events about their finding,
 * alerts over metrics once an evaluation. The pass runs inside the evaluator's transaction; the
 * reading functions serve any thread with its own database handle. */
#include "alerts/rules/alert.h"
#include "alerts/rules/attribute.h"
#include "alerts/rules/rule.h"
#include "alerts/rules/threshold.h"
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"

#define ACTIVE_EXPIRED "expired" /* why an alert resolved that nothing undoes: no notification */

enum active_change_kind {
    ACTIVE_FIRED,      /* or there is news of an alert that fires */
    ACTIVE_FELL,       /* its risk fell: news where it was told, but not where it comes to */
    ACTIVE_RELABELLED, /* other labels describe it now: no news, but it may belong elsewhere */
    ACTIVE_EXTENDED,   /* the same, but only more labels than before */
    ACTIVE_RESOLVED,
};

/* One change, passed on as it happens; the alert is valid until the call returns. */
struct active_change {
    enum active_change_kind kind;
    const struct alert *alert;
};
typedef bool active_changed(void *context, const struct active_change *change, struct error *error);

/* The receivers an alert is routed to, in no order; returns how many. The names outlive the pass.
 */
enum { ACTIVE_RECEIVERS_MAX = 32 };
typedef size_t active_receivers(void *context, const struct alert *alert,
                                const char *names[ACTIVE_RECEIVERS_MAX]);

/* One evaluation. The caller fills the first members and zeroes the rest. */
struct active_pass {
    struct database *database;
    const struct rule_set *rules;
    const struct snapshot *snapshot; /* says whether data that are missing are known to be gone;
                                        NULL = they are */
    int64_t now, flap_within_s;
    active_changed *changed;
    active_receivers *receivers; /* NULL = all alerts have the same one */
    void *context;

    struct arena arena, scratch;
    bool *has_rows;    /* by place in rule_all */
    const char **gone; /* rules that have alerts but are in no file any more; gone_count */
    size_t gone_count;
    struct attribute_names names;
    bool adopted;       /* the first runs are over */
    bool blind;         /* a subscription that was visible cannot be read */
    struct intern seen; /* fingerprints of alerts over metrics that got a signal */
    struct intern late; /* findings whose news is that they are overdue as well, each with a
                           receiver that is told */
};
bool active_begin(struct active_pass *pass, struct error *error) MUST_USE;
void active_end(struct active_pass *pass);

/* Apply one event to the event rules:
 * - alerts about its finding: resolved when it resolved; when its risk changed they go on with
 *   their labels as they are now, unless the rule wants it no longer (no_longer_matches);
 * - a rule over finding.overdue alone: its alert resolves when the finding is no longer overdue; it
 *   does not fire when other rules have news of the finding in the same pass for all its receivers,
 *   which says it too;
 * - what it undoes: score.recovered and data.recovered resolve score.dropped and data.stale;
 * - rules that want it: their alert fires (after min_age: pends); one that fires already is told
 *   again when the event is another. The alert of a first run waits until every collector has
 *   published, a quarter of an hour at most, so that all first runs are one alert.
 * Only alerts that fire or fired before make changes. */
bool active_apply_event(struct active_pass *pass, const struct event *event,
                        struct error *error) MUST_USE;

/* Describe the alerts of events anew: their findings, subscriptions and controls may have other
 * names now, their rules other labels. Writes only what differs. */
bool active_describe(struct active_pass *pass, struct error *error) MUST_USE;

/* Apply one signal of a rule over metrics; writes nothing when the state stays. */
bool active_apply_signal(struct active_pass *pass, const struct threshold_signal *signal,
                         struct error *error) MUST_USE;

/* After the events and signals: alerts over metrics that got no signal, alerts of rules that are
 * gone (rule_removed), and everything whose time has come. */
bool active_advance(struct active_pass *pass, struct error *error) MUST_USE;

/* When time alone changes something; 0 = never. */
bool active_next_at(struct database *database, int64_t *at, struct error *error) MUST_USE;

/* Walk alerts, worst risk first, then by start. state: ALERT_STATE_COUNT = firing and pending.
 * Texts are valid until the visitor returns. */
typedef bool active_visit(void *context, const struct alert *alert, struct error *error);
bool active_each(struct database *database, enum alert_state state, active_visit *visit,
                 void *context, struct error *error) MUST_USE;

/* Walk those that fire or are pending by fingerprint, from behind one on; "" = from the first. */
bool active_each_after(struct database *database, const char *fingerprint, active_visit *visit,
                       void *context, struct error *error) MUST_USE;

/* Walk those about one finding, of every state. Texts go to the arena. */
bool active_of(struct database *database, const struct finding_id *id, struct arena *arena,
               active_visit *visit, void *context, struct error *error) MUST_USE;

/* How many there are of one state. */
bool active_count(struct database *database, enum alert_state state, int64_t *count,
                  struct error *error) MUST_USE;

/* Those of one state by fingerprint, which is the order of the table, in the hands of the caller,
 * who may pause: between two pieces no transaction is open, so that others are not kept waiting
 * however long that takes. Nothing is left out, nor told twice. */
struct active_walk {
    struct database *database;
    enum alert_state state;
    struct database_statement *statement; /* NULL = paused, or not begun */
    struct arena arena;
    char fingerprint[ALERT_FINGERPRINT_BYTES]; /* of the last one */
    const char *labels; /* of the last one, as JSON; NULL = they have to be written */
};
void active_walk_init(struct active_walk *walk, struct database *database, enum alert_state state);
/* The next one, valid until the next call; *found false at the end. */
bool active_walk_next(struct active_walk *walk, struct alert *alert, bool *found,
                      struct error *error) MUST_USE;
void active_walk_pause(struct active_walk *walk);
void active_walk_finish(struct active_walk *walk);

/* One by fingerprint; texts in the arena. */
bool active_find(struct database *database, const char *fingerprint, struct arena *arena,
                 struct alert *alert, bool *found, struct error *error) MUST_USE;
