#include "alerts/rules/active_row.h"

#include <string.h>

#include "alerts/store/rows.h"
#include "alerts/text/record.h"

enum { FIRST_RUNS_S = 900, KEPT_S = 900 };

/* What is kept of an alert: the columns that others search by, and the rest as JSON. */
struct kept {
    struct active_row row; /* read: all but its alert */
    const char *subscription_id, *alert;
    int64_t due_at;
};

/* clang-format off */
static const struct row_field kept_fields[] = {
    ROW_CHARS  (struct kept, row.alert.fingerprint, "fingerprint"),
    ROW_TEXT   (struct kept, row.alert.rule, "rule"),
    ROW_WORD   (struct kept, row.life.state, "state", alert_state_words, ALERT_INACTIVE),
    ROW_BYTES  (struct kept, row.alert.finding_id.bytes, "finding_id", row.alert.has_finding),
    ROW_INTEGER(struct kept, row.alert.episode, "episode"),
    ROW_TEXT   (struct kept, row.alert.event, "event"),
    ROW_ENUM   (struct kept, row.alert.risk, "risk", RISK_COUNT),
    ROW_TEXT   (struct kept, subscription_id, "subscription_id"),
    ROW_TEXT   (struct kept, alert, "alert"),
    ROW_NUMBER (struct kept, row.alert.value, "value"),
    ROW_INTEGER(struct kept, row.life.active_at, "active_at"),
    ROW_INTEGER(struct kept, row.life.fired_at, "fired_at"),
    ROW_INTEGER(struct kept, row.life.cleared_at, "cleared_at"),
    ROW_INTEGER(struct kept, row.life.resolved_at, "resolved_at"),
    ROW_INTEGER(struct kept, row.flaps, "flaps"),
    ROW_INTEGER(struct kept, row.flapped_at, "flapped_at"),
    ROW_INTEGER(struct kept, row.life.held_at, "held_at"),
    ROW_INTEGER(struct kept, due_at, "due_at"),
    { 0 }
};
/* clang-format on */
static const struct rows_table kept_rows = { "active_alert", 1, kept_fields };

/* What a walk over many of them looks at. */
/* clang-format off */
static const struct row_field walked_fields[] = {
    ROW_CHARS  (struct kept, row.alert.fingerprint, "fingerprint"),
    ROW_TEXT   (struct kept, row.alert.rule, "rule"),
    ROW_BYTES  (struct kept, row.alert.finding_id.bytes, "finding_id", row.alert.has_finding),
    ROW_INTEGER(struct kept, row.alert.episode, "episode"),
    ROW_TEXT   (struct kept, row.alert.event, "event"),
    ROW_ENUM   (struct kept, row.alert.risk, "risk", RISK_COUNT),
    ROW_TEXT   (struct kept, alert, "alert"),
    { 0 }
};
/* clang-format on */
static const struct rows_table walked_rows = { "active_alert", 0, walked_fields };

/* The rest. Rows of the first version say all of it there; what a column says, it says. */
/* clang-format off */
static const struct record_field rest_fields[] = {
    { "labels", RECORD_LABELS(struct alert, labels, label_count) },
    { "annotations", RECORD_LABELS(struct alert, annotations, annotation_count) },
    { "state", RECORD_WORD(struct alert, state), .words = alert_state_words },
    { "value", RECORD_NUMBER(struct alert, value) },
    { "starts_at", RECORD_INSTANT(struct alert, starts_at) },
    { "ends_at", RECORD_INSTANT(struct alert, ends_at) },
    { "due_at", RECORD_INSTANT(struct alert, due_at) },
    { "opened_at", RECORD_INSTANT(struct alert, opened_at) },
    { "reason", RECORD_TEXT(struct alert, reason) },
    { 0 }
};
/* clang-format on */

static void read_columns(const struct kept *kept, struct arena *arena, struct alert *alert)
{
    const struct alert *columns = &kept->row.alert;
    *alert = (struct alert){
        .rule = arena_text(arena, columns->rule),
        .event = arena_text(arena, columns->event),
        .reason = "",
        .risk = columns->risk,
        .has_finding = columns->has_finding,
        .finding_id = columns->finding_id,
        .episode = columns->episode,
    };
    memcpy(alert->fingerprint, columns->fingerprint, sizeof alert->fingerprint);
}

/* What the columns say of the rest, where it cannot be read. */
static void mend(const struct kept *kept, struct arena *arena, struct alert *alert)
{
    read_columns(kept, arena, alert);
    alert->state = kept->row.life.state;
    alert->value = kept->row.alert.value;
    alert->starts_at = kept->row.life.active_at;
    alert->ends_at = kept->row.life.resolved_at;
    alert_label(alert, "alertname", alert->rule);
    alert_label(alert, "subscription_id", arena_text(arena, kept->subscription_id));
}

/* What columns and JSON say of an alert. labels: NULL, or the place of the labels as JSON. */
static bool read_alert(const struct kept *kept, struct arena *arena, struct alert *alert,
                       const char **labels, struct error *error)
{
    static const char before[] = "{\"labels\":";
    size_t length = strlen(kept->alert);
    char *plain = arena_copy(arena, kept->alert, length);
    read_columns(kept, arena, alert);
    if (record_read_sparse(rest_fields, plain, length, alert)) {
        if (labels && alert->label_count) { /* as they are kept: they come first */
            const char *last = alert->labels[alert->label_count - 1].value;
            size_t end = (size_t)(last - plain) + strlen(last) + sizeof "\"}" - 1;
            *labels = arena_copy(arena, kept->alert + sizeof before - 1, end - (sizeof before - 1));
        }
        return true;
    }
    read_columns(kept, arena, alert);
    struct json *json = json_parse_in(arena, kept->alert, length, error);
    return json && record_read(rest_fields, json, NULL, alert, error);
}

/* Of a row whose JSON nobody can read the columns hold; it is noted. */
static void read_row(struct database *database, const struct kept *kept, struct arena *arena,
                     struct alert *alert)
{
    struct error reason;
    if (read_alert(kept, arena, alert, NULL, &reason))
        return;
    error_wrap(&reason, "alert");
    unreadable_note(database_unreadable(database), UNREADABLE_ALERT, kept->row.alert.fingerprint,
                    &reason);
    mend(kept, arena, alert);
}

bool active_row_load(struct database *database, const char *fingerprint, struct arena *arena,
                     struct active_row *row, bool *found, struct error *error)
{
    struct kept kept; /* large, and read often: what is not read is not looked at */
    struct database_statement *statement =
        rows_select(database, &kept_rows, " WHERE fingerprint = $1");
    database_bind(statement, fingerprint);
    if (!rows_next(statement, &kept_rows, NULL, &kept, found, error))
        return false;
    if (!*found) {
        *row = (struct active_row){ 0 };
        return true;
    }
    row->life = kept.row.life;
    row->flaps = kept.row.flaps;
    row->flapped_at = kept.row.flapped_at;
    read_row(database, &kept, arena, &row->alert);
    database_reset(statement);
    return true;
}

struct database_statement *active_row_walk(struct database *database, const char *rest)
{
    return rows_select(database, &walked_rows, rest);
}

bool active_row_walked(struct database *database, struct database_statement *statement,
                       struct arena *arena, struct alert *alert, const char **labels, bool *found,
                       struct error *error)
{
    struct kept kept;
    struct error reason;
    struct active_row row;
    bool whole;
    *labels = NULL;
    if (!rows_next(statement, &walked_rows, NULL, &kept, found, error))
        return false;
    if (!*found || read_alert(&kept, arena, alert, labels, &reason))
        return true;
    if (!active_row_load(database, kept.row.alert.fingerprint, arena, &row, &whole, error))
        return false;
    if (whole) {
        *alert = row.alert; /* by all its columns */
        return true;
    }
    read_columns(&kept, arena, alert);
    alert_label(alert, "alertname", alert->rule);
    return true;
}

bool active_row_save(struct database *database, const struct active_row *row, int64_t due_at,
                     struct error *error)
{
    CLEANUP(buf_finish) struct buf json = { 0 };
    struct json_writer writer = { .out = &json };
    json_open(&writer, NULL, '{');
    record_write_sparse(rest_fields, &row->alert, &writer);
    json_close(&writer, '}');
    const struct kept kept = {
        .row = *row,
        .subscription_id = alert_label_value(&row->alert, "subscription_id"),
        .alert = buf_cstr(&json),
        .due_at = due_at,
    };
    return rows_upsert(database, &kept_rows, &kept, error);
}

bool active_row_delete(struct database *database, const char *fingerprint, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM active_alert WHERE fingerprint = $1");
    database_bind(statement, fingerprint);
    return database_run(statement, error);
}

/* --- one row moves on ------------------------------------------------------------------------- */

#define KIND(kind) (1U << EVENT_##kind)

bool active_row_lasts(const struct alert *alert)
{
    const struct event_name *name = event_name_find(alert->event);
    return name &&
           (name->kinds & (KIND(OPENED) | KIND(REOPENED) | KIND(RISK_CHANGED) | KIND(OVERDUE) |
                           KIND(SCORE_DROPPED) | KIND(DATA_STALE) | KIND(RISK_MISSING)));
}

/* The clocks of a row: an event alert that runs out is one that was cleared when it fired. */
static struct alert_state_timing timing_of(const struct active_pass *pass, const struct rule *rule,
                                           const struct active_row *row)
{
    struct alert_state_timing timing =
        rule ? rule->timing : (struct alert_state_timing){ .kept_s = KEPT_S };
    if (rule && rule->kind == RULE_EVENT && row->life.cleared_at)
        timing.keep_firing_s = rule->resolve_after_s;
    if (rule && !strcmp(row->alert.event, ACTIVE_FIRST_RUN) && !pass->adopted &&
        timing.for_s < FIRST_RUNS_S)
        timing.for_s = FIRST_RUNS_S;
    if (timing.kept_s < pass->flap_within_s)
        timing.kept_s = pass->flap_within_s;
    return timing;
}

bool active_row_changed(struct active_pass *pass, enum active_change_kind kind,
                        const struct alert *alert, struct error *error)
{
    const struct active_change change = { kind, alert };
    return pass->changed(pass->context, &change, error);
}

bool active_row_put(struct active_pass *pass, const struct rule *rule, const struct active_row *row,
                    struct error *error)
{
    struct alert_state_timing timing = timing_of(pass, rule, row);
    return active_row_save(pass->database, row, alert_state_next_at(&row->life, &timing), error);
}

static void set_firing(const struct active_pass *pass, const struct rule *rule,
                       struct active_row *row)
{
    bool again = row->flapped_at && pass->now - row->flapped_at <= pass->flap_within_s;
    row->flaps = again ? row->flaps + 1 : 1;
    row->flapped_at = pass->now;
    row->alert.ends_at = 0;
    row->alert.reason = "";
    if (rule && rule->kind == RULE_EVENT && !active_row_lasts(&row->alert))
        row->life.cleared_at = pass->now; /* runs out */
}

bool active_row_move(struct active_pass *pass, const struct rule *rule, struct active_row *row,
                     enum alert_state_signal signal, const char *event, const char *reason,
                     struct error *error)
{
    struct alert_state_timing timing = timing_of(pass, rule, row);
    struct alert_life before = row->life;
    enum alert_state_change change = alert_state_advance(&row->life, &timing, signal, pass->now);
    if (change == ALERT_STATE_FORGOTTEN)
        return active_row_delete(pass->database, row->alert.fingerprint, error);
    if (change == ALERT_STATE_SAME && !memcmp(&before, &row->life, sizeof before))
        return true;
    row->alert.state = row->life.state;
    row->alert.starts_at = row->life.active_at;
    if (change == ALERT_STATE_FIRED)
        set_firing(pass, rule, row);
    if (change == ALERT_STATE_RESOLVED) {
        row->alert.ends_at = row->life.resolved_at;
        row->alert.event = event;
        row->alert.reason = reason;
    }
    if (!active_row_put(pass, rule, row, error))
        return false;
    if (change == ALERT_STATE_FIRED || change == ALERT_STATE_RESOLVED)
        return active_row_changed(
            pass, change == ALERT_STATE_FIRED ? ACTIVE_FIRED : ACTIVE_RESOLVED, &row->alert, error);
    return true;
}
