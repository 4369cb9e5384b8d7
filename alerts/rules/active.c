/* One pass over the alerts: signals and time in, changes out; active_event.c has the events. */
#include "alerts/rules/active.h"

#include <string.h>

#include "alerts/ledger/points.h"
#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"
#include "collectors/collector.h"
#include "collectors/secure_scores.h"
#include "collectors/subscriptions.h"

/* --- beginning -------------------------------------------------------------------------------- */

/* Which rules have alerts at all: most have none, and need no look-ups then. */
static bool find_rules(struct active_pass *pass, struct error *error)
{
    size_t count, capacity = 0;
    const struct rule *rules = rule_all(pass->rules, &count);
    const char *last = "";
    pass->has_rows = arena_zalloc(&pass->arena, count + 1);
    for (;;) {
        struct database_statement *statement =
            database_prepare(pass->database, "SELECT MIN(rule) FROM active_alert WHERE rule > $1");
        database_bind(statement, last);
        if (!database_get_text(statement, &pass->arena, &last, error))
            return false;
        if (!*last)
            return true;
        const struct rule *rule = rule_find(pass->rules, last);
        if (rule) {
            pass->has_rows[rule - rules] = true;
            continue;
        }
        if (pass->gone_count == capacity) {
            capacity = capacity ? capacity * 2 : 8;
            const char **more = arena_alloc(&pass->arena, capacity * sizeof *more);
            memcpy(more, pass->gone_count ? pass->gone : more, pass->gone_count * sizeof *more);
            pass->gone = more;
        }
        pass->gone[pass->gone_count++] = last;
    }
}

/* Whether a subscription that was visible cannot be read now; watch says so. */
static bool find_blind(struct active_pass *pass, struct error *error)
{
    struct rows_keys stale;
    struct database_statement *statement =
        database_prepare(pass->database, "SELECT key FROM watch_value WHERE kind = 'subscription'"
                                         " AND state = 'stale'");
    if (!rows_read_keys(statement, &pass->arena, &stale, error))
        return false;
    for (size_t i = 0; i < stale.count && pass->snapshot; i++)
        if (subscriptions_find(pass->snapshot, stale.keys[i]))
            pass->blind = true;
    return true;
}

bool active_begin(struct active_pass *pass, struct error *error)
{
    pass->names.snapshot = pass->snapshot;
    pass->names.tags = rule_tags(pass->rules);
    pass->adopted = !pass->snapshot || snapshot_is_ready(pass->snapshot);
    return find_rules(pass, error) && find_blind(pass, error);
}

void active_end(struct active_pass *pass)
{
    arena_finish(&pass->arena);
    arena_finish(&pass->scratch);
    intern_finish(&pass->seen);
    intern_finish(&pass->late);
}

/* --- alerts over metrics ---------------------------------------------------------------------- */

static bool has_family(const struct family *const *families, const struct family *family)
{
    for (; *families; families++)
        if (*families == family)
            return true;
    return false;
}

/* Whether samples of a family come from this source; from none: of the program itself. */
static bool emits(const struct source *source, const struct family *family)
{
    return has_family(source->collector->families, family) ||
           (has_family(points_families, family) && secure_scores_are_from(source));
}

/* The sources of a family: how many there are, and how many have run. */
static size_t count_emitters(const struct snapshot *snapshot, const struct family *family,
                             size_t *ran)
{
    size_t count = 0;
    *ran = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        if (!emits(&snapshot->sources->sources[i], family))
            continue;
        count++;
        *ran += snapshot->parts[i] || snapshot->status[i].attempted;
    }
    return count;
}

/* What a label of a sample says of a subscription's own: before there were connectors nobody said
 * it, so it does not tell alerts apart. */
static bool is_implied(const char *name, const char *value)
{
    return (!strcmp(name, "cloud") && !strcmp(value, cloud_kind_words[CLOUD_AZURE])) ||
           (!strcmp(name, "connector") && !strcmp(value, "none"));
}

static void add_implied(const struct threshold_signal *signal, struct alert *alert)
{
    static const char name[] = "cloud";
    for (size_t i = 0; signal->rule->family->labels[i]; i++)
        if (signal->values[i] && !strcmp(signal->rule->family->labels[i], name) &&
            !*alert_label_value(alert, name))
            alert_label(alert, name, signal->values[i]);
}

/* Returns which tags are known, as attribute_put does. */
static unsigned make_alert(const struct threshold_signal *signal,
                           const struct attribute_names *names, struct arena *arena,
                           struct alert *alert)
{
    const struct rule *rule = signal->rule;
    CLEANUP(buf_finish) struct buf before = { 0 };
    *alert = (struct alert){ .rule = rule->name, .event = "rule.firing", .reason = "" };
    for (size_t i = 0; rule->family->labels[i]; i++)
        if (signal->values[i] && !is_implied(rule->family->labels[i], signal->values[i]))
            alert_label(alert, rule->family->labels[i], signal->values[i]);
    alert_label(alert, "alertname", rule->name);
    alert_identify(alert, rule->family->labels);
    unsigned tags = attribute_put(names, NULL, alert);
    active_row_label(rule, alert);
    alert->risk = finding_risk(alert_label_value(alert, "risk_level"));
    alert->value = signal->value;
    alert_annotate(alert, "metric", rule->family->name);
    alert_annotate(alert, "runbook_url", rule->runbook_url);
    if (rule->kind == RULE_DROP) {
        buf_number(&before, signal->value_before);
        alert_annotate(alert, "value_before", arena_text(arena, buf_cstr(&before)));
    }
    add_implied(signal, alert);
    return tags;
}

/* What several subscriptions add up to is smaller while one of them cannot be read: that clears
 * nothing. And nothing is absent before its collector has run for the first time, nor while the
 * sources are still those of before a reload. */
static enum alert_state_signal believe(const struct active_pass *pass,
                                       const struct threshold_signal *signal)
{
    const struct rule *rule = signal->rule;
    const struct snapshot *snapshot = pass->snapshot;
    size_t ran, emitters = snapshot ? count_emitters(snapshot, rule->family, &ran) : 0;
    if (!emitters)
        return rule->family->made ? ALERT_STATE_UNKNOWN : signal->signal;
    if (rule->kind == RULE_ABSENT)
        return ran == emitters ? signal->signal : ALERT_STATE_UNKNOWN;
    bool alone = false;
    for (size_t i = 0; rule->family->labels[i]; i++)
        if (!strcmp(rule->family->labels[i], "subscription_id") && (rule->by & (1U << i)))
            alone = true;
    return pass->blind && !alone && signal->signal == ALERT_STATE_CLEAR ? ALERT_STATE_UNKNOWN
                                                                        : signal->signal;
}

bool active_apply_signal(struct active_pass *pass, const struct threshold_signal *signal,
                         struct error *error)
{
    size_t count;
    bool *has_rows = &pass->has_rows[signal->rule - rule_all(pass->rules, &count)];
    enum alert_state_signal now = believe(pass, signal);
    bool active = now == ALERT_STATE_ACTIVE, found;
    if (!*has_rows && !active)
        return true;
    struct active_row row;
    struct alert alert;
    arena_reset(&pass->scratch);
    unsigned tags = make_alert(signal, &pass->names, &pass->scratch, &alert);
    if (!active_row_load(pass->database, alert.fingerprint, &pass->scratch, &row, &found, error))
        return false;
    if (!active && (!found || row.life.state == ALERT_RESOLVED))
        return true;
    *has_rows = true;
    intern_put(&pass->seen, alert.fingerprint, strlen(alert.fingerprint));
    if (active && row.life.state != ALERT_FIRING) {
        alert.episode = row.alert.episode + (row.life.state != ALERT_PENDING);
        row.alert = alert;
    } else if (active) {
        active_row_keep_names(pass, tags, &row.alert, &alert);
        active_row_label(signal->rule, &alert);
        row.alert.risk = alert.risk;
        if (!active_row_relabel(pass, signal->rule, &alert, &row, error))
            return false;
    }
    return active_row_move(pass, signal->rule, &row, now, "rule.resolved", "recovered", error);
}

/* --- what got no signal ----------------------------------------------------------------------- */

/* Whether what a source has not of a subscription, "" = of any, is really not there. */
static bool is_read(const struct snapshot *snapshot, const struct source *source, const char *id)
{
    const struct part *part = snapshot_part(snapshot, source);
    const struct part *discovery = subscriptions_part(snapshot, source->tenant);
    if (!part || !discovery)
        return false;
    const struct subscription *subscription = *id ? subscriptions_in(discovery, id) : NULL;
    if (!subscription || source->collector->role == COLLECTOR_DISCOVERY)
        return true;
    const struct part_cover *cover = part_cover_find(part, id);
    return subscription->state == SUBSCRIPTION_VISIBLE && cover && cover->collected_at &&
           !cover->carried;
}

/* Whether samples that are not there are really gone: not when a source of theirs has no data, nor
 * when their subscription cannot be read. */
static bool is_known(const struct snapshot *snapshot, const struct rule *rule,
                     const struct alert *alert)
{
    const char *id = alert_label_value(alert, "subscription_id");
    if (!snapshot)
        return true;
    bool known = true, emitted = false;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        bool here = emits(source, rule->family);
        emitted = emitted || here;
        known = known && (!here || is_read(snapshot, source, id));
    }
    return known && (emitted || !rule->family->made);
}

static struct database_statement *rows_of(struct active_pass *pass, const char *rule)
{
    struct database_statement *statement = database_prepare(
        pass->database,
        "SELECT fingerprint FROM active_alert WHERE rule = $1 AND state <> 'resolved'");
    database_bind(statement, rule);
    return statement;
}

typedef bool move(struct active_pass *pass, const struct rule *rule, struct active_row *row,
                  struct error *error);

/* Move every row that a statement names; of a rule, those that got no signal in this pass. */
static bool move_each(struct active_pass *pass, struct database_statement *statement,
                      const struct rule *rule, move *move_row, struct error *error)
{
    struct rows_keys keys;
    if (!rows_read_keys(statement, &pass->arena, &keys, error))
        return false;
    for (size_t i = 0; i < keys.count; i++) {
        struct active_row row;
        bool found;
        const char *key = keys.keys[i];
        if (rule && intern_find(&pass->seen, key, strlen(key)) != UINT32_MAX)
            continue;
        arena_reset(&pass->scratch);
        if (!active_row_load(pass->database, key, &pass->scratch, &row, &found, error) ||
            !move_row(pass, rule, &row, error))
            return false;
    }
    return true;
}

static bool clear_missing(struct active_pass *pass, const struct rule *rule, struct active_row *row,
                          struct error *error)
{
    bool known = is_known(pass->snapshot, rule, &row->alert);
    return active_row_move(pass, rule, row, known ? ALERT_STATE_CLEAR : ALERT_STATE_UNKNOWN,
                           "rule.resolved", "recovered", error);
}

static bool clear_gone(struct active_pass *pass, const struct rule *rule, struct active_row *row,
                       struct error *error)
{
    return active_row_move(pass, rule, row, ALERT_STATE_CLEAR, "rule.resolved", "rule_removed",
                           error);
}

/* Event alerts: those that waited fire, those that run out resolve. Alerts over metrics have had
 * their signal. */
static bool advance_due(struct active_pass *pass, const struct rule *rule, struct active_row *row,
                        struct error *error)
{
    (void)rule;
    bool pends = row->life.state == ALERT_PENDING;
    return active_row_move(pass, rule_find(pass->rules, row->alert.rule), row,
                           pends ? ALERT_STATE_ACTIVE : ALERT_STATE_CLEAR, row->alert.event,
                           ACTIVE_EXPIRED, error);
}

/* Alerts of first runs, as soon as nothing more is to come. */
static bool end_first_run(struct active_pass *pass, const struct rule *rule, struct active_row *row,
                          struct error *error)
{
    return active_row_move(pass, rule, row, ALERT_STATE_ACTIVE, "", "", error);
}

static bool names_first_run(const struct rule *rule)
{
    for (size_t i = 0; i < rule->event_count; i++)
        if (rule->events[i]->kinds & (1U << EVENT_FIRST_RUN))
            return true;
    return false;
}

static bool advance_rule(struct active_pass *pass, const struct rule *rule, struct error *error)
{
    if (rule->kind != RULE_EVENT &&
        !move_each(pass, rows_of(pass, rule->name), rule, clear_missing, error))
        return false;
    if (!names_first_run(rule) || !pass->adopted)
        return true;
    struct database_statement *first_runs =
        database_prepare(pass->database, "SELECT fingerprint FROM active_alert WHERE rule = $1 AND"
                                         " state = 'pending' AND event = '" ACTIVE_FIRST_RUN "'");
    database_bind(first_runs, rule->name);
    return move_each(pass, first_runs, rule, end_first_run, error);
}

bool active_advance(struct active_pass *pass, struct error *error)
{
    size_t count;
    const struct rule *rules = rule_all(pass->rules, &count);
    for (size_t i = 0; i < count; i++)
        if (pass->has_rows[i] && !advance_rule(pass, &rules[i], error))
            return false;
    for (size_t i = 0; i < pass->gone_count; i++)
        if (!move_each(pass, rows_of(pass, pass->gone[i]), NULL, clear_gone, error))
            return false;
    struct database_statement *due = database_prepare(
        pass->database, "SELECT fingerprint FROM active_alert WHERE due_at > 0 AND due_at <= $1"
                        " AND event <> 'rule.firing' AND NOT" ACTIVE_ROW_KEPT);
    database_bind(due, pass->now);
    return move_each(pass, due, NULL, advance_due, error);
}

/* --- for everybody ---------------------------------------------------------------------------- */

bool active_next_at(struct database *database, int64_t *at, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT MIN(due_at) FROM active_alert WHERE due_at > 0 AND NOT" ACTIVE_ROW_KEPT);
    return database_get_integer(statement, at, error);
}

/* Visit what a statement brings. */
static bool visit_each(struct database *database, struct database_statement *statement,
                       active_visit *visit, void *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    for (bool found = true, ok;; arena_reset(&arena)) {
        struct alert alert;
        const char *labels;
        ok = active_row_walked(database, statement, &arena, &alert, &labels, &found, error);
        if (ok && found && visit(context, &alert, error))
            continue;
        database_reset(statement);
        return ok && !found;
    }
}

bool active_each(struct database *database, enum alert_state state, active_visit *visit,
                 void *context, struct error *error)
{
    bool both = state == ALERT_STATE_COUNT;
    /* those of one state are in this order by their index, and a visitor may stop early */
    struct database_statement *statement = active_row_walk(
        database,
        both ? " WHERE state IN ('firing', 'pending') ORDER BY risk, active_at, fingerprint"
             : " WHERE state = $1 ORDER BY risk, active_at, fingerprint");
    if (!both)
        database_bind(statement, alert_state_words[state]);
    return visit_each(database, statement, visit, context, error);
}

bool active_each_after(struct database *database, const char *fingerprint, active_visit *visit,
                       void *context, struct error *error)
{
    struct database_statement *statement = active_row_walk(
        database, " WHERE fingerprint > $1 AND +state IN ('firing', 'pending')"
                  " ORDER BY fingerprint");
    database_bind(statement, fingerprint);
    return visit_each(database, statement, visit, context, error);
}

bool active_of(struct database *database, const struct finding_id *id, struct arena *arena,
               active_visit *visit, void *context, struct error *error)
{
    struct database_statement *statement =
        active_row_walk(database, " WHERE finding_id = $1 ORDER BY rule, fingerprint");
    database_bind(statement, DATABASE_BYTES(id->bytes));
    for (bool found = true;;) {
        struct alert alert;
        const char *labels;
        if (!active_row_walked(database, statement, arena, &alert, &labels, &found, error))
            return false;
        if (!found)
            return true;
        if (!visit(context, &alert, error)) {
            database_reset(statement);
            return false;
        }
    }
}

bool active_count(struct database *database, enum alert_state state, int64_t *count,
                  struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT COUNT(*) FROM active_alert WHERE state = $1");
    database_bind(statement, alert_state_words[state]);
    return database_get_integer(statement, count, error);
}

void active_walk_init(struct active_walk *walk, struct database *database, enum alert_state state)
{
    *walk = (struct active_walk){ .database = database, .state = state };
}

bool active_walk_next(struct active_walk *walk, struct alert *alert, bool *found,
                      struct error *error)
{
    if (!walk->statement) { /* the state is no key here, lest an index of states be asked */
        walk->statement = active_row_walk(walk->database, " WHERE fingerprint > $1 AND +state = $2"
                                                          " ORDER BY fingerprint");
        database_bind(walk->statement, walk->fingerprint, alert_state_words[walk->state]);
    }
    arena_reset(&walk->arena);
    if (!active_row_walked(walk->database, walk->statement, &walk->arena, alert, &walk->labels,
                           found, error))
        return false;
    if (*found)
        memcpy(walk->fingerprint, alert->fingerprint, sizeof walk->fingerprint);
    return true;
}

void active_walk_pause(struct active_walk *walk)
{
    if (walk->statement)
        database_reset(walk->statement);
    walk->statement = NULL;
}

void active_walk_finish(struct active_walk *walk)
{
    active_walk_pause(walk);
    arena_finish(&walk->arena);
}

bool active_find(struct database *database, const char *fingerprint, struct arena *arena,
                 struct alert *alert, bool *found, struct error *error)
{
    struct active_row row;
    if (!active_row_load(database, fingerprint, arena, &row, found, error))
        return false;
    *alert = row.alert;
    return true;
}
