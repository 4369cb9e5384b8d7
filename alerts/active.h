#pragma once
/* The alerts that are pending, firing or lately resolved: a table, read by key, so that ten
 * thousand of them cost no memory. Event alerts are touched only by events about their finding,
 * alerts over metrics once an evaluation. Inside the evaluator's transaction; the reading functions
 * also by any thread with its own database handle. */
#include "alerts/alert.h"
#include "alerts/database.h"
#include "alerts/rule.h"
#include "alerts/threshold.h"

/* What changed in one evaluation, handed to group_take. Texts in the arena given. */
struct active_change {
    enum state_change change; /* STATE_FIRED or STATE_RESOLVED; the rest is nobody's business */
    struct alert alert;
};
struct active_changes {
    struct active_change *changes;
    size_t count, capacity;
    struct arena arena;
};
void active_changes_finish(struct active_changes *changes);

/* Apply one event to the event rules:
 * - rules that want it: their alert fires (after min_age: pends);
 * - alerts about its finding: resolved when it resolved; told again under new labels (old one
 *   resolves with no_longer_matches) when its risk changed.
 * Only alerts that fire or fired before make changes. */
bool active_take_event(struct database *database, const struct rule_set *rules,
                       const struct event *event, int64_t now, struct active_changes *changes,
                       struct error *error) MUST_USE;

/* Apply one signal of a rule over metrics; writes nothing when the state stays. */
bool active_take_signal(struct database *database, const struct threshold_signal *signal,
                        int64_t now, struct active_changes *changes, struct error *error) MUST_USE;

/* Alerts over metrics that got no signal this time (seen: fingerprints told), alerts of rules that
 * are gone (rule_removed), pending and kept ones whose time has come. */
bool active_advance(struct database *database, const struct rule_set *rules, int64_t now,
                    struct active_changes *changes, struct error *error) MUST_USE;

/* When active_advance has something to do; 0 = never. */
bool active_next_at(struct database *database, const struct rule_set *rules, int64_t *at,
                    struct error *error) MUST_USE;

/* Walk alerts, worst risk first, then by start. state: ALERT_STATE_COUNT = firing and pending.
 * Texts are valid until the visitor returns. */
typedef bool active_visit(void *context, const struct alert *alert, struct error *error);
bool active_each(struct database *database, enum alert_state state, active_visit *visit,
                 void *context, struct error *error) MUST_USE;

/* One by fingerprint; texts in the arena. */
bool active_find(struct database *database, const char *fingerprint, struct arena *arena,
                 struct alert *alert, bool *found, struct error *error) MUST_USE;
