/* Changes of alerts go into the groups they belong to. */
#include "alerts/notify/group.h"

#include <string.h>

#include "alerts/notify/group_row.h"
#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "core/log.h"

enum { KEEP_CLOSED_S = 7 * 86400 };

/* --- where an alert is ------------------------------------------------------------------------ */

/* What a receiver was told of an alert that comes from other groups; told_at is of that group. */
static struct group_place told_before(const struct group_places *places, const char *receiver)
{
    struct group_place before = { 0 };
    for (size_t i = 0; i < places->count; i++)
        if (!strcmp(places->places[i].receiver, receiver) &&
            places->places[i].is.told >= before.is.told)
            before = places->places[i];
    return before;
}

/* What the receiver of a group an alert moves to has to be told: what it was not told where it was,
 * and nothing when others were told there. */
static struct group_place moved_from(const struct group_places *places, const char *receiver)
{
    struct group_place before = told_before(places, receiver);
    for (size_t i = 0; i < places->count && !before.receiver; i++)
        if (places->places[i].is.told == GROUP_TOLD_NOTHING)
            return (struct group_place){ 0 };
    if (!before.receiver && places->count) {
        before = places->places[0];
        before.is.told = GROUP_TOLD_FIRING;
    }
    return before;
}

static bool is_at(const struct group_place *place, const char *receiver, const char *key)
{
    return !strcmp(place->receiver, receiver) && !strcmp(place->key, key);
}

/* An alert that fires goes to another group; the one it leaves says nothing of it, and is closed
 * when it was the last. */
static bool leave(const struct group_context *context, const struct group_place *place,
                  const char *fingerprint, struct arena *arena, struct error *error)
{
    struct group_row row;
    bool found;
    int64_t left;
    struct database_statement *statement = database_prepare(
        context->database,
        "SELECT COUNT(*) FROM group_member WHERE receiver = $1 AND group_key = $2");
    if (!group_row_remove_member(context->database, place->receiver, place->key, fingerprint,
                                 error))
        return false;
    database_bind(statement, place->receiver, place->key);
    if (!database_get_integer(statement, &left, error))
        return false;
    if (left)
        return true;
    if (!group_row_load(context->database, place->receiver, place->key, context->now, arena, &row,
                        &found, error))
        return false;
    row.closed_at = context->now;
    row.due_at = 0;
    return !found || group_row_save(context->database, &row, error);
}

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

/* One change on its way into groups. */
struct routing {
    const struct group_context *context;
    const struct active_change *change;
    const struct route_leaf *leaves[ROUTE_LEAVES_MAX];
    struct buf keys[ROUTE_LEAVES_MAX]; /* of the groups */
    size_t count;
    struct group_places places; /* where the alert was before */
    struct arena arena;
};

static void finish_routing(struct routing *routing)
{
    for (size_t i = 0; i < routing->count; i++)
        buf_finish(&routing->keys[i]);
    arena_finish(&routing->arena);
}

static bool put(struct routing *routing, size_t leaf, const struct group_membership *membership,
                int64_t told_at, struct error *error)
{
    const struct route_leaf *to = routing->leaves[leaf];
    const char *key = buf_cstr(&routing->keys[leaf]);
    const char *fingerprint = routing->change->alert->fingerprint;
    struct database *database = routing->context->database;
    bool ok =
        membership->state != GROUP_NO_MEMBER
            ? group_row_put_member(database, to->receiver, key, fingerprint, membership, error)
            : group_row_remove_member(database, to->receiver, key, fingerprint, error);
    return ok && group_row_touch(routing->context, to, key, told_at, &routing->arena, error);
}

/* Whether this receiver knows the alert by labels that are others now. */
static bool knows_by_labels(const struct routing *routing, const struct receivers_config *receiver)
{
    const void *unused;
    return receiver && receivers_kind(receiver, &unused)->refresh_s &&
           routing->change->kind != ACTIVE_EXTENDED;
}

/* What a group has to tell of an alert that is in it or comes to it without news. */
static enum group_member_told without_news(enum group_member_told told, bool by_labels)
{
    return by_labels && told == GROUP_TOLD_FIRING ? GROUP_TOLD_BEFORE : told;
}

static bool route_to_leaf(struct routing *routing, size_t leaf, struct error *error)
{
    const struct active_change *change = routing->change;
    const char *name = routing->leaves[leaf]->receiver;
    const struct receivers_config *receiver = settings_receiver(routing->context->settings, name);
    struct group_membership before = { 0 }, after;
    for (size_t i = 0; i < routing->places.count; i++)
        if (is_at(&routing->places.places[i], name, buf_cstr(&routing->keys[leaf])))
            before = routing->places.places[i].is;
    bool is_there = before.state != GROUP_NO_MEMBER;
    if (change->kind == ACTIVE_RESOLVED) {
        if (!is_there)
            return true; /* its firing was not for this group */
        after = after_resolving(&before, change->alert, receiver && receiver->send_resolved);
        return put(routing, leaf, &after, 0, error);
    }
    if (change->kind == ACTIVE_FIRED || (change->kind == ACTIVE_FELL && is_there)) {
        after = after_firing(&before);
        return put(routing, leaf, &after, 0, error);
    }
    struct group_place from = { .is = before };
    if (!is_there)
        from = moved_from(&routing->places, name);
    after =
        (struct group_membership){ GROUP_FIRING,
                                   without_news(from.is.told, knows_by_labels(routing, receiver)) };
    if (before.state == GROUP_FIRING && after.told == before.told)
        return true;
    return put(routing, leaf, &after, from.told_at, error);
}

/* Whether a receiver that hears no more of an alert, which goes to these leaves, would go on
 * showing it: it keeps an incident open, or knows the alert by its labels until it is told that
 * they end. */
static bool has_to_end(const struct group_context *context, const struct route_leaf *const *leaves,
                       size_t count, const struct group_place *place)
{
    const void *unused;
    const struct receivers_config *receiver = settings_receiver(context->settings, place->receiver);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(leaves[i]->receiver, place->receiver))
            return false;
    return receiver && receiver->send_resolved && place->is.told != GROUP_TOLD_NOTHING &&
           (receivers_incidents(receiver) || receivers_kind(receiver, &unused)->refresh_s);
}

/* Let the group an alert leaves say that it ended there; not *done when it has no route any more.
 */
static bool end_there(struct routing *routing, const struct group_place *place, bool *done,
                      struct error *error)
{
    const struct group_context *context = routing->context;
    const struct group_membership ended = { GROUP_RESOLVED, place->is.told };
    struct group_row row;
    bool found;
    *done = false;
    if (!group_row_load(context->database, place->receiver, place->key, context->now,
                        &routing->arena, &row, &found, error))
        return false;
    const struct route_leaf *leaf = route_leaf_find(context->settings->route, row.route);
    *done = found && leaf && !strcmp(leaf->receiver, place->receiver);
    if (!*done || place->is.state == GROUP_RESOLVED)
        return true;
    return group_row_put_member(context->database, place->receiver, place->key,
                                routing->change->alert->fingerprint, &ended, error) &&
           group_row_touch(context, leaf, place->key, 0, &routing->arena, error);
}

/* End the memberships in groups the alert does not belong to any more. */
static bool leave_others(struct routing *routing, struct error *error)
{
    for (size_t i = 0; i < routing->places.count; i++) {
        const struct group_place *place = &routing->places.places[i];
        bool stays = false;
        for (size_t n = 0; n < routing->count; n++)
            stays |= is_at(place, routing->leaves[n]->receiver, buf_cstr(&routing->keys[n]));
        if (!stays && has_to_end(routing->context, routing->leaves, routing->count, place) &&
            !end_there(routing, place, &stays, error))
            return false;
        if (!stays && !leave(routing->context, place, routing->change->alert->fingerprint,
                             &routing->arena, error))
            return false;
    }
    return true;
}

bool group_route(const struct group_context *context, const struct active_change *change,
                 struct error *error)
{
    CLEANUP(finish_routing) struct routing routing = { .context = context, .change = change };
    const struct alert *alert = change->alert;
    if (!context->settings->route)
        return true;
    if (!group_row_places(context->database, alert->fingerprint, &routing.arena, &routing.places,
                          error))
        return false;
    routing.count = route_find(context->settings->route, alert, routing.leaves, ROUTE_LEAVES_MAX);
    for (size_t i = 0; i < routing.count; i++)
        route_group_key(routing.leaves[i], alert, &routing.keys[i]);
    bool ok = true;
    for (size_t i = 0; ok && i < routing.count; i++)
        ok = route_to_leaf(&routing, i, error);
    ok = ok && (change->kind == ACTIVE_RESOLVED || leave_others(&routing, error));
    return ok || error_wrap(error, "alert %s", alert->fingerprint);
}

/* --- instants --------------------------------------------------------------------------------- */

bool group_next_at(const struct group_context *context, int64_t *at, struct error *error)
{
    static const char *const questions[] = {
        "SELECT MIN(due_at) FROM group_state WHERE due_at > 0",
        "SELECT MIN(flapped_at) FROM active_alert WHERE fingerprint IN"
        " (SELECT fingerprint FROM group_member WHERE muted_by <> ''"
        " AND muted_by = 'flapping')",
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

struct placing {
    const struct group_context *context;
};

/* See that an alert that fires is in the groups it belongs to now. */
static bool place_alert(void *argument, const struct alert *alert, struct error *error)
{
    const struct group_context *context = ((const struct placing *)argument)->context;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct route_leaf *leaves[ROUTE_LEAVES_MAX];
    struct group_places places;
    size_t count = route_find(context->settings->route, alert, leaves, ROUTE_LEAVES_MAX);
    if (!group_row_places(context->database, alert->fingerprint, &arena, &places, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *receiver = leaves[i]->receiver;
        CLEANUP(buf_finish) struct buf key = { 0 };
        bool is_there = false;
        route_group_key(leaves[i], alert, &key);
        for (size_t n = 0; n < places.count; n++)
            is_there |= is_at(&places.places[n], receiver, buf_cstr(&key));
        if (is_there)
            continue;
        struct group_place before = told_before(&places, receiver);
        struct group_membership wanted = { GROUP_FIRING, before.is.told };
        if (!group_row_put_member(context->database, receiver, buf_cstr(&key), alert->fingerprint,
                                  &wanted, error) ||
            !group_row_touch(context, leaves[i], buf_cstr(&key), before.told_at, &arena, error))
            return false;
    }
    return true;
}

/* One group whose routes may be others now. */
struct checking {
    const struct group_context *context;
    const char *receiver, *key;
    struct arena *arena;
    const char *path; /* of the route that leads there now */
    bool any;         /* alerts belong there still */
    bool ends;        /* it has to tell of an end */
    int64_t lost;     /* alerts whose end nobody can tell: their receiver is gone */
};

/* End a membership that no route makes any more: the receiver is told where it has to be. */
static bool check_member(struct checking *checking, const char *fingerprint, struct error *error)
{
    const struct group_context *context = checking->context;
    const struct route_leaf *leaves[ROUTE_LEAVES_MAX];
    struct group_places places;
    struct group_place place = { 0 };
    struct alert alert;
    bool known;
    if (!active_find(context->database, fingerprint, checking->arena, &alert, &known, error) ||
        !group_row_places(context->database, fingerprint, checking->arena, &places, error))
        return false;
    size_t count =
        known ? route_find(context->settings->route, &alert, leaves, ROUTE_LEAVES_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_finish) struct buf now = { 0 };
        route_group_key(leaves[i], &alert, &now);
        if (strcmp(leaves[i]->receiver, checking->receiver) != 0 ||
            strcmp(buf_cstr(&now), checking->key) != 0)
            continue;
        checking->path = leaves[i]->path;
        checking->any = true;
        return true;
    }
    for (size_t i = 0; i < places.count; i++)
        if (is_at(&places.places[i], checking->receiver, checking->key))
            place = places.places[i];
    if (known && place.receiver && has_to_end(context, leaves, count, &place)) {
        const struct group_membership ended = { GROUP_RESOLVED, place.is.told };
        checking->ends = true;
        return place.is.state == GROUP_RESOLVED ||
               group_row_put_member(context->database, checking->receiver, checking->key,
                                    fingerprint, &ended, error);
    }
    checking->lost += place.is.told != GROUP_TOLD_NOTHING &&
                      !settings_receiver(context->settings, checking->receiver);
    return group_row_remove_member(context->database, checking->receiver, checking->key,
                                   fingerprint, error);
}

/* End the memberships of one group that no route makes any more. */
static bool check_group(struct checking *checking, struct error *error)
{
    const struct group_context *context = checking->context;
    struct group_row row;
    struct rows_keys members;
    bool found;
    checking->any = checking->ends = false;
    struct database_statement *statement = database_prepare(
        context->database,
        "SELECT fingerprint FROM group_member WHERE receiver = $1 AND group_key = $2");
    database_bind(statement, checking->receiver, checking->key);
    if (!rows_read_keys(statement, checking->arena, &members, error) ||
        !group_row_load(context->database, checking->receiver, checking->key, context->now,
                        checking->arena, &row, &found, error))
        return false;
    for (size_t i = 0; i < members.count; i++)
        if (!check_member(checking, members.keys[i], error))
            return false;
    const char *route = checking->any    ? checking->path
                        : checking->ends ? GROUP_NO_ROUTE
                                         : row.route;
    bool stays = checking->any || checking->ends;
    if (!found || (stays && !checking->ends && !strcmp(row.route, route)) ||
        (!stays && row.closed_at))
        return true;
    row.route = route;
    row.closed_at = stays ? row.closed_at : context->now;
    row.due_at = checking->ends ? context->now : checking->any ? row.due_at : 0;
    return group_row_save(context->database, &row, error);
}

/* All groups of one receiver. */
static bool check_receiver(const struct group_context *context, const char *receiver,
                           struct arena *arena, struct error *error)
{
    struct checking checking = { .context = context, .receiver = receiver, .arena = arena };
    struct rows_keys groups;
    struct database_statement *statement = database_prepare(
        context->database, "SELECT group_key FROM group_state WHERE receiver = $1");
    database_bind(statement, receiver);
    if (!rows_read_keys(statement, arena, &groups, error))
        return false;
    for (size_t i = 0; i < groups.count; i++) {
        checking.key = groups.keys[i];
        if (!check_group(&checking, error))
            return false;
    }
    if (checking.lost)
        log_warn(MSG("a receiver is gone: what it was told of stays open there"),
                 TEXT("receiver", receiver), INT("alerts", checking.lost));
    return true;
}

bool group_reroute(const struct group_context *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys receivers;
    if (!context->settings->route)
        return true;
    struct placing placing = { context };
    if (!active_each(context->database, ALERT_FIRING, place_alert, &placing, error))
        return false;
    struct database_statement *statement =
        database_prepare(context->database, "SELECT DISTINCT receiver FROM group_state");
    if (!rows_read_keys(statement, &arena, &receivers, error))
        return false;
    for (size_t i = 0; i < receivers.count; i++)
        if (!check_receiver(context, receivers.keys[i], &arena, error))
            return false;
    return true;
}

/* --- what is due ------------------------------------------------------------------------------ */

/* Due groups (also by a clock that has stepped back since), and those somebody is muted in. */
#define WORK                                                                                       \
    "SELECT receiver, group_key FROM group_state WHERE due_at > 0 AND (due_at <= $1 OR"            \
    " told_at > $1 OR created_at > $1) UNION SELECT receiver, group_key FROM group_member"         \
    " WHERE muted_by <> ''"

static const struct row_field due_fields[] = {
    ROW_TEXT(struct group_due, receiver, "receiver"),
    ROW_TEXT(struct group_due, key, "group_key"),
    { 0 },
};
static const struct rows_table due_rows = { "(" WORK ") work", 0, due_fields };

bool group_has_work(struct database *database, int64_t now, bool *any, struct error *error)
{
    struct database_statement *statement = database_prepare(database, WORK " LIMIT 1");
    database_bind(statement, now);
    if (!database_step(statement, any, error))
        return false;
    database_reset(statement);
    return true;
}

bool group_due(struct database *database, int64_t now, struct arena *arena,
               struct group_due **first, struct error *error)
{
    struct group_due **last = first;
    struct database_statement *statement = rows_select(database, &due_rows, " ORDER BY 1, 2");
    *first = NULL;
    database_bind(statement, now);
    for (bool found;;) {
        struct group_due *due = arena_zalloc(arena, sizeof *due);
        if (!rows_next(statement, &due_rows, arena, due, &found, error))
            return false;
        if (!found)
            return true;
        *last = due;
        last = &due->next;
    }
}
