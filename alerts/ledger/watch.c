#include "alerts/ledger/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger.h"
#include "alerts/ledger/watch_prune.h"
#include "alerts/store/rows.h"
#include "alerts/text/text.h"
#include "collectors/assessments.h"
#include "collectors/collector.h"
#include "collectors/plans.h"
#include "collectors/remediations.h"
#include "collectors/secure_scores.h"
#include "collectors/subscriptions.h"

enum { WINDOW_S = 24 * 3600, PEAKS_MAX = 16, KEY_BYTES = 4096, STATE_BYTES = 1024 };
#define ROUNDING 1e-9         /* of ratios */
#define POINTS_ROUNDING 0.005 /* Azure rounds points to hundredths */

struct watch {
    struct database *database;
    const struct watch_config *config;
    const struct snapshot *snapshot;
    int64_t now;
    struct event_list *events;
    const struct source *source; /* whose part is watched now */
};

/* --- the last values -------------------------------------------------------------------------- */
struct value {
    bool found;
    double value;
    char state[STATE_BYTES];
    int64_t at;
};

static const struct row_field value_fields[] = {
    ROW_NUMBER(struct value, value, "value"),
    ROW_CHARS(struct value, state, "state"),
    ROW_INTEGER(struct value, at, "at"),
    { 0 },
};
static const struct rows_table value_rows = { "watch_value", 0, value_fields };

static bool read_value(struct watch *watch, const char *kind, const char *key, struct value *value,
                       struct error *error)
{
    struct database_statement *statement =
        rows_select(watch->database, &value_rows, " WHERE kind = $1 AND tenant = $2 AND key = $3");
    *value = (struct value){ 0 };
    database_bind(statement, kind, watch->source->tenant, key);
    return rows_one(statement, &value_rows, NULL, value, &value->found, error) ||
           error_wrap(error, "reading %s %s", kind, key);
}

struct kept_value {
    const char *kind, *tenant, *key, *state;
    double value;
    int64_t at;
};
static const struct row_field kept_fields[] = {
    ROW_TEXT(struct kept_value, kind, "kind"),
    ROW_TEXT(struct kept_value, tenant, "tenant"),
    ROW_TEXT(struct kept_value, key, "key"),
    ROW_NUMBER(struct kept_value, value, "value"),
    ROW_TEXT(struct kept_value, state, "state"),
    ROW_INTEGER(struct kept_value, at, "at"),
    { 0 },
};
static const struct rows_table kept_rows = { "watch_value", 3, kept_fields };

static bool write_value(struct watch *watch, const char *kind, const char *key, double value,
                        const char *state, struct error *error)
{
    const struct kept_value kept = { kind, watch->source->tenant, key, state, value, watch->now };
    return rows_upsert(watch->database, &kept_rows, &kept, error) ||
           error_wrap(error, "keeping %s %s", kind, key);
}

static bool forget_value(struct watch *watch, const char *kind, const char *key,
                         struct error *error)
{
    struct database_statement *statement = database_prepare(
        watch->database, "DELETE FROM watch_value WHERE kind = $1 AND tenant = $2 AND key = $3");
    database_bind(statement, kind, watch->source->tenant, key);
    return database_run(statement, error) || error_wrap(error, "forgetting %s %s", kind, key);
}

/* Add and record an event; its texts are copied. */
static bool add_event(struct watch *watch, const struct event *said, struct error *error)
{
    struct arena *arena = &watch->events->arena;
    struct event event = *said;
    event.at = watch->now;
    event.reason = -1;
    event.risk = event.risk_before = RISK_NOT_EVALUATED;
    event.subscription_id = arena_text(arena, said->subscription_id ? said->subscription_id : "");
    event.subject = arena_text(arena, said->subject);
    event.detail = arena_text(arena, said->detail);
    event.connector = arena_text(arena, said->connector ? said->connector : "");
    event.headline = arena_text(arena, said->headline ? said->headline : "");
    event_add(watch->events, &event);
    return ledger_record(watch->database, &event, error);
}

/* --- scores ----------------------------------------------------------------------------------- */

/* Values the score had within the window, each until when. */
struct peaks {
    struct {
        double value;
        int64_t until;
    } peaks[PEAKS_MAX];
    size_t count;
};

/* "0.8@1700000000;0.79@1700003600", highest first. */
static void read_peaks(const char *text, int64_t now, struct peaks *peaks)
{
    peaks->count = 0;
    while (*text && peaks->count < PEAKS_MAX) {
        char *at;
        double value = strtod(text, &at);
        int64_t until = *at == '@' ? strtoll(at + 1, &at, 10) : 0;
        text = at + strcspn(at, ";");
        text += *text == ';';
        if (until < now - WINDOW_S)
            continue;
        peaks->peaks[peaks->count].value = value;
        peaks->peaks[peaks->count++].until = until;
    }
}

static void write_peaks(const struct peaks *peaks, char out[STATE_BYTES])
{
    CLEANUP(buf_finish) struct buf text = { .limit_bytes = STATE_BYTES - 1 };
    for (size_t i = 0; i < peaks->count; i++) {
        if (i)
            buf_char(&text, ';');
        buf_number(&text, peaks->peaks[i].value);
        buf_char(&text, '@');
        buf_integer(&text, peaks->peaks[i].until);
    }
    snprintf(out, STATE_BYTES, "%s", buf_cstr(&text));
}

/* The score was `before` until now and is `ratio`: what is not above it does not count any more. */
static void turn_peaks(struct peaks *peaks, double before, double ratio, int64_t now)
{
    while (peaks->count && peaks->peaks[peaks->count - 1].value <= before)
        peaks->count--;
    if (peaks->count == PEAKS_MAX)
        peaks->count--;
    peaks->peaks[peaks->count].value = before;
    peaks->peaks[peaks->count++].until = now;
    while (peaks->count && peaks->peaks[peaks->count - 1].value <= ratio)
        peaks->count--;
}

/* "" of a subscription's own. */
static const char *connector_of(const struct score_scope *scope)
{
    return *secure_scores_connector(scope) ? scope->connector : "";
}

static bool add_score_event(struct watch *watch, enum event_kind kind,
                            const struct secure_score *score, double before, struct error *error)
{
    char detail[256];
    snprintf(detail, sizeof detail, "the secure score %s %.1f %% from %.1f %%",
             kind == EVENT_SCORE_DROPPED ? "fell to" : "is back at", score->ratio * 100,
             before * 100);
    return add_event(watch,
                     &(struct event){ .kind = kind,
                                      .source = watch->source,
                                      .subscription_id = score->subscription_id,
                                      .subject = score->subject,
                                      .cloud = cloud_kind_words[score->scope.cloud],
                                      .connector = connector_of(&score->scope),
                                      .detail = detail,
                                      .value = score->ratio,
                                      .value_before = before },
                     error);
}

/* value: where it fell from; state: where to, once that was an event. */
static bool watch_drop(struct watch *watch, const struct secure_score *score, const char *key,
                       double highest, struct error *error)
{
    char told[64];
    struct value drop;
    if (!read_value(watch, "score.dropped", key, &drop, error))
        return false;
    double lowest = strtod(drop.state, NULL);
    if (drop.found && score->ratio + ROUNDING >= drop.value - (drop.value - lowest) / 2)
        return forget_value(watch, "score.dropped", key, error) &&
               write_value(watch, "score", key, score->ratio, "", error) && /* a new reference */
               add_score_event(watch, EVENT_SCORE_RECOVERED, score, lowest, error);
    double before = drop.found ? lowest : highest;
    if (before - score->ratio + ROUNDING < watch->config->score_drop)
        return true;
    snprintf(told, sizeof told, "%.17g", score->ratio);
    return write_value(watch, "score.dropped", key, drop.found ? drop.value : highest, told,
                       error) &&
           add_score_event(watch, EVENT_SCORE_DROPPED, score, before, error);
}

static bool watch_score(struct watch *watch, const struct secure_score *score, struct error *error)
{
    char key[KEY_BYTES], state[STATE_BYTES];
    struct value before;
    struct peaks peaks;
    if (!isfinite(score->ratio))
        return true; /* Azure tells none: neither an event nor a value to compare with */
    snprintf(key, sizeof key, "%s/%s", score->subscription_id, score->subject);
    if (!read_value(watch, "score", key, &before, error))
        return false;
    read_peaks(before.state, watch->now, &peaks);
    if (!before.found || before.value != score->ratio) {
        if (before.found)
            turn_peaks(&peaks, before.value, score->ratio, watch->now);
        write_peaks(&peaks, state);
        if (!write_value(watch, "score", key, score->ratio, state, error))
            return false;
    }
    double highest = peaks.count ? peaks.peaks[0].value : score->ratio;
    return watch_drop(watch, score, key, highest > score->ratio ? highest : score->ratio, error);
}

/* --- controls --------------------------------------------------------------------------------- */
static bool watch_control(struct watch *watch, const struct secure_control *control,
                          struct error *error)
{
    char key[KEY_BYTES], state[64], detail[512];
    struct value before;
    snprintf(key, sizeof key, "%s/%s", control->subscription_id, control->subject);
    double resources = control->healthy + control->unhealthy;
    if (!isfinite(control->points + control->max_points + resources))
        return true;
    snprintf(state, sizeof state, "%.0f of %g", resources, control->max_points);
    if (!read_value(watch, "control", key, &before, error))
        return false;
    bool same = before.found && !strcmp(before.state, state);
    if (same && fabs(before.value - control->points) < POINTS_ROUNDING)
        return true;
    if (!write_value(watch, "control", key, control->points, state, error))
        return false;
    if (!same || control->points > before.value)
        return true; /* other resources, another maximum, or better */
    snprintf(detail, sizeof detail, "the control \"%.200s\" lost %.2f of %.2f points",
             *control->title ? control->title : control->id, before.value - control->points,
             before.value);
    return add_event(watch,
                     &(struct event){ .kind = EVENT_CONTROL_REGRESSED,
                                      .source = watch->source,
                                      .subscription_id = control->subscription_id,
                                      .subject = control->subject,
                                      .cloud = cloud_kind_words[control->scope.cloud],
                                      .connector = connector_of(&control->scope),
                                      .detail = detail,
                                      .value = control->points,
                                      .value_before = before.value },
                     error);
}

/* --- plans ------------------------------------------------------------------------------------ */
static bool add_plan_event(struct watch *watch, const struct plan *plan, const char *subject,
                           const char *what, struct error *error)
{
    char detail[512];
    const char *title = plans_title(subject);
    snprintf(detail, sizeof detail, "%s%.200s is off: %s", title ? "" : "Defender plan ",
             title ? title : subject, what);
    return add_event(watch,
                     &(struct event){ .kind = EVENT_PLAN_DISABLED,
                                      .source = watch->source,
                                      .subscription_id = plan->subscription_id,
                                      .subject = subject,
                                      .detail = detail,
                                      .value_before = 1 },
                     error);
}

/* value: whether it is on; state: "servers 2" of that plan. What Azure replaced by another plan
 * that is on is no loss. */
static bool watch_plan(struct watch *watch, const struct plan *plan, bool is_replaced,
                       struct error *error)
{
    char key[KEY_BYTES];
    struct value before;
    bool on = plan->state == PLAN_ON;
    const char *state = plans_is_servers_2(plan) ? "servers 2" : "";
    snprintf(key, sizeof key, "%s/%s", plan->subscription_id, plan->name);
    if (plan->state == PLAN_UNTOLD)
        return true;
    if (!read_value(watch, "plan", key, &before, error))
        return false;
    if (before.found && (before.value > 0) == on && !strcmp(before.state, state))
        return true;
    if (!write_value(watch, "plan", key, on, state, error))
        return false;
    if (!before.found || !(before.value > 0) || is_replaced)
        return true;
    if (!on)
        return add_plan_event(watch, plan, plan->name, "what it looked at is not assessed any more",
                              error);
    return !*before.state || *state ||
           add_plan_event(watch, plan, PLANS_SERVERS_2,
                          "only Plan 1 is left, which assesses no OS security baseline", error);
}

static bool watch_plans(struct watch *watch, const struct part *part, struct error *error)
{
    size_t count;
    const struct plan *plans = plans_all(part, &count);
    for (size_t i = 0; i < count; i++)
        if (!watch_plan(watch, &plans[i], plans_is_replaced(&plans[i], plans, count), error))
            return false;
    return true;
}

/* --- remediations ----------------------------------------------------------------------------- */
static const char *last_segment(const char *id)
{
    const char *slash = strrchr(id, '/');
    return slash ? slash + 1 : id;
}

/* A row: the instant of the failure that was told last. */
static bool watch_failure(struct watch *watch, const struct remediation_failure *failure,
                          bool quiet, struct error *error)
{
    char key[KEY_BYTES], at[32], detail[640], headline[128];
    const char *machine = last_segment(failure->resource_id);
    struct value before;
    snprintf(key, sizeof key, "%s %s", failure->task_id, failure->resource_id);
    snprintf(at, sizeof at, "%lld", (long long)failure->at);
    if (!read_value(watch, "remediation", key, &before, error))
        return false;
    if (before.found && !strcmp(before.state, at))
        return true;
    snprintf(headline, sizeof headline, "A fix failed on %.100s", machine);
    snprintf(detail, sizeof detail, "the remediation %.100s failed on %.100s: %.80s%s%.300s",
             last_segment(failure->task_id), machine, failure->code,
             *failure->code && *failure->message ? ": " : "",
             *failure->code || *failure->message ? failure->message : "Azure does not say why");
    return write_value(watch, "remediation", key, 0, at, error) &&
           (quiet || add_event(watch,
                               &(struct event){ .kind = EVENT_REMEDIATION_FAILED,
                                                .source = watch->source,
                                                .subscription_id = failure->subscription_id,
                                                .subject = failure->resource_id,
                                                .headline = headline,
                                                .detail = detail },
                               error));
}

/* Those of a subscription, or of the tasks of a management group; NULL = whichever. A row without
 * a task: it was looked at before. */
static bool watch_fixes(struct watch *watch, const struct remediation_failure *failures,
                        size_t count, const char *subscription_id, const char *key,
                        struct error *error)
{
    struct value seen;
    if (!read_value(watch, "remediation", key, &seen, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if ((!subscription_id || !strcmp(failures[i].subscription_id, subscription_id)) &&
            !watch_failure(watch, &failures[i], !seen.found, error))
            return false;
    return seen.found || write_value(watch, "remediation", key, 0, "", error);
}

static bool watch_remediations(struct watch *watch, const struct part *part, struct error *error)
{
    size_t count;
    const struct remediation_group *group;
    const struct remediation_failure *failures = remediations_failures(part, &count);
    bool any = remediations_are_from(watch->source) && part, ok = true;
    if (any && !watch_prune_remediations(watch->database, part, error))
        return false;
    for (size_t i = 0; any && ok && i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        ok = !part->cover[i].collected_at || part->cover[i].carried ||
             watch_fixes(watch, failures, count, id, id, error);
    }
    for (size_t i = 0; any && ok && (group = remediations_group(part, i)); i++)
        ok = !group->is_read ||
             watch_fixes(watch, group->failures, group->failure_count, NULL, group->id, error);
    return ok;
}

/* --- freshness -------------------------------------------------------------------------------- */
static bool add_data_event(struct watch *watch, enum event_kind kind, const char *subscription_id,
                           const char *subject, const char *detail, int64_t age_s,
                           struct error *error)
{
    return add_event(watch,
                     &(struct event){ .kind = kind,
                                      .source = watch->source,
                                      .subscription_id = subscription_id,
                                      .subject = subject,
                                      .detail = detail,
                                      .value = (double)age_s },
                     error);
}

/* A row: "waiting" since the collector was first seen without data, or "stale" once that was an
 * event. */
static bool watch_freshness(struct watch *watch, const struct part *part, struct error *error)
{
    const struct source_status *status = snapshot_status(watch->snapshot, watch->source);
    const char *name = watch->source->name, *key = watch->source->key;
    int64_t limit_s = status->max_staleness_ms / 1000;
    int64_t fresh_at = status->last_success_at;
    struct value kept;
    if (part && part->collected_at > fresh_at)
        fresh_at = part->collected_at;
    if (!status->enabled || !limit_s)
        return true;
    if (!read_value(watch, "collector", key, &kept, error))
        return false;
    if (!fresh_at && !kept.found)
        return write_value(watch, "collector", key, 0, "waiting", error);
    bool told = !strcmp(kept.state, "stale");
    int64_t age_s = watch->now - (fresh_at ? fresh_at : kept.at);
    CLEANUP(buf_finish) struct buf detail = { 0 };
    if (fresh_at && age_s <= limit_s) {
        buf_text(&detail, "the collector ");
        collector_describe(watch->source->collector, name, &detail);
        buf_text(&detail, " tells news again");
        return !kept.found || (forget_value(watch, "collector", key, error) &&
                               (!told || add_data_event(watch, EVENT_DATA_RECOVERED, "", name,
                                                        buf_cstr(&detail), age_s, error)));
    }
    if (told || age_s <= limit_s)
        return true;
    buf_text(&detail, "the collector ");
    collector_describe(watch->source->collector, name, &detail);
    buf_text(&detail, " has told nothing new for ");
    text_age(&detail, age_s);
    if (*status->error.message)
        buf_printf(&detail, ": %s", status->error.message);
    return write_value(watch, "collector", key, (double)age_s, "stale", error) &&
           add_data_event(watch, EVENT_DATA_STALE, "", name, buf_cstr(&detail), age_s, error);
}

/* --- models of recommendations ---------------------------------------------------------------- */

/* A row: "present" while rows of the model come, "missing <collection>" since one without any,
 * "gone" once that was an event. The second collection without any counts. */
static bool watch_model(struct watch *watch, const struct part *part, enum finding_model model,
                        uint64_t rows, struct error *error)
{
    const char *word = finding_model_words[model];
    char key[KEY_BYTES], missing[64], headline[128], detail[512];
    struct value before;
    snprintf(key, sizeof key, "%s/%s", watch->source->key, word);
    snprintf(missing, sizeof missing, "missing %lld", (long long)part->collected_at);
    if (!read_value(watch, "model", key, &before, error))
        return false;
    if (rows)
        return !strcmp(before.state, "present") ||
               write_value(watch, "model", key, 0, "present", error);
    if (!before.found || !strcmp(before.state, "gone") || !strcmp(before.state, missing))
        return true;
    if (!strcmp(before.state, "present"))
        return write_value(watch, "model", key, 0, missing, error);
    snprintf(headline, sizeof headline, "Azure tells of no %s recommendations any more", word);
    snprintf(detail, sizeof detail,
             "Azure tells of no %s recommendations any more. What was open of them is not fixed: "
             "it is told in another way, or not assessed any longer",
             word);
    return write_value(watch, "model", key, 0, "gone", error) &&
           add_event(watch,
                     &(struct event){ .kind = EVENT_RULER_CHANGED,
                                      .source = watch->source,
                                      .subject = word,
                                      .headline = headline,
                                      .detail = detail },
                     error);
}

static bool watch_models(struct watch *watch, const struct part *part, struct error *error)
{
    uint64_t rows[MODEL_COUNT], all = 0;
    if (!assessments_models(part, rows) || part->truncated ||
        !snapshot_status(watch->snapshot, watch->source)->success)
        return true;
    for (int model = 0; model < MODEL_COUNT; model++)
        all += rows[model];
    return !all || (watch_model(watch, part, MODEL_GROUPED, rows[MODEL_GROUPED], error) &&
                    watch_model(watch, part, MODEL_INDIVIDUAL, rows[MODEL_INDIVIDUAL], error));
}

/* Why the data of a subscription are old; NULL = they are not. age_s: how old. */
static const char *unreadable_reason(const struct watch *watch,
                                     const struct subscription *subscription, int64_t *age_s)
{
    const char *reason = NULL;
    *age_s = 0;
    const struct source_list *list = watch->snapshot->sources;
    for (size_t i = 0; i < list->count; i++) {
        bool asked = !strcmp(list->sources[i].tenant, watch->source->tenant);
        const struct part *part = asked ? watch->snapshot->parts[i] : NULL;
        const struct part_cover *cover = part ? part_cover_find(part, subscription->id) : NULL;
        if (!cover || !cover->carried)
            continue;
        reason = cover->reason;
        if (watch->now - cover->collected_at > *age_s)
            *age_s = watch->now - cover->collected_at;
    }
    if (subscription->state != SUBSCRIPTION_VISIBLE)
        return subscriptions_state_words[subscription->state];
    return reason;
}

/* A row: "visible" once it was, "stale" once that was an event. */
static bool watch_subscription(struct watch *watch, const struct subscription *subscription,
                               struct error *error)
{
    int64_t age_s;
    char detail[512];
    struct value kept;
    const char *id = subscription->id;
    const char *name = *subscription->name ? subscription->name : id;
    const char *reason = unreadable_reason(watch, subscription, &age_s);
    bool filtered = subscription->state == SUBSCRIPTION_FILTERED;
    if (!read_value(watch, "subscription", id, &kept, error))
        return false;
    bool told = !strcmp(kept.state, "stale");
    if (filtered ? !kept.found : reason ? told || !kept.found : kept.found && !told)
        return true; /* as it was */
    if (filtered ? !forget_value(watch, "subscription", id, error)
                 : !write_value(watch, "subscription", id, 0, reason ? "stale" : "visible", error))
        return false;
    if (reason && !filtered) {
        snprintf(detail, sizeof detail, "the data of %.200s are old: %.200s", name, reason);
        return add_data_event(watch, EVENT_DATA_STALE, id, id, detail, age_s, error);
    }
    snprintf(detail, sizeof detail, "the data of %.200s are %s", name,
             filtered ? "no longer wanted" : "fresh again");
    return !told || add_data_event(watch, EVENT_DATA_RECOVERED, id, id, detail, 0, error);
}

static bool watch_scores(struct watch *watch, const struct part *part, struct error *error)
{
    size_t count;
    const struct secure_score *scores = secure_scores_all(part, &count);
    for (size_t i = 0; i < count; i++)
        if (!watch_score(watch, &scores[i], error))
            return false;
    const struct secure_control *controls = secure_scores_controls(part, &count);
    for (size_t i = 0; i < count; i++)
        if (!watch_control(watch, &controls[i], error))
            return false;
    return true;
}

static bool watch_subscriptions(struct watch *watch, const struct part *part, struct error *error)
{
    size_t count;
    const struct subscription *known = subscriptions_of(part, &count);
    for (size_t i = 0; i < count; i++)
        if (!watch_subscription(watch, &known[i], error))
            return false;
    return true;
}

/* Watch one source. */
typedef bool watch_source(struct watch *watch, const struct part *part, struct error *error);

bool watch_advance(struct database *database, const struct watch_config *config,
                   enum watch_kind kind, const struct snapshot *snapshot, int64_t now,
                   struct event_list *events, struct error *error)
{
    static watch_source *const watched[] = {
        [WATCH_SCORES] = watch_scores,
        [WATCH_FRESHNESS] = watch_freshness,
        [WATCH_MODELS] = watch_models,
        [WATCH_PLANS] = watch_plans,
        [WATCH_REMEDIATIONS] = watch_remediations,
        [WATCH_SUBSCRIPTIONS] = watch_subscriptions,
    };
    struct watch watch = { database, config, snapshot, now, events, NULL };
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        watch.source = &snapshot->sources->sources[i];
        if (!watched[kind](&watch, snapshot->parts[i], error))
            return false;
    }
    return true;
}
