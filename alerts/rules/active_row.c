/* The table active_alert, row by row. */
#include "alerts/rules/active_row.h"

#include <string.h>

#include "alerts/store/rows.h"

/* What is kept of an alert: the columns that others search by, and the whole as JSON. */
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

/* The next row of the table, its alert from the JSON. */
static bool read_row(struct database_statement *statement, struct arena *arena,
                     struct active_row *row, bool *found, struct error *error)
{
    struct kept kept = { 0 };
    if (!rows_next(statement, &kept_rows, NULL, &kept, found, error))
        return false;
    *row = kept.row;
    if (!*found)
        return true;
    row->alert = (struct alert){ 0 };
    struct json *json = json_parse(kept.alert, strlen(kept.alert), error);
    if (!json)
        return error_wrap(error, "an alert in the database");
    bool ok = alert_read(json, arena, &row->alert, error);
    json_free(json);
    return ok;
}

bool active_row_load(struct database *database, const char *fingerprint, struct arena *arena,
                     struct active_row *row, bool *found, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &kept_rows, " WHERE fingerprint = $1");
    database_bind(statement, fingerprint);
    bool ok = read_row(statement, arena, row, found, error);
    database_reset(statement);
    return ok;
}

bool active_row_save(struct database *database, const struct active_row *row, int64_t due_at,
                     struct error *error)
{
    CLEANUP(buf_finish) struct buf json = { 0 };
    struct json_writer writer = { .out = &json };
    alert_write(&row->alert, &writer, NULL);
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

/* --- for everybody ---------------------------------------------------------------------------- */

bool active_next_at(struct database *database, int64_t *at, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT MIN(due_at) FROM active_alert WHERE due_at > 0 AND NOT" ACTIVE_ROW_KEPT);
    return database_get_integer(statement, at, error);
}

bool active_each(struct database *database, enum alert_state state, active_visit *visit,
                 void *context, struct error *error)
{
    bool both = state == ALERT_STATE_COUNT;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct database_statement *statement =
        rows_select(database, &kept_rows,
                    " WHERE state = $1 OR state = $2 ORDER BY risk, active_at, fingerprint");
    database_bind(statement, alert_state_words[both ? ALERT_FIRING : state],
                  alert_state_words[both ? ALERT_PENDING : state]);
    for (bool found = true, ok;; arena_reset(&arena)) {
        struct active_row row;
        ok = read_row(statement, &arena, &row, &found, error);
        if (ok && found && visit(context, &row.alert, error))
            continue;
        database_reset(statement);
        return ok && !found;
    }
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
