/* Groups and members, row by row. */
#include "alerts/notify/group_row.h"

#include <string.h>

#include "alerts/store/rows.h"

static int64_t least(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

/* --- groups ----------------------------------------------------------------------------------- */

static const struct row_field group_fields[] = {
    ROW_TEXT(struct group_row, receiver, "receiver"),
    ROW_TEXT(struct group_row, key, "group_key"),
    ROW_TEXT(struct group_row, route, "route"),
    ROW_TEXT(struct group_row, dedup_key, "dedup_key"),
    ROW_INTEGER(struct group_row, created_at, "created_at"),
    ROW_INTEGER(struct group_row, due_at, "due_at"),
    ROW_INTEGER(struct group_row, told_at, "told_at"),
    ROW_INTEGER(struct group_row, closed_at, "closed_at"),
    ROW_INTEGER(struct group_row, episode, "episode"),
    { 0 },
};
static const struct rows_table group_rows = { "group_state", 2, group_fields };

bool group_row_load(struct database *database, const char *receiver, const char *key, int64_t now,
                    struct arena *arena, struct group_row *row, bool *found, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &group_rows, " WHERE receiver = $1 AND group_key = $2");
    *row = (struct group_row){ .receiver = receiver, .key = key, .route = "", .dedup_key = "" };
    database_bind(statement, receiver, key);
    if (!rows_one(statement, &group_rows, arena, row, found, error))
        return false;
    row->created_at = least(row->created_at, now);
    row->told_at = least(row->told_at, now);
    row->closed_at = least(row->closed_at, now);
    return true;
}

bool group_row_save(struct database *database, const struct group_row *row, struct error *error)
{
    return rows_upsert(database, &group_rows, row, error);
}

bool group_row_touch(const struct group_context *context, const struct route_leaf *leaf,
                     const char *key, int64_t told_at, struct arena *arena, struct error *error)
{
    struct group_row row;
    bool found;
    int64_t now = context->now;
    if (!group_row_load(context->database, leaf->receiver, key, now, arena, &row, &found, error))
        return false;
    struct group_row before = row;
    if (!found || row.closed_at) {
        row.created_at = now;
        row.due_at = row.closed_at = 0;
        row.told_at = told_at;
        row.dedup_key = "";
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

struct member_row {
    const char *receiver, *key, *fingerprint;
    struct group_membership is;
    enum mute_reason muted_by;
};
static const struct row_field member_fields[] = {
    ROW_TEXT(struct member_row, receiver, "receiver"),
    ROW_TEXT(struct member_row, key, "group_key"),
    ROW_TEXT(struct member_row, fingerprint, "fingerprint"),
    ROW_WORD(struct member_row, is.state, "state", group_row_state_words, GROUP_FIRING),
    ROW_WORD(struct member_row, is.told, "told", group_row_told_words, GROUP_TOLD_FIRING),
    ROW_WORD(struct member_row, muted_by, "muted_by", mute_words, MUTE_NONE),
    { 0 },
};
static const struct rows_table member_rows = { "group_member", 3, member_fields };

/* clang-format off */
static const struct row_field place_fields[] = {
    ROW_TEXT   (struct group_place, receiver, "m.receiver"),
    ROW_TEXT   (struct group_place, key, "m.group_key"),
    ROW_WORD   (struct group_place, is.state, "m.state", group_row_state_words, GROUP_FIRING),
    ROW_WORD   (struct group_place, is.told, "m.told", group_row_told_words, GROUP_TOLD_FIRING),
    ROW_WORD   (struct group_place, muted_by, "m.muted_by", mute_words, MUTE_NONE),
    ROW_INTEGER(struct group_place, told_at, "COALESCE(s.told_at, 0)"),
    { 0 },
};
/* clang-format on */
static const struct rows_table place_rows = {
    "group_member m LEFT JOIN group_state s ON s.receiver = m.receiver AND"
    " s.group_key = m.group_key",
    0, place_fields
};

bool group_row_places(struct database *database, const char *fingerprint, struct arena *arena,
                      struct group_places *places, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &place_rows, " WHERE m.fingerprint = $1 ORDER BY 1, 2");
    size_t capacity = 0;
    *places = (struct group_places){ 0 };
    database_bind(statement, fingerprint);
    for (bool found;;) {
        struct group_place place = { 0 };
        if (!rows_next(statement, &place_rows, arena, &place, &found, error))
            return false;
        if (!found)
            return true;
        if (places->count == capacity) {
            capacity = capacity ? capacity * 2 : 4;
            struct group_place *more = arena_alloc(arena, capacity * sizeof *more);
            memcpy(more, places->count ? places->places : more, places->count * sizeof *more);
            places->places = more;
        }
        places->places[places->count++] = place;
    }
}

bool group_row_put_member(struct database *database, const char *receiver, const char *key,
                          const char *fingerprint, const struct group_membership *membership,
                          struct error *error)
{
    const struct member_row row = { receiver, key, fingerprint, *membership, MUTE_NONE };
    return rows_upsert(database, &member_rows, &row, error);
}

bool group_row_mute(struct database *database, const struct group_row *group,
                    const char *fingerprint, enum mute_reason reason, const char *held,
                    struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE group_member SET muted_by = $1, held = $2 WHERE receiver = $3 AND"
                  " group_key = $4 AND fingerprint = $5");
    database_bind(statement, mute_words[reason], held, group->receiver, group->key, fingerprint);
    return database_run(statement, error);
}

bool group_row_remove_member(struct database *database, const char *receiver, const char *key,
                             const char *fingerprint, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM group_member WHERE receiver = $1 AND"
                                   " group_key = $2 AND fingerprint = $3");
    database_bind(statement, receiver, key, fingerprint);
    return database_run(statement, error);
}

const struct route_leaf *group_row_leaf(const struct group_context *context,
                                        const struct group_row *row)
{
    static const struct time_interval *const never[] = { NULL };
    static const struct route_leaf none = { .mute = never, .active = never };
    if (!strcmp(row->route, GROUP_NO_ROUTE))
        return &none;
    const struct route_leaf *leaf = route_leaf_find(context->settings->route, row->route);
    return leaf && !strcmp(leaf->receiver, row->receiver) ? leaf : NULL;
}
