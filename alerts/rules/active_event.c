/* Events and the alerts they make, change and end. */
#include <string.h>

#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"
#include "collectors/collector.h"
#include "core/clock.h"

/* An event with its finding, if it is about one, and what all its alerts have. */
struct subject {
    const struct event *event;
    const struct finding *finding; /* NULL = about none */
    struct alert base;
    unsigned tags; /* that are known: attribute_put */
};

/* First runs of several sources are one alert, whose sentence names them all; or it is about new
 * subscriptions. */
static void describe_first_run(struct alert *base, const struct event *event, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf detail = { 0 };
    bool of_source = !strcmp(event->subject, event->source->name);
    const char *words = event->source->collector->words;
    if (of_source)
        buf_printf(&detail, "%s: ", words ? words : event->source->name);
    buf_text(&detail, event->detail);
    alert_annotate(base, "detail", arena_text(arena, buf_cstr(&detail)));
    base->value = event->value;
}

/* How and when a finding had ended that is open again. */
static void describe_past(struct alert *base, const struct event *event, struct arena *arena)
{
    char at[32];
    clock_format_rfc3339(event->resolved_at, at);
    alert_annotate(base, "reason_before", finding_reason_words[event->reason]);
    alert_annotate(base, "ended_before_at", arena_text(arena, at));
}

static void describe(struct active_pass *pass, struct subject *subject, struct arena *arena)
{
    const struct event *event = subject->event;
    struct alert *base = &subject->base;
    *base = (struct alert){
        .event = event_word(event->kind, event->source, event->reason),
        .risk = RISK_NOT_EVALUATED,
        .episode = event->episode,
        .starts_at = event->at,
        .due_at = event->due_at,
        .opened_at = event->opened_at,
        .reason = "",
    };
    if (subject->finding) {
        alert_label_finding(base, subject->finding, arena);
        subject->tags = attribute_put(&pass->names, subject->finding, base);
        base->risk = subject->finding->risk;
        base->has_finding = true;
        base->finding_id = event->finding_id;
        if (event->risk_before != event->risk)
            alert_annotate(base, "risk_before", finding_risk_words[event->risk_before]);
        if (event->kind == EVENT_REOPENED && event->resolved_at)
            describe_past(base, event, arena);
        return;
    }
    alert_annotate(base, "headline", event->headline);
    if (event->kind == EVENT_FIRST_RUN) {
        describe_first_run(base, event, arena);
        return;
    }
    alert_label(base, "source", event->source->name);
    alert_label(base, "subscription_id", event->subscription_id);
    alert_label(base, "subject", event->subject);
    alert_label(base, "cloud", event->cloud ? event->cloud : "");
    alert_label(base, "connector", event->connector ? event->connector : "");
    subject->tags = attribute_put(&pass->names, NULL, base);
    alert_annotate(base, "detail", event->detail);
    base->value = event->value;
    CLEANUP(buf_finish) struct buf before = { 0 };
    buf_number(&before, event->value_before);
    alert_annotate(base, "value_before", arena_text(arena, buf_cstr(&before)));
}

/* The alert a rule makes of it. What the rule adds says more, but identifies nothing. */
static void make_alert(const struct rule *rule, const struct subject *subject, struct alert *alert)
{
    *alert = subject->base;
    alert->rule = rule->name;
    alert_label(alert, "alertname", rule->name);
    alert_identify(alert, subject->finding ? alert_finding_identity : alert_event_identity);
    active_row_label(rule, alert);
    alert_annotate(alert, "runbook_url", rule->runbook_url);
}

static bool wants(const struct rule *rule, const struct subject *subject)
{
    return rule->kind == RULE_EVENT && rule_wants(rule, subject->event, subject->finding,
                                                  subject->base.labels, subject->base.label_count);
}

static bool is_first_run(const struct alert *alert)
{
    return !strcmp(alert->event, ACTIVE_FIRST_RUN);
}

/* First runs of several sources are one alert about all of them. */
static bool add_first_run(struct active_pass *pass, const struct rule *rule,
                          const struct alert *more, struct active_row *row, struct error *error)
{
    CLEANUP(buf_finish) struct buf detail = { 0 };
    buf_printf(&detail, "%s; %s", alert_annotation_value(&row->alert, "detail"),
               alert_annotation_value(more, "detail"));
    alert_annotate(&row->alert, "detail", buf_cstr(&detail));
    alert_annotate(&row->alert, "headline", alert_annotation_value(more, "headline"));
    row->alert.value += more->value;
    return active_row_put(pass, rule, row, error);
}

/* The rule's alert of this event fires, pends, or fires again with what is new. */
static bool fire(struct active_pass *pass, const struct rule *rule, const struct subject *subject,
                 struct error *error)
{
    struct active_row row;
    struct alert alert;
    bool found;
    make_alert(rule, subject, &alert);
    if (!active_row_load(pass->database, alert.fingerprint, &pass->scratch, &row, &found, error))
        return false;
    if (row.life.state == ALERT_PENDING) /* nothing but a further first run is news to it */
        return !is_first_run(&alert) || add_first_run(pass, rule, &alert, &row, error);
    bool lasting = active_row_lasts(&alert), firing = row.life.state == ALERT_FIRING;
    if (firing && is_first_run(&alert) && row.life.active_at == pass->now)
        return add_first_run(pass, rule, &alert, &row, error); /* not passed on yet: same pass */
    if (firing && lasting && !strcmp(row.alert.event, alert.event) &&
        row.alert.episode == alert.episode)
        return true; /* known already */
    if (!alert.has_finding)
        alert.episode = row.alert.episode + 1;
    if (firing) {
        active_row_keep_names(pass, subject->tags, &row.alert, &alert);
        active_row_label(rule, &alert);
    }
    row.alert = alert;
    if (!firing)
        return active_row_move(pass, rule, &row, ALERT_STATE_ACTIVE, "", "", error);
    row.alert.state = ALERT_FIRING;
    row.alert.starts_at = row.life.active_at;
    row.life.cleared_at = lasting ? 0 : pass->now;
    return active_row_put(pass, rule, &row, error) &&
           active_row_changed(pass, ACTIVE_FIRED, &row.alert, error);
}

/* Whether nothing but a due date makes it fire. */
static bool asks_due_only(const struct rule *rule)
{
    for (size_t i = 0; i < rule->event_count; i++)
        if (rule->events[i]->kinds != 1u << EVENT_OVERDUE)
            return false;
    return rule->event_count > 0;
}

/* Who hears of an alert. */
struct hearers {
    const char *names[ACTIVE_RECEIVERS_MAX];
    size_t count;
};

static struct hearers hearers_of(const struct active_pass *pass, const struct rule *rule,
                                 const struct subject *subject)
{
    struct hearers hearers = { { "" }, 1 };
    struct alert alert;
    if (!pass->receivers)
        return hearers;
    make_alert(rule, subject, &alert);
    hearers.count = pass->receivers(pass->context, &alert, hearers.names);
    return hearers;
}

/* Take away those who hear of it by this rule, too. */
static void hearers_remove(struct hearers *hearers, const struct hearers *told)
{
    size_t kept = 0;
    for (size_t i = 0; i < hearers->count; i++) {
        bool is_told = false;
        for (size_t j = 0; j < told->count; j++)
            is_told |= !strcmp(hearers->names[i], told->names[j]);
        if (!is_told)
            hearers->names[kept++] = hearers->names[i];
    }
    hearers->count = kept;
}

/* Whether all receivers of a rule over due dates have news of what this event tells by alerts of
 * other rules. */
static bool is_told_elsewhere(struct active_pass *pass, const struct rule *own,
                              const struct subject *subject, bool *is, struct error *error)
{
    size_t count;
    const struct rule *rules = rule_all(pass->rules, &count);
    struct hearers left = hearers_of(pass, own, subject);
    struct rows_keys firing;
    struct database_statement *statement = database_prepare(
        pass->database, "SELECT rule FROM active_alert WHERE finding_id = $1 AND state = 'firing'");
    database_bind(statement, DATABASE_BYTES(subject->event->finding_id.bytes));
    if (!rows_read_keys(statement, &pass->scratch, &firing, error))
        return false;
    for (size_t i = 0; i < count + firing.count && left.count; i++) {
        const struct rule *rule =
            i < count ? &rules[i] : rule_find(pass->rules, firing.keys[i - count]);
        bool tells = rule && !asks_due_only(rule) &&
                     (i < count ? wants(rule, subject)
                                : rule_matches(rule, subject->finding, subject->base.labels,
                                               subject->base.label_count));
        const struct hearers told = tells ? hearers_of(pass, rule, subject) : (struct hearers){ 0 };
        hearers_remove(&left, &told);
    }
    *is = !left.count;
    return true;
}

/* The risk of its finding changed: the alert goes on, with its labels as they are now, if it still
 * may. */
static bool rerate(struct active_pass *pass, const struct rule *rule, const struct subject *subject,
                   struct active_row *row, struct error *error)
{
    if (!rule_matches(rule, subject->finding, subject->base.labels, subject->base.label_count))
        return active_row_move(pass, rule, row, ALERT_STATE_CLEAR, subject->base.event,
                               "no_longer_matches", error);
    struct alert before = row->alert;
    bool fires = row->life.state == ALERT_FIRING, elsewhere = false;
    if (fires && asks_due_only(rule) && !is_told_elsewhere(pass, rule, subject, &elsewhere, error))
        return false;
    make_alert(rule, subject, &row->alert);
    row->alert.state = row->life.state;
    row->alert.starts_at = row->life.active_at;
    if (!fires || elsewhere) /* not told by it: what happened first stays what it says */
        row->alert.event = before.event;
    enum active_change_kind kind = elsewhere                       ? ACTIVE_RELABELLED
                                   : row->alert.risk < before.risk ? ACTIVE_FIRED
                                                                   : ACTIVE_FELL;
    return active_row_put(pass, rule, row, error) &&
           (!fires || active_row_changed(pass, kind, &row->alert, error));
}

/* What the event does to one open alert about its finding. */
static bool touch(struct active_pass *pass, const struct rule *rule, const struct subject *subject,
                  struct active_row *row, struct error *error)
{
    const struct event *event = subject->event;
    struct subject known = *subject; /* a name that is not known now is what it was */
    active_row_keep_names(pass, known.tags, &row->alert, &known.base);
    row->alert.opened_at = event->opened_at; /* Azure may have corrected its dates meanwhile, or */
    row->alert.due_at = event->due_at;       /* the operator the SLA: an end tells the last */
    if (event->kind == EVENT_RISK_CHANGED)
        return rerate(pass, rule, &known, row, error);
    if (event->kind == EVENT_RESOLVED)
        return active_row_move(pass, rule, row, ALERT_STATE_CLEAR, subject->base.event,
                               finding_reason_words[event->reason], error);
    return !asks_due_only(rule) || active_row_move(pass, rule, row, ALERT_STATE_CLEAR,
                                                   subject->base.event, "no_longer_overdue", error);
}

/* What the event does to alerts about its finding. */
static bool touch_alerts(struct active_pass *pass, const struct subject *subject,
                         struct error *error)
{
    const struct event *event = subject->event;
    struct rows_keys keys;
    struct database_statement *statement = database_prepare(
        pass->database, "SELECT fingerprint FROM active_alert WHERE finding_id = $1");
    database_bind(statement, DATABASE_BYTES(event->finding_id.bytes));
    if (!rows_read_keys(statement, &pass->scratch, &keys, error))
        return false;
    for (size_t i = 0; i < keys.count; i++) {
        struct active_row row;
        bool found;
        if (!active_row_load(pass->database, keys.keys[i], &pass->scratch, &row, &found, error))
            return false;
        const struct rule *rule = rule_find(pass->rules, row.alert.rule);
        bool open = row.life.state == ALERT_PENDING ||
                    (row.life.state == ALERT_FIRING && !row.life.cleared_at);
        if (rule && open && !touch(pass, rule, subject, &row, error))
            return false;
    }
    return true;
}

/* score.recovered ends what score.dropped began, data.recovered what data.stale did. */
static bool undo(struct active_pass *pass, const struct event *event, enum event_kind kind,
                 struct error *error)
{
    size_t count;
    const struct rule *rules = rule_all(pass->rules, &count);
    struct event undone = *event;
    undone.kind = kind;
    struct subject subject = { .event = &undone };
    describe(pass, &subject, &pass->scratch);
    for (size_t i = 0; i < count; i++) {
        struct active_row row;
        struct alert alert;
        bool found;
        if (!pass->has_rows[i] || !wants(&rules[i], &subject))
            continue;
        make_alert(&rules[i], &subject, &alert);
        if (!active_row_load(pass->database, alert.fingerprint, &pass->scratch, &row, &found,
                             error))
            return false;
        if (found && row.life.state != ALERT_RESOLVED &&
            !active_row_move(pass, &rules[i], &row, ALERT_STATE_CLEAR,
                             event_word(event->kind, event->source, event->reason), "recovered",
                             error))
            return false;
    }
    return true;
}

static bool touches(enum event_kind kind)
{
    return kind == EVENT_RESOLVED || kind == EVENT_RISK_CHANGED || kind == EVENT_NO_LONGER_OVERDUE;
}

/* A finding and a receiver. */
static void put_late(const struct event *event, const char *receiver, struct buf *key)
{
    buf_reset(key);
    buf_append(key, (const char *)event->finding_id.bytes, sizeof event->finding_id.bytes);
    buf_text(key, receiver);
}

/* A finding that opens or is re-rated may be overdue from the first: that is one page to a
 * receiver, which names the due date, and not two. */
static void note_late(struct active_pass *pass, const struct rule *rule,
                      const struct subject *subject)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    const struct event *event = subject->event;
    if (event->kind == EVENT_OVERDUE || !event->due_at || event->due_at > event->at)
        return;
    const struct hearers hearers = hearers_of(pass, rule, subject);
    for (size_t i = 0; i < hearers.count; i++) {
        put_late(event, hearers.names[i], &key);
        intern_put(&pass->late, key.data, key.length);
    }
}

static bool is_told_already(const struct active_pass *pass, const struct rule *rule,
                            const struct subject *subject)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    if (subject->event->kind != EVENT_OVERDUE || !pass->late.count)
        return false;
    const struct hearers hearers = hearers_of(pass, rule, subject);
    for (size_t i = 0; i < hearers.count; i++) {
        put_late(subject->event, hearers.names[i], &key);
        if (intern_find(&pass->late, key.data, key.length) == UINT32_MAX)
            return false;
    }
    return hearers.count > 0;
}

bool active_apply_event(struct active_pass *pass, const struct event *event, struct error *error)
{
    size_t count;
    const struct rule *rules = rule_all(pass->rules, &count);
    char scratch[PART_ID_BYTES];
    struct finding finding;
    struct subject subject = { .event = event };
    arena_reset(&pass->scratch);
    if (event_finding(event, &finding, scratch))
        subject.finding = &finding;
    describe(pass, &subject, &pass->scratch);
    if (subject.finding && touches(event->kind) && !touch_alerts(pass, &subject, error))
        return false;
    if (event->kind == EVENT_SCORE_RECOVERED && !undo(pass, event, EVENT_SCORE_DROPPED, error))
        return false;
    if (event->kind == EVENT_DATA_RECOVERED && !undo(pass, event, EVENT_DATA_STALE, error))
        return false;
    if (event->kind == EVENT_RISK_RECOVERED && !undo(pass, event, EVENT_RISK_MISSING, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!wants(&rules[i], &subject) || is_told_already(pass, &rules[i], &subject))
            continue;
        pass->has_rows[i] = true;
        note_late(pass, &rules[i], &subject);
        if (!fire(pass, &rules[i], &subject, error))
            return false;
    }
    return true;
}
