/* Changes of alerts go into the groups they belong to. */
#include "alerts/notify/group.h"

#include <string.h>

#include "alerts/notify/group_row.h"
#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"

enum { LEAVES_MAX = 32, KEEP_CLOSED_S = 7 * 86400 };

/* --- one change ------------------------------------------------------------------------------- */

/* What a membership becomes when its alert fires (again). */
static struct group_membership after_firing(const struct group_membership *before)
{
    bool knows = before->told == GROUP_TOLD_FIRING || before->told == GROUP_TOLD_BEFORE;
    bool goes_on = knows && before->state != GROUP_RESOLVED;
    return (struct group_membership){ GROUP_FIRING,
                                      goes_on ? GROUP_TOLD_BEFORE : GROUP_TOLD_NOTHING };
}

/* What it becomes when the alert resolves; GROUP_NO_MEMBER = it ends without a notification. */
static struct group_membership after_resolving(const struct group_membership *before,
                                               const struct alert *alert, bool send_resolved)
{
    bool told = before->told != GROUP_TOLD_NOTHING;
    if (!strcmp(alert->reason, ACTIVE_EXPIRED))
        return (struct group_membership){ told ? GROUP_NO_MEMBER : GROUP_OVER, GROUP_TOLD_NOTHING };
    return (struct group_membership){ told && send_resolved ? GROUP_RESOLVED : GROUP_NO_MEMBER,
                                      before->told };
}

static bool route_to_leaf(const struct group_context *context, const struct active_change *change,
                          const struct route_leaf *leaf, struct arena *arena, struct error *error)
{
    const struct alert *alert = change->alert;
    const struct receivers_config *receiver = settings_receiver(context->settings, leaf->receiver);
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct group_membership before, after;
    route_group_key(leaf, alert, &key);
    if (!group_row_member(context->database, leaf->receiver, buf_cstr(&key), alert->fingerprint,
                          &before, error))
        return false;
    if (change->change == ALERT_STATE_FIRED)
        after = after_firing(&before);
    else if (before.state != GROUP_NO_MEMBER)
        after = after_resolving(&before, alert, receiver && receiver->send_resolved);
    else
        return true; /* its firing was not for this group */
    bool ok = after.state != GROUP_NO_MEMBER
                  ? group_row_put_member(context->database, leaf->receiver, buf_cstr(&key),
                                         alert->fingerprint, &after, error)
                  : group_row_remove_member(context->database, leaf->receiver, buf_cstr(&key),
                                            alert->fingerprint, error);
    return ok && group_row_touch(context, leaf, buf_cstr(&key), arena, error);
}

bool group_route(const struct group_context *context, const struct active_change *change,
                 struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct route_leaf *leaves[LEAVES_MAX];
    if (!context->settings->route)
        return true;
    size_t count = route_find(context->settings->route, change->alert, leaves, LEAVES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!route_to_leaf(context, change, leaves[i], &arena, error))
            return error_wrap(error, "alert %s", change->alert->fingerprint);
    return true;
}

/* --- instants --------------------------------------------------------------------------------- */

bool group_next_at(const struct group_context *context, int64_t *at, struct error *error)
{
    static const char *const questions[] = {
        "SELECT MIN(due_at) FROM group_state WHERE due_at > 0",
        "SELECT MIN(flapped_at) FROM active_alert WHERE fingerprint IN"
        " (SELECT fingerprint FROM group_member WHERE muted_by = 'flapping')",
    };
    const int64_t more[] = { 0, context->mutes->flap.hold_ms / 1000 };
    *at = 0;
    for (size_t i = 0; i < ARRAY_COUNT(questions); i++) {
        struct database_statement *statement = database_prepare(context->database, questions[i]);
        int64_t first;
        if (!database_get_integer(statement, &first, error))
            return false;
        if (first && (!*at || first + more[i] < *at))
            *at = first + more[i];
    }
    return true;
}

bool group_prune(struct database *database, int64_t now, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "DELETE FROM group_state WHERE (receiver, group_key) IN (SELECT receiver,"
                  " group_key FROM group_state WHERE closed_at > 0 AND closed_at < $1 LIMIT $2)");
    database_bind(statement, now - KEEP_CLOSED_S, SCHEMA_PRUNE_ROWS);
    return database_run(statement, error);
}

/* --- after a reload --------------------------------------------------------------------------- */

static const struct row_field told_fields[] = {
    ROW_WORD(struct group_membership, told, "MAX(told)", group_row_told_words, GROUP_TOLD_FIRING),
    { 0 },
};
static const struct rows_table told_rows = { "group_member", 0, told_fields };

/* What a receiver was notified of about an alert, in whatever group. */
static bool told_before(struct database *database, const char *receiver, const char *fingerprint,
                        enum group_member_told *told, struct error *error)
{
    struct group_membership latest = { 0 };
    struct database_statement *statement =
        rows_select(database, &told_rows, " WHERE receiver = $1 AND fingerprint = $2");
    bool found;
    database_bind(statement, receiver, fingerprint);
    if (!rows_one(statement, &told_rows, NULL, &latest, &found, error))
        return false;
    *told = latest.told;
    return true;
}

struct placing {
    const struct group_context *context;
};

/* See that an alert that fires is in the groups it belongs to now. */
static bool place(void *argument, const struct alert *alert, struct error *error)
{
    const struct group_context *context = ((const struct placing *)argument)->context;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct route_leaf *leaves[LEAVES_MAX];
    size_t count = route_find(context->settings->route, alert, leaves, LEAVES_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *receiver = leaves[i]->receiver;
        CLEANUP(buf_finish) struct buf key = { 0 };
        struct group_membership now, wanted = { .state = GROUP_FIRING };
        route_group_key(leaves[i], alert, &key);
        if (!group_row_member(context->database, receiver, buf_cstr(&key), alert->fingerprint, &now,
                              error))
            return false;
        if (now.state != GROUP_NO_MEMBER)
            continue;
        if (!told_before(context->database, receiver, alert->fingerprint, &wanted.told, error) ||
            !group_row_put_member(context->database, receiver, buf_cstr(&key), alert->fingerprint,
                                  &wanted, error) ||
            !group_row_touch(context, leaves[i], buf_cstr(&key), &arena, error))
            return false;
    }
    return true;
}

/* Whether a route still leads an alert into this group; *path is its path. */
static bool still_there(const struct group_context *context, const char *receiver, const char *key,
                        const struct alert *alert, const char **path)
{
    const struct route_leaf *leaves[LEAVES_MAX];
    size_t count = route_find(context->settings->route, alert, leaves, LEAVES_MAX);
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_finish) struct buf now = { 0 };
        route_group_key(leaves[i], alert, &now);
        *path = leaves[i]->path;
        if (!strcmp(leaves[i]->receiver, receiver) && !strcmp(buf_cstr(&now), key))
            return true;
    }
    return false;
}

/* End the memberships of one group that no route makes any more. */
static bool check_group(const struct group_context *context, const char *receiver, const char *key,
                        struct arena *arena, struct error *error)
{
    struct group_row row;
    struct rows_keys members;
    bool found, any = false;
    const char *path = "";
    struct database_statement *statement = database_prepare(
        context->database,
        "SELECT fingerprint FROM group_member WHERE receiver = $1 AND group_key = $2");
    database_bind(statement, receiver, key);
    if (!rows_read_keys(statement, arena, &members, error) ||
        !group_row_load(context->database, receiver, key, context->now, arena, &row, &found, error))
        return false;
    for (size_t i = 0; i < members.count; i++) {
        struct alert alert;
        bool known;
        if (!active_find(context->database, members.keys[i], arena, &alert, &known, error))
            return false;
        if (known && still_there(context, receiver, key, &alert, &path))
            any = true;
        else if (!group_row_remove_member(context->database, receiver, key, members.keys[i], error))
            return false;
    }
    if (!found || (any && !strcmp(row.route, path)) || (!any && row.closed_at))
        return true;
    if (any)
        row.route = path;
    else
        row.closed_at = context->now;
    row.due_at = any ? row.due_at : 0;
    return group_row_save(context->database, &row, error);
}

bool group_reroute(const struct group_context *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys receivers;
    if (!context->settings->route)
        return true;
    struct placing placing = { context };
    if (!active_each(context->database, ALERT_FIRING, place, &placing, error))
        return false;
    struct database_statement *statement =
        database_prepare(context->database, "SELECT DISTINCT receiver FROM group_state");
    if (!rows_read_keys(statement, &arena, &receivers, error))
        return false;
    for (size_t i = 0; i < receivers.count; i++) {
        struct rows_keys groups;
        statement = database_prepare(context->database,
                                     "SELECT group_key FROM group_state WHERE receiver = $1");
        database_bind(statement, receivers.keys[i]);
        if (!rows_read_keys(statement, &arena, &groups, error))
            return false;
        for (size_t n = 0; n < groups.count; n++)
            if (!check_group(context, receivers.keys[i], groups.keys[n], &arena, error))
                return false;
    }
    return true;
}
