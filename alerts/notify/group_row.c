/* Groups and members, row by row. */
#include "alerts/notify/group_row.h"

#include <string.h>

static int64_t least(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

/* --- groups ----------------------------------------------------------------------------------- */

bool group_row_load(struct database *database, const char *receiver, const char *key, int64_t now,
                    struct arena *arena, struct group_row *row, bool *found, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT route, created_at, due_at, told_at, closed_at, episode FROM group_state"
                  " WHERE receiver = $1 AND group_key = $2");
    *row = (struct group_row){ .receiver = receiver, .key = key, .route = "" };
    database_bind_text(statement, 1, receiver);
    database_bind_text(statement, 2, key);
    if (!database_step(statement, found, error))
        return false;
    if (*found) {
        row->route = arena_text(arena, database_text(statement, 0));
        row->created_at = least(database_integer(statement, 1), now);
        row->due_at = database_integer(statement, 2);
        row->told_at = least(database_integer(statement, 3), now);
        row->closed_at = least(database_integer(statement, 4), now);
        row->episode = database_integer(statement, 5);
    }
    database_reset(statement);
    return true;
}

bool group_row_save(struct database *database, const struct group_row *row, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "INSERT INTO group_state (receiver, group_key, route, created_at, due_at,"
                  " told_at, closed_at, episode) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                  " ON CONFLICT (receiver, group_key) DO UPDATE SET route = excluded.route,"
                  " created_at = excluded.created_at, due_at = excluded.due_at,"
                  " told_at = excluded.told_at, closed_at = excluded.closed_at,"
                  " episode = excluded.episode");
    database_bind_text(statement, 1, row->receiver);
    database_bind_text(statement, 2, row->key);
    database_bind_text(statement, 3, row->route);
    database_bind_integer(statement, 4, row->created_at);
    database_bind_integer(statement, 5, row->due_at);
    database_bind_integer(statement, 6, row->told_at);
    database_bind_integer(statement, 7, row->closed_at);
    database_bind_integer(statement, 8, row->episode);
    return database_run(statement, error);
}

bool group_row_touch(const struct group_context *context, const struct route_leaf *leaf,
                     const char *key, struct arena *arena, struct error *error)
{
    struct group_row row;
    bool found;
    int64_t now = context->now;
    if (!group_row_load(context->database, leaf->receiver, key, now, arena, &row, &found, error))
        return false;
    struct group_row before = row;
    if (!found || row.closed_at) {
        row.created_at = now;
        row.due_at = row.told_at = row.closed_at = 0;
        row.episode++;
    }
    int64_t due =
        row.told_at ? row.told_at + leaf->group_interval_s : row.created_at + leaf->group_wait_s;
    due = due > now ? due : now;
    row.due_at = row.due_at ? least(row.due_at, due) : due;
    row.route = leaf->path;
    bool same = found && row.due_at == before.due_at && row.closed_at == before.closed_at &&
                !strcmp(row.route, before.route);
    return same || group_row_save(context->database, &row, error);
}

/* --- members ---------------------------------------------------------------------------------- */

const char *const group_row_state_words[] = { "", "firing", "resolved", "over", NULL };
const char *const group_row_told_words[] = { "", "firing", "before", "folded", NULL };

static int place_of(const char *const *words, const char *word, int otherwise)
{
    for (int place = 0; words[place]; place++)
        if (!strcmp(words[place], word))
            return place;
    return otherwise;
}

enum group_member_state group_row_state(const char *word)
{
    return (enum group_member_state)place_of(group_row_state_words, word, GROUP_FIRING);
}

enum group_member_told group_row_told(const char *word)
{
    return (enum group_member_told)place_of(group_row_told_words, word, GROUP_TOLD_FIRING);
}

bool group_row_member(struct database *database, const char *receiver, const char *key,
                      const char *fingerprint, struct group_membership *membership,
                      struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT state, told FROM group_member WHERE receiver = $1 AND group_key = $2"
                  " AND fingerprint = $3");
    bool row;
    *membership = (struct group_membership){ 0 };
    database_bind_text(statement, 1, receiver);
    database_bind_text(statement, 2, key);
    database_bind_text(statement, 3, fingerprint);
    if (!database_step(statement, &row, error))
        return false;
    if (row) {
        membership->state = group_row_state(database_text(statement, 0));
        membership->told = group_row_told(database_text(statement, 1));
    }
    database_reset(statement);
    return true;
}

bool group_row_put_member(struct database *database, const char *receiver, const char *key,
                          const char *fingerprint, const struct group_membership *membership,
                          struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "INSERT INTO group_member (receiver, group_key, fingerprint, state, told,"
                  " muted_by) VALUES ($1, $2, $3, $4, $5, '') ON CONFLICT"
                  " (receiver, group_key, fingerprint) DO UPDATE SET state = excluded.state,"
                  " told = excluded.told, muted_by = excluded.muted_by");
    database_bind_text(statement, 1, receiver);
    database_bind_text(statement, 2, key);
    database_bind_text(statement, 3, fingerprint);
    database_bind_text(statement, 4, group_row_state_words[membership->state]);
    database_bind_text(statement, 5, group_row_told_words[membership->told]);
    return database_run(statement, error);
}

bool group_row_remove_member(struct database *database, const char *receiver, const char *key,
                             const char *fingerprint, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM group_member WHERE receiver = $1 AND"
                                   " group_key = $2 AND fingerprint = $3");
    database_bind_text(statement, 1, receiver);
    database_bind_text(statement, 2, key);
    database_bind_text(statement, 3, fingerprint);
    return database_run(statement, error);
}
