/* The table active_alert, row by row. */
#include "alerts/rules/active_row.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                    \
    "alert, state, active_at, fired_at, cleared_at, resolved_at, held_at, flaps, flapped_at"

static enum alert_state read_state(const char *word)
{
    for (int i = 0; i < ALERT_STATE_COUNT; i++)
        if (!strcmp(alert_state_words[i], word))
            return (enum alert_state)i;
    return ALERT_INACTIVE;
}

/* The row under a statement whose columns are COLUMNS. */
static bool read_row(struct database_statement *statement, struct arena *arena,
                     struct active_row *row, struct error *error)
{
    const char *text = database_text(statement, 0);
    struct json *json = json_parse(text, strlen(text), error);
    if (!json)
        return error_wrap(error, "an alert in the database");
    bool ok = alert_read(json, arena, &row->alert, error);
    json_free(json);
    row->life = (struct alert_life){
        .state = read_state(database_text(statement, 1)),
        .active_at = database_integer(statement, 2),
        .fired_at = database_integer(statement, 3),
        .cleared_at = database_integer(statement, 4),
        .resolved_at = database_integer(statement, 5),
        .held_at = database_integer(statement, 6),
    };
    row->flaps = database_integer(statement, 7);
    row->flapped_at = database_integer(statement, 8);
    return ok;
}

bool active_row_load(struct database *database, const char *fingerprint, struct arena *arena,
                     struct active_row *row, bool *found, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT " COLUMNS " FROM active_alert WHERE fingerprint = $1");
    *row = (struct active_row){ 0 };
    database_bind_text(statement, 1, fingerprint);
    if (!database_step(statement, found, error))
        return false;
    bool ok = !*found || read_row(statement, arena, row, error);
    database_reset(statement);
    return ok;
}

bool active_row_save(struct database *database, const struct active_row *row, int64_t due_at,
                     struct error *error)
{
    const struct alert *alert = &row->alert;
    CLEANUP(buf_finish) struct buf json = { 0 };
    struct json_writer writer = { .out = &json };
    alert_write(alert, &writer, NULL);
    struct database_statement *statement = database_prepare(
        database,
        "INSERT INTO active_alert (fingerprint, rule, state, finding_id, episode, event, risk,"
        " subscription_id, alert, value, active_at, fired_at, cleared_at, resolved_at, flaps,"
        " flapped_at, held_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
        " $13, $14, $15, $16, $17, $18) ON CONFLICT (fingerprint) DO UPDATE SET"
        " rule = excluded.rule, state = excluded.state, finding_id = excluded.finding_id,"
        " episode = excluded.episode, event = excluded.event, risk = excluded.risk,"
        " subscription_id = excluded.subscription_id, alert = excluded.alert,"
        " value = excluded.value, active_at = excluded.active_at, fired_at = excluded.fired_at,"
        " cleared_at = excluded.cleared_at, resolved_at = excluded.resolved_at,"
        " flaps = excluded.flaps, flapped_at = excluded.flapped_at, held_at = excluded.held_at,"
        " due_at = excluded.due_at");
    database_bind_text(statement, 1, alert->fingerprint);
    database_bind_text(statement, 2, alert->rule);
    database_bind_text(statement, 3, alert_state_words[row->life.state]);
    database_bind_blob(statement, 4, alert->has_finding ? alert->finding_id.bytes : NULL,
                       sizeof alert->finding_id.bytes);
    database_bind_integer(statement, 5, alert->episode);
    database_bind_text(statement, 6, alert->event);
    database_bind_integer(statement, 7, alert->risk);
    database_bind_text(statement, 8, alert_label_value(alert, "subscription_id"));
    database_bind_text(statement, 9, buf_cstr(&json));
    database_bind_number(statement, 10, alert->value);
    database_bind_integer(statement, 11, row->life.active_at);
    database_bind_integer(statement, 12, row->life.fired_at);
    database_bind_integer(statement, 13, row->life.cleared_at);
    database_bind_integer(statement, 14, row->life.resolved_at);
    database_bind_integer(statement, 15, row->flaps);
    database_bind_integer(statement, 16, row->flapped_at);
    database_bind_integer(statement, 17, row->life.held_at);
    database_bind_integer(statement, 18, due_at);
    return database_run(statement, error);
}

bool active_row_delete(struct database *database, const char *fingerprint, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM active_alert WHERE fingerprint = $1");
    database_bind_text(statement, 1, fingerprint);
    return database_run(statement, error);
}

bool active_row_keys(struct database_statement *statement, struct arena *arena,
                     struct active_keys *keys, struct error *error)
{
    *keys = (struct active_keys){ 0 };
    for (bool row = true;;) {
        if (!database_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        if (!(keys->count & (keys->count - 1))) { /* full at every power of two */
            const char **more =
                arena_alloc(arena, (keys->count ? keys->count * 2 : 1) * sizeof *more);
            memcpy(more, keys->count ? keys->keys : more, keys->count * sizeof *more);
            keys->keys = more;
        }
        keys->keys[keys->count++] = arena_text(arena, database_text(statement, 0));
    }
}

/* --- for everybody ---------------------------------------------------------------------------- */

bool active_next_at(struct database *database, int64_t *at, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT MIN(due_at) FROM active_alert WHERE due_at > 0 AND NOT" ACTIVE_ROW_KEPT);
    bool row;
    if (!database_step(statement, &row, error))
        return false;
    *at = row ? database_integer(statement, 0) : 0;
    database_reset(statement);
    return true;
}

bool active_each(struct database *database, enum alert_state state, active_visit *visit,
                 void *context, struct error *error)
{
    bool both = state == ALERT_STATE_COUNT;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct database_statement *statement = database_prepare(
        database, "SELECT " COLUMNS " FROM active_alert WHERE state = $1 OR state = $2"
                  " ORDER BY risk, active_at, fingerprint");
    database_bind_text(statement, 1, alert_state_words[both ? ALERT_FIRING : state]);
    database_bind_text(statement, 2, alert_state_words[both ? ALERT_PENDING : state]);
    for (bool found;;) {
        struct active_row row = { 0 };
        if (!database_step(statement, &found, error))
            return false;
        if (!found)
            return true;
        if (!read_row(statement, &arena, &row, error) || !visit(context, &row.alert, error)) {
            database_reset(statement);
            return false;
        }
        arena_reset(&arena);
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
