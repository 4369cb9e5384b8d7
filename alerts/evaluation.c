/* The steps of one evaluation, in the order evaluator.h lists them. */
#include "alerts/evaluation.h"

#include <stdlib.h>

#include "alerts/drill.h"
#include "alerts/ledger/points.h"
#include "alerts/ledger/watch.h"
#include "alerts/ledger/watch_risk.h"
#include "alerts/notify/audit_notice.h"
#include "alerts/notify/group.h"
#include "alerts/notify/limited.h"
#include "alerts/notify/notification_changes.h"
#include "alerts/notify/notification_settings.h"
#include "alerts/notify/rekey.h"
#include "alerts/reports.h"
#include "alerts/rules/active.h"
#include "alerts/store/schema.h"
#include "collectors/run/runner.h"
#include "core/memory.h"

/* What regular expressions of silences may take in one evaluation. */
enum { SILENCES_US = 20000000 };
enum { PRUNE_AGAIN_S = 5, MEASURED_MAX = 512 };

/* clang-format off */
const struct family_1 evaluation_alerts = {
    .name = "defender_exporter_alerts", .type = METRIC_GAUGE, .level = 0,
    .help = "Alerts by state; silenced and inhibited ones are firing, too.",
    LABELS("state"),
};
const struct family_0 evaluation_state_bytes = {
    .name = "defender_exporter_state_bytes", .type = METRIC_GAUGE, .level = 0, .unit = "bytes",
    .help = "Size of the database and its log on disk.",
};
const struct family_0 evaluation_last_write = {
    .name = "defender_exporter_state_last_write_timestamp_seconds", .type = METRIC_GAUGE,
    .level = 0, .unit = "seconds", .help = "When a decision was last written.",
};
const struct family_1 evaluation_unreadable = {
    .name = "defender_exporter_state_rows_unreadable", .type = METRIC_GAUGE, .level = 0,
    .help = "Rows of the database that could not be read since the start; the log names them.",
    LABELS("table"),
};
/* clang-format on */

const char *const evaluation_aside_words[] = {
    "silences", "inhibitions",  "scores",  "freshness", "subscriptions", "models",
    "plans",    "remediations", "risk",    "counters",  "history",       "drill",
    "reports",  "audit",        "pruning", "figures",   NULL,
};

/* What lives as long as the evaluation. */
struct step {
    struct evaluation *evaluation;
    struct event_list events;
    struct points *points;
    struct silence_list silences;
    struct match_budget silence_budget;
    struct inhibit_view *inhibits;
    struct mute_context mutes;
    struct notification_context notifications;
    struct group_context groups;
    struct active_pass pass;
    struct metric_set metrics; /* what rules read */
};

static void finish_step(struct step *step)
{
    active_end(&step->pass);
    metric_set_finish(&step->metrics);
    inhibit_view_destroy(step->inhibits);
    silence_list_finish(&step->silences);
    points_destroy(step->points);
    event_list_finish(&step->events);
    free(step->groups.budgets);
}

/* --- figures ---------------------------------------------------------------------------------- */

static bool count_alerts(struct database *database, struct metric_set *figures, struct error *error)
{
    static const struct {
        const char *state, *question;
    } states[] = {
        { "pending", "SELECT COUNT(*) FROM active_alert WHERE state = 'pending'" },
        { "firing", "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'" },
        { "silenced", "SELECT COUNT(DISTINCT fingerprint) FROM group_member"
                      " WHERE muted_by <> '' AND muted_by = 'silence'" },
        { "inhibited", "SELECT COUNT(DISTINCT fingerprint) FROM group_member"
                       " WHERE muted_by <> '' AND muted_by = 'inhibit'" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        struct database_statement *statement = database_prepare(database, states[i].question);
        int64_t count;
        if (!database_get_integer(statement, &count, error))
            return false;
        metric_add(figures, &evaluation_alerts, (double)count, METRIC_LABELS(states[i].state));
    }
    return true;
}

bool evaluation_figures(const struct evaluation *evaluation, const struct points *points,
                        const struct silence_list *silences, struct error *error)
{
    struct metric_set *figures = evaluation->figures;
    const struct unreadable *unreadable = database_unreadable(evaluation->database);
    ledger_emit(evaluation->ledger, evaluation->snapshot, evaluation->now, figures);
    if (points)
        points_emit(points, figures);
    metric_add(figures, &evaluation_state_bytes, (double)database_bytes(evaluation->database),
               METRIC_LABELS());
    if (evaluation->wrote_at)
        metric_add(figures, &evaluation_last_write, (double)evaluation->wrote_at, METRIC_LABELS());
    for (unsigned i = 0; i < UNREADABLE_COUNT; i++)
        metric_add(figures, &evaluation_unreadable, (double)unreadable_count(unreadable, i),
                   METRIC_LABELS(unreadable_words[i]));
    limited_emit(evaluation->settings, silences, figures);
    return count_alerts(evaluation->database, figures, error);
}

/* --- the steps -------------------------------------------------------------------------------- */

/* Do something that undoes nothing else when it fails. False: the transaction is lost. */
static bool aside(struct step *step, enum evaluation_aside what, database_act *act,
                  struct error *error)
{
    struct error why = { 0 };
    size_t events = step->events.count;
    bool kept;
    if (!database_try(step->evaluation->database, act, step, &kept, &why)) {
        *error = why;
        return error_wrap(error, "%s", evaluation_aside_words[what]);
    }
    if (kept)
        return true;
    step->events.count = events;
    step->evaluation->aside[what] = why;
    return true;
}

static bool read_silences(void *context, struct error *error)
{
    struct step *step = context;
    struct evaluation *evaluation = step->evaluation;
    if (silence_load(evaluation->database, evaluation->silences, evaluation->now, &step->silences,
                     error))
        return true;
    silence_list_finish(&step->silences);
    return false;
}

static bool watch(struct step *step, enum watch_kind kind, struct error *error)
{
    struct evaluation *evaluation = step->evaluation;
    return watch_advance(evaluation->database, &evaluation->settings->watch, kind,
                         evaluation->snapshot, evaluation->now, &step->events, error);
}

static bool watch_scores(void *context, struct error *error)
{
    return watch(context, WATCH_SCORES, error);
}

static bool watch_freshness(void *context, struct error *error)
{
    return watch(context, WATCH_FRESHNESS, error);
}

static bool watch_subscriptions(void *context, struct error *error)
{
    return watch(context, WATCH_SUBSCRIPTIONS, error);
}

static bool watch_models(void *context, struct error *error)
{
    return watch(context, WATCH_MODELS, error);
}

static bool watch_plans(void *context, struct error *error)
{
    return watch(context, WATCH_PLANS, error);
}

static bool watch_remediations(void *context, struct error *error)
{
    return watch(context, WATCH_REMEDIATIONS, error);
}

static bool watch_risk(void *context, struct error *error)
{
    struct step *step = context;
    struct evaluation *evaluation = step->evaluation;
    return watch_risk_advance(evaluation->database, evaluation->settings->risk_waiting,
                              evaluation->snapshot, evaluation->now, &step->events, error);
}

static bool keep_counters(void *context, struct error *error)
{
    struct step *step = context;
    return ledger_keep_counters(step->evaluation->ledger, error);
}

static bool happen(struct step *step, struct error *error)
{
    struct evaluation *evaluation = step->evaluation;
    if (!ledger_advance(evaluation->ledger, evaluation->snapshot, evaluation->now, &step->events,
                        error) ||
        !aside(step, EVALUATION_COUNTERS, keep_counters, error) ||
        !aside(step, EVALUATION_SCORES, watch_scores, error) ||
        !aside(step, EVALUATION_FRESHNESS, watch_freshness, error) ||
        !aside(step, EVALUATION_SUBSCRIPTIONS, watch_subscriptions, error) ||
        !aside(step, EVALUATION_MODELS, watch_models, error) ||
        !aside(step, EVALUATION_PLANS, watch_plans, error) ||
        !aside(step, EVALUATION_REMEDIATIONS, watch_remediations, error) ||
        !aside(step, EVALUATION_RISK, watch_risk, error))
        return false;
    for (size_t i = 0; i < step->events.count; i++)
        if (step->events.events[i].kind == EVENT_FIRST_RUN)
            evaluation->suppressed[MUTE_FIRST_RUN] += (uint64_t)step->events.events[i].value;
    step->points = points_create(evaluation->snapshot);
    return true;
}

static void add_kept(const struct family *const *families, const struct family **list,
                     size_t *count)
{
    for (; *families; families++)
        if ((*families)->history && *count < MEASURED_MAX)
            list[(*count)++] = *families;
}

/* The families that rules over metrics name, and those whose values are kept over time. */
static const struct family *const *choose(struct step *step)
{
    const struct source_list *sources = step->evaluation->snapshot->sources;
    const struct family *const *ruled = rule_families(step->evaluation->settings->rules);
    const struct family **list =
        arena_zalloc(&step->metrics.arena, (MEASURED_MAX + 1) * sizeof(struct family *));
    size_t count = 0;
    while (*ruled && count < MEASURED_MAX)
        list[count++] = *ruled++;
    for (size_t i = 0; i < sources->count; i++)
        add_kept(sources->sources[i].collector->families, list, &count);
    add_kept(ledger_families, list, &count);
    return list;
}

static void measure(struct step *step)
{
    struct evaluation *evaluation = step->evaluation;
    step->metrics.max_level = -1;
    step->metrics.opted = choose(step);
    runner_emit(evaluation->snapshot, &step->metrics);
    ledger_emit(evaluation->ledger, evaluation->snapshot, evaluation->now, &step->metrics);
    points_emit(step->points, &step->metrics);
    metric_set_sort(&step->metrics);
}

static bool keep_history(void *context, struct error *error)
{
    struct step *step = context;
    struct evaluation *evaluation = step->evaluation;
    return history_keep(evaluation->history, evaluation->database, &step->metrics,
                        snapshot_is_ready(evaluation->snapshot), evaluation->now, error);
}

static bool on_change(void *context, const struct active_change *change, struct error *error)
{
    struct step *step = context;
    bool is_news = change->kind == ACTIVE_FIRED || change->kind == ACTIVE_RESOLVED;
    return (!is_news || notification_changes_ask(&step->notifications, change->alert,
                                                 &step->evaluation->asked, error)) &&
           group_route(&step->groups, change, error);
}

static size_t receivers_of(void *context, const struct alert *alert,
                           const char *names[ACTIVE_RECEIVERS_MAX])
{
    const struct step *step = context;
    return route_receivers(step->evaluation->settings->route, alert, names, ACTIVE_RECEIVERS_MAX);
}

static bool on_signal(void *context, const struct threshold_signal *signal, struct error *error)
{
    struct step *step = context;
    return active_apply_signal(&step->pass, signal, error);
}

static bool alert(struct step *step, struct error *error)
{
    struct evaluation *evaluation = step->evaluation;
    size_t count;
    const struct rule *rules = rule_all(evaluation->settings->rules, &count);
    step->pass = (struct active_pass){
        .database = evaluation->database,
        .rules = evaluation->settings->rules,
        .snapshot = evaluation->snapshot,
        .now = evaluation->now,
        .flap_within_s = evaluation->settings->config->flapping.within_ms / 1000,
        .changed = on_change,
        .receivers = receivers_of,
        .context = step,
    };
    if (!active_begin(&step->pass, error))
        return false;
    for (size_t i = 0; i < step->events.count; i++)
        if (!active_apply_event(&step->pass, &step->events.events[i], error))
            return false;
    for (size_t i = 0; i < count; i++)
        if (rules[i].kind != RULE_EVENT &&
            !threshold_evaluate(evaluation->threshold, &rules[i], &step->metrics, evaluation->now,
                                on_signal, step, error))
            return error_wrap(error, "rule %s", rules[i].name);
    if (evaluation->describe && !active_describe(&step->pass, error))
        return false;
    return active_advance(&step->pass, error);
}

static bool read_inhibits(void *context, struct error *error)
{
    struct step *step = context;
    struct evaluation *evaluation = step->evaluation;
    const struct settings *settings = evaluation->settings;
    bool work = false;
    if (settings->inhibits && !group_has_work(evaluation->database, evaluation->now, &work, error))
        return false;
    if (work)
        step->inhibits = inhibit_view_create(settings->inhibits, evaluation->database, error);
    step->mutes.inhibits = step->inhibits;
    return !work || step->inhibits;
}

static bool notify(struct step *step, struct error *error)
{
    return aside(step, EVALUATION_INHIBITIONS, read_inhibits, error) &&
           group_flush(&step->groups, error) && governor_flush(&step->groups, error);
}

static void consider(struct evaluation *evaluation, int64_t at)
{
    if (at && at <= evaluation->now)
        at = evaluation->now + 1;
    if (at && (!evaluation->next_at || at < evaluation->next_at))
        evaluation->next_at = at;
}

/* A step of it: what was full goes on soon. */
static bool prune(void *context, struct error *error)
{
    struct step *step = context;
    struct evaluation *evaluation = step->evaluation;
    struct database *database = evaluation->database;
    const struct settings_config *config = evaluation->settings->config;
    int64_t now = evaluation->now, rows = database_total_changes(database);
    if (!outbox_prune(database, config->keep_sent_ms / 1000, now, error) ||
        !silence_prune(database, now, error) || !group_prune(database, now, error) ||
        !ledger_prune(evaluation->ledger, now, error) || !history_prune(database, now, error))
        return false;
    evaluation->more_to_prune = database_total_changes(database) - rows >= SCHEMA_PRUNE_ROWS;
    if (evaluation->more_to_prune)
        consider(evaluation, now + PRUNE_AGAIN_S);
    return true;
}

/* The receiver that hears of it does; of what is left in a second. */
static bool audit(void *context, struct error *error)
{
    struct step *step = context;
    struct audit_list *list = &step->evaluation->audits;
    audit_list_finish(list);
    if (!audit_take(step->evaluation->database, list, error) ||
        !audit_notice(&step->groups, list, error)) {
        audit_list_finish(list);
        return false;
    }
    if (list->count == AUDIT_TAKE_MAX)
        consider(step->evaluation, step->evaluation->now);
    return true;
}

static bool drill(void *context, struct error *error)
{
    struct step *step = context;
    int64_t at;
    if (!drill_advance(&step->groups, &at, error))
        return false;
    consider(step->evaluation, at);
    return true;
}

static bool report(void *context, struct error *error)
{
    struct step *step = context;
    int64_t at;
    if (!reports_advance(&step->groups, step->evaluation->snapshot, &at, error))
        return false;
    consider(step->evaluation, at);
    return true;
}

/* Everything that waits for an instant. */
static bool find_next_at(struct step *step, struct error *error)
{
    struct evaluation *evaluation = step->evaluation;
    int64_t active, group, governor;
    if (!active_next_at(evaluation->database, &active, error) ||
        !group_next_at(&step->groups, &group, error) ||
        !governor_next_at(evaluation->database, &evaluation->settings->config->governor, &governor,
                          error))
        return false;
    consider(evaluation, active);
    consider(evaluation, group);
    consider(evaluation, governor);
    consider(evaluation, ledger_next_due_at(evaluation->ledger));
    consider(evaluation, mute_next_at(&step->mutes, evaluation->settings->route));
    return true;
}

static void prepare(struct step *step)
{
    struct evaluation *evaluation = step->evaluation;
    const struct settings *settings = evaluation->settings;
    step->mutes = (struct mute_context){
        .windows = settings->windows,
        .silences = &step->silences,
        .flap = settings->config->flapping,
        .now = evaluation->now,
    };
    step->notifications = notification_settings(settings);
    step->notifications.ledger = evaluation->ledger;
    step->notifications.snapshot = evaluation->snapshot;
    step->notifications.database = evaluation->database;
    step->notifications.now = evaluation->now;
    step->groups = (struct group_context){
        .database = evaluation->database,
        .settings = settings,
        .notifications = &step->notifications,
        .mutes = &step->mutes,
        .clock = evaluation->clock,
        .budgets = MEMORY_ARRAY(struct governor_budget, settings->receiver_count),
        .suppressed = evaluation->suppressed,
        .now = evaluation->now,
    };
}

static bool measure_all(void *context, struct error *error)
{
    struct step *step = context;
    return evaluation_figures(step->evaluation, step->points, &step->silences, error);
}

static bool decide(struct step *step, struct error *error)
{
    struct evaluation *evaluation = step->evaluation;
    if (!aside(step, EVALUATION_SILENCES, read_silences, error) || !happen(step, error))
        return false;
    step->silence_budget.left_us = SILENCES_US;
    step->silences.budget = &step->silence_budget;
    step->notifications.points = step->points;
    step->notifications.metrics = &step->metrics;
    measure(step);
    if (!aside(step, EVALUATION_HISTORY, keep_history, error))
        return false;
    if (evaluation->reroute &&
        (!rekey_once(evaluation->database, evaluation->settings, evaluation->now, error) ||
         !group_reroute(&step->groups, error)))
        return false; /* before anything resolves: it has to find its group */
    return alert(step, error) && notify(step, error) &&
           aside(step, EVALUATION_AUDIT, audit, error) &&
           aside(step, EVALUATION_DRILL, drill, error) &&
           aside(step, EVALUATION_REPORTS, report, error) && find_next_at(step, error) &&
           (!evaluation->prune || aside(step, EVALUATION_PRUNING, prune, error)) &&
           aside(step, EVALUATION_FIGURES, measure_all, error);
}

bool evaluation_run(struct evaluation *evaluation, struct error *error)
{
    CLEANUP(finish_step) struct step step = { .evaluation = evaluation };
    struct database *database = evaluation->database;
    int64_t rows = database_total_changes(database), messages = evaluation->clock->last_ms;
    prepare(&step);
    evaluation->begun = database_begin(database, error);
    if (!evaluation->begun)
        return false;
    bool ok = decide(&step, error);
    evaluation->silences_spent = step.silence_budget.left_us <= 0;
    if (database_total_changes(database) != rows)
        evaluation->wrote_at = evaluation->now;
    evaluation->queued = evaluation->clock->last_ms != messages;
    if (ok)
        return database_commit(database, error);
    database_rollback(database);
    return false;
}
