/* Due groups become notifications: who is muted, what is news, whether it fits, and then the
 * outbox. */
#include <stdio.h>
#include <string.h>

#include "alerts/notify/group_row.h"
#include "alerts/notify/held.h"
#include "alerts/notify/incident.h"
#include "alerts/notify/notification_build.h"
#include "alerts/notify/relabel.h"
#include "alerts/store/rows.h"

/* One alert of a group; enough of it to decide without its texts. */
struct member {
    struct alert alert; /* fingerprint, rule, event, risk, episode, finding; no labels */
    const char *subscription_id;
    struct group_membership is;
    bool resolved, over, news, by_digest; /* by_digest: its firing was in one */
    int64_t flaps, flapped_at;
    enum mute_reason muted_by, muted;
    const char *held;     /* what held it back has ended: held_ended; "" */
    const char *open_key; /* of the incident it is in; "" = none */
    char key[46];         /* of the incident it belongs to */
    bool left, folded;    /* its incident was looked at; its firing goes into a digest */
};

/* One group while it is decided. */
struct flush {
    const struct group_context *context;
    const struct route_leaf *leaf;
    const struct receivers_config *receiver;
    const struct receiver_kind *kind;
    enum receiver_incidents incidents;
    struct group_row row;
    struct member *members; /* firing before resolved, news first, worst first */
    size_t count, capacity;
    struct arena arena;
    /* of those that are not muted: */
    int64_t firing, resolved, firing_news, resolved_news, digest_news;
    size_t waiting;        /* news that is muted */
    bool waits;            /* news of an open incident that does not fit now */
    enum risk_level worst; /* of the firing news */
};

static void finish_flush(struct flush *flush)
{
    arena_finish(&flush->arena);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct row_field member_fields[] = {
    ROW_CHARS  (struct member, alert.fingerprint, "m.fingerprint"),
    ROW_WORD   (struct member, is.state, "m.state", group_row_state_words, GROUP_FIRING),
    ROW_WORD   (struct member, is.told, "m.told", group_row_told_words, GROUP_TOLD_FIRING),
    ROW_WORD   (struct member, muted_by, "m.muted_by", mute_words, MUTE_NONE),
    ROW_TEXT   (struct member, held, "m.held"),
    ROW_TEXT   (struct member, alert.rule, "a.rule"),
    ROW_TEXT   (struct member, alert.event, "a.event"),
    ROW_ENUM   (struct member, alert.risk, "a.risk", RISK_COUNT),
    ROW_INTEGER(struct member, alert.episode, "a.episode"),
    ROW_TEXT   (struct member, subscription_id, "a.subscription_id"),
    ROW_BYTES  (struct member, alert.finding_id.bytes, "a.finding_id", alert.has_finding),
    ROW_INTEGER(struct member, flaps, "a.flaps"),
    ROW_INTEGER(struct member, flapped_at, "a.flapped_at"),
    { 0 }
};
/* clang-format on */
static const struct rows_table member_rows = {
    "group_member m JOIN active_alert a ON a.fingerprint = m.fingerprint", 0, member_fields
};

/* What follows from the membership. */
static void judge_member(struct member *member)
{
    enum group_member_told told = member->is.told;
    member->resolved = member->is.state == GROUP_RESOLVED;
    member->over = member->is.state == GROUP_OVER;
    member->by_digest = told == GROUP_TOLD_FOLDED;
    member->news = member->resolved || told == GROUP_TOLD_NOTHING || told == GROUP_TOLD_BEFORE;
    member->alert.state = member->resolved ? ALERT_RESOLVED : ALERT_FIRING;
}

static bool read_members(struct flush *flush, struct error *error)
{
    struct database_statement *statement =
        rows_select(flush->context->database, &member_rows,
                    " WHERE m.receiver = $1 AND m.group_key = $2 ORDER BY m.state = 'resolved',"
                    " m.told IN ('firing', 'folded'), a.risk, a.active_at, m.fingerprint");
    database_bind(statement, flush->row.receiver, flush->row.key);
    for (bool found;;) {
        struct member member = { 0 };
        if (!rows_next(statement, &member_rows, &flush->arena, &member, &found, error))
            return false;
        if (!found)
            return true;
        if (flush->count == flush->capacity) {
            flush->capacity = flush->capacity ? flush->capacity * 2 : 4;
            struct member *more = arena_alloc(&flush->arena, flush->capacity * sizeof *more);
            memcpy(more, flush->count ? flush->members : more, flush->count * sizeof *more);
            flush->members = more;
        }
        judge_member(&member);
        flush->members[flush->count++] = member;
    }
}

/* --- muting ----------------------------------------------------------------------------------- */

/* alert: the member with its labels. */
static bool save_mute(struct flush *flush, struct member *member, const struct alert *alert,
                      struct error *error)
{
    const struct group_context *context = flush->context;
    if (member->muted == member->muted_by)
        return true;
    if (member->muted)
        context->suppressed[member->muted]++;
    else if (member->news)
        member->held = held_ended(context->mutes, member->muted_by, alert, &flush->arena);
    return group_row_mute(context->database, &flush->row, member->alert.fingerprint, member->muted,
                          member->held, error);
}

static void count_member(struct flush *flush, const struct member *member)
{
    bool firing_news = member->news && !member->resolved;
    *(member->resolved ? &flush->resolved : &flush->firing) += 1;
    flush->firing_news += firing_news;
    flush->resolved_news += member->resolved && !member->by_digest;
    flush->digest_news += member->resolved && member->by_digest;
    if (firing_news && member->alert.risk < flush->worst)
        flush->worst = member->alert.risk;
}

static bool mute_members(struct flush *flush, struct error *error)
{
    const struct mute_context *mutes = flush->context->mutes;
    bool labels = mute_asks_labels(mutes);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    flush->worst = RISK_NOT_EVALUATED;
    for (size_t i = 0; i < flush->count; i++) {
        struct member *member = &flush->members[i];
        struct alert alert = member->alert;
        bool found = true;
        arena_reset(&arena);
        if (labels && !active_find(flush->context->database, member->alert.fingerprint, &arena,
                                   &alert, &found, error))
            return false;
        alert.state = member->alert.state;
        member->muted = mute_check(mutes, flush->leaf, &alert, member->flaps, member->flapped_at);
        if (!save_mute(flush, member, &alert, error))
            return false;
        if (!member->muted)
            count_member(flush, member);
        flush->waiting += member->muted && member->news;
    }
    return true;
}

/* --- notifications ---------------------------------------------------------------------------- */

/* The members of one notification. */
struct chunk {
    const struct member **members;
    size_t count;
    int64_t firing, resolved;
};

static bool load_alerts(struct flush *flush, const struct chunk *chunk, struct alert *alerts,
                        size_t *count, struct error *error)
{
    *count = 0;
    for (size_t i = 0; i < chunk->count && *count < NOTIFICATION_GIVEN_MAX; i++) {
        bool found;
        struct alert *alert = &alerts[*count];
        if (!active_find(flush->context->database, chunk->members[i]->alert.fingerprint,
                         &flush->arena, alert, &found, error))
            return false;
        alert->state = chunk->members[i]->alert.state;
        if (found && chunk->members[i]->resolved && !alert->ends_at) { /* it fires elsewhere */
            alert->ends_at = flush->context->now;
            alert->reason = GROUP_MOVED;
        }
        *count += found;
    }
    return true;
}

/* What the message is kept for: its news; of a repetition everything. */
static size_t list_members(const struct chunk *chunk, bool repeat, struct outbox_member *out)
{
    size_t count = 0;
    for (size_t i = 0; i < chunk->count; i++) {
        const struct member *member = chunk->members[i];
        if (member->news || repeat)
            out[count++] = (struct outbox_member){
                .fingerprint = member->alert.fingerprint,
                .event = member->alert.event,
                .status = member->resolved ? NOTIFICATION_RESOLVED : NOTIFICATION_FIRING,
                .has_finding = member->alert.has_finding,
                .finding_id = member->alert.finding_id,
                .episode = member->alert.episode,
            };
    }
    return count;
}

/* Why its news comes now. */
static const char *held_of(const struct chunk *chunk, struct arena *arena)
{
    struct held held = { 0 };
    for (size_t i = 0; i < chunk->count; i++)
        if (chunk->members[i]->news)
            held_add(&held, chunk->members[i]->held);
    return held_text(&held, arena);
}

static const char *event_of(const struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++)
        if (chunk->members[i]->news)
            return chunk->members[i]->alert.event;
    return chunk->members[0]->alert.event;
}

/* key: NULL = the group's. */
static bool queue_notification(struct flush *flush, const struct chunk *chunk, const char *key,
                               bool repeat, struct error *error)
{
    const struct group_context *context = flush->context;
    size_t most = chunk->count < NOTIFICATION_GIVEN_MAX ? chunk->count : NOTIFICATION_GIVEN_MAX;
    struct alert *alerts = arena_alloc(&flush->arena, most * sizeof *alerts);
    struct outbox_member *members = arena_alloc(&flush->arena, chunk->count * sizeof *members);
    struct match_label labels[ALERT_LABELS_MAX];
    struct notification notification;
    size_t count;
    if (!load_alerts(flush, chunk, alerts, &count, error))
        return false;
    const struct rule *rule = rule_find(context->settings->rules, chunk->members[0]->alert.rule);
    const struct notification_subject subject = {
        .receiver = flush->row.receiver,
        .group_key = flush->row.key,
        .event = event_of(chunk),
        .group_labels = labels,
        .group_label_count = count ? route_group_labels(flush->leaf, alerts, labels) : 0,
        .alerts = alerts,
        .alert_count = count,
        .firing_count = chunk->firing,
        .resolved_count = chunk->resolved,
        .left_out_count = (int64_t)(chunk->count - count),
        .title = rule ? rule->title : NULL,
        .text = rule ? rule->text : NULL,
        .episode = (uint32_t)flush->row.episode,
        .dedup_key = key                     ? key
                     : *flush->row.dedup_key ? flush->row.dedup_key
                                             : NULL,
        .repeat = repeat,
        .held_back = held_of(chunk, &flush->arena),
    };
    return notification_build(context->notifications, &subject, &flush->arena, &notification,
                              error) &&
           (!flush->kind->refresh_s ||
            relabel_end(context->database, &notification, context->now, &flush->arena, error)) &&
           outbox_add(context->database, context->clock, &notification,
                      receivers_targets(flush->receiver), members,
                      list_members(chunk, repeat, members), settings_expires_s(flush->receiver),
                      context->now, error);
}

/* Everything that is not muted, in notifications as large as the receiver accepts. A receiver that
 * remembers single alerts gets news only. */
static bool queue_notifications(struct flush *flush, bool repeat, struct error *error)
{
    size_t most = flush->kind->alerts_max ? flush->kind->alerts_max : SIZE_MAX;
    struct chunk chunk = { .members =
                               arena_alloc(&flush->arena, flush->count * sizeof *chunk.members) };
    for (size_t i = 0; i < flush->count; i++) {
        const struct member *member = &flush->members[i];
        if (member->muted || (flush->kind->refresh_s && !member->news))
            continue;
        chunk.members[chunk.count++] = member;
        *(member->resolved ? &chunk.resolved : &chunk.firing) += 1;
        if (chunk.count < most)
            continue;
        if (!queue_notification(flush, &chunk, NULL, repeat, error))
            return false;
        chunk.count = 0;
        chunk.firing = chunk.resolved = 0;
    }
    return !chunk.count || queue_notification(flush, &chunk, NULL, repeat, error);
}

/* --- incidents -------------------------------------------------------------------------------- */

/* The key of the group's own incident. */
static bool group_incident(struct flush *flush, char out[46], struct error *error)
{
    struct match_label labels[ALERT_LABELS_MAX];
    struct alert *alert = arena_zalloc(&flush->arena, sizeof *alert);
    bool found = false;
    if (*flush->row.dedup_key) {
        snprintf(out, 46, "%s", flush->row.dedup_key);
        return true;
    }
    if (flush->count && !active_find(flush->context->database, flush->members[0].alert.fingerprint,
                                     &flush->arena, alert, &found, error))
        return false;
    size_t count = found ? route_group_labels(flush->leaf, alert, labels) : 0;
    const struct notification_context *notifications = flush->context->notifications;
    incident_group_key(notifications->snapshot, notifications->tenant_id, labels, count,
                       flush->row.key, (uint32_t)flush->row.episode, out);
    return true;
}

/* Which incident each alert is in, and which it belongs to. */
static bool find_incidents(struct flush *flush, bool repeat, struct error *error)
{
    struct database *database = flush->context->database;
    const struct snapshot *snapshot = flush->context->notifications->snapshot;
    const char *receiver = flush->row.receiver, *own = flush->context->notifications->tenant_id;
    char group_key[46] = "";
    if (flush->incidents == RECEIVER_GROUP_INCIDENTS && !group_incident(flush, group_key, error))
        return false;
    for (size_t i = 0; i < flush->count; i++) {
        struct member *member = &flush->members[i];
        if (member->muted || !(member->news || repeat))
            continue;
        if (member->resolved && member->by_digest &&
            !governor_unfold(database, receiver, member->alert.fingerprint, error))
            return false;
        if (!incident_open_key(database, receiver, member->alert.fingerprint, &flush->arena,
                               &member->open_key, error))
            return false;
        if (flush->incidents == RECEIVER_ALERT_INCIDENTS)
            incident_own_key(incident_tenant(snapshot, own, member->subscription_id),
                             &member->alert, member->open_key, member->key);
        else
            memcpy(member->key, group_key, sizeof member->key);
    }
    return true;
}

/* Whether an alert leaves the incident it is in: it ended there, or goes to another. */
static bool is_leaving(const struct flush *flush, const struct member *member, bool admits)
{
    if (member->muted || !member->news || member->left || !*member->open_key)
        return false;
    bool moves = strcmp(member->open_key, member->key) != 0;
    return member->resolved ? moves || flush->incidents == RECEIVER_ALERT_INCIDENTS
                            : moves && admits;
}

/* An incident ends with the last of its alerts. */
static bool end_incidents(struct flush *flush, bool admits, struct error *error)
{
    for (size_t first = 0; first < flush->count; first++) {
        const char *key = flush->members[first].open_key;
        struct chunk chunk = { 0 };
        int64_t alerts;
        if (!is_leaving(flush, &flush->members[first], admits))
            continue;
        chunk.members = arena_alloc(&flush->arena, flush->count * sizeof *chunk.members);
        for (size_t i = first; i < flush->count; i++) {
            struct member *member = &flush->members[i];
            if (!is_leaving(flush, member, admits) || strcmp(member->open_key, key) != 0)
                continue;
            struct member *ended = arena_alloc(&flush->arena, sizeof *ended);
            member->left = true;
            *ended = *member;
            ended->resolved = true;
            ended->alert.state = ALERT_RESOLVED;
            chunk.members[chunk.count++] = ended;
        }
        chunk.resolved = (int64_t)chunk.count;
        if (!incident_alerts(flush->context->database, flush->row.receiver, key, &alerts, error))
            return false;
        if (alerts <= chunk.resolved && !queue_notification(flush, &chunk, key, false, error))
            return false;
    }
    return true;
}

/* One notification for each alert, under its own key; a repetition only as far as it fits. */
static bool queue_each(struct flush *flush, bool repeat, struct error *error)
{
    for (size_t i = 0; i < flush->count; i++) {
        const struct member *member = &flush->members[i];
        const struct chunk chunk = { &member, 1, 1, 0 };
        bool admits = member->news;
        if (member->muted || member->resolved ||
            !(member->news || (repeat && member->is.told == GROUP_TOLD_FIRING)))
            continue;
        if (!member->news && !governor_admits(flush->context, flush->receiver, member->alert.risk,
                                              1, &admits, error))
            return false;
        if (admits && !queue_notification(flush, &chunk, member->key, repeat, error))
            return false;
    }
    return true;
}

/* --- notifying -------------------------------------------------------------------------------- */

/* Ends of incidents are no part of a digest; news of an open one waits until it fits. */
static bool fold_news(struct flush *flush, struct error *error)
{
    const struct group_context *context = flush->context;
    for (size_t i = 0; i < flush->count; i++) {
        struct member *member = &flush->members[i];
        if (member->muted || !member->news || (flush->incidents && member->resolved))
            continue;
        if (flush->incidents && *member->open_key) {
            flush->waits = true;
            continue;
        }
        context->suppressed[MUTE_GOVERNOR]++;
        member->folded = true;
        if (!governor_fold(context->database, flush->row.receiver, &member->alert,
                           member->alert.state, member->held, context->now, error))
            return false;
    }
    return true;
}

static bool run_on_group(const struct flush *flush, const char *sql, struct error *error)
{
    struct database_statement *statement = database_prepare(flush->context->database, sql);
    database_bind(statement, flush->row.receiver, flush->row.key);
    return database_run(statement, error);
}

/* Write what the receiver knows now; alerts that are over leave. */
static bool settle(struct flush *flush, bool folded, struct error *error)
{
    const struct group_membership in_digest = { GROUP_FIRING, GROUP_TOLD_FOLDED };
    if (!run_on_group(flush,
                      "DELETE FROM group_member WHERE receiver = $1 AND group_key = $2 AND"
                      " muted_by = '' AND state IN ('resolved', 'over')",
                      error))
        return false;
    if (!folded && !run_on_group(flush,
                                 "UPDATE group_member SET told = 'firing', held = '' WHERE"
                                 " receiver = $1 AND group_key = $2 AND muted_by = '' AND"
                                 " (told <> 'firing' OR held <> '')",
                                 error))
        return false;
    for (size_t i = 0; folded && i < flush->count; i++) {
        const struct member *member = &flush->members[i];
        if (!member->folded || member->resolved || member->over)
            continue;
        if (!group_row_put_member(flush->context->database, flush->row.receiver, flush->row.key,
                                  member->alert.fingerprint, &in_digest, error) ||
            (*member->held && !group_row_mute(flush->context->database, &flush->row,
                                              member->alert.fingerprint, MUTE_NONE, "", error)))
            return false;
    }
    flush->row.told_at = flush->context->now;
    return true;
}

/* Queue everything, or fold the news when it does not fit; a repetition that does not fit waits. */
static bool notify(struct flush *flush, bool repeat, struct error *error)
{
    bool admits = true, each = flush->incidents == RECEIVER_ALERT_INCIDENTS;
    if (flush->incidents && !find_incidents(flush, repeat, error))
        return false;
    if ((flush->firing_news || (repeat && !each)) &&
        !governor_admits(flush->context, flush->receiver, flush->worst,
                         each ? flush->firing_news : 1, &admits, error))
        return false;
    if (flush->incidents && flush->receiver->send_resolved && !end_incidents(flush, admits, error))
        return false;
    if (!flush->firing_news && !flush->resolved_news && !repeat)
        admits = false; /* their firing was in a digest, and so is their end */
    if (!admits && repeat)
        return true;
    bool ok = !admits ? fold_news(flush, error)
              : each  ? queue_each(flush, repeat, error)
                      : queue_notifications(flush, repeat, error);
    return ok && settle(flush, !admits, error);
}

static int64_t remaining(const struct flush *flush, bool notified)
{
    int64_t count = 0;
    for (size_t i = 0; i < flush->count; i++) {
        const struct member *member = &flush->members[i];
        count += member->muted || !notified || (!member->resolved && !member->over);
    }
    return count;
}

/* When the group is due again, unless something changes before. */
static int64_t next_due(const struct flush *flush, bool waits, bool notified)
{
    const struct route_leaf *leaf = flush->leaf;
    int64_t now = flush->context->now, since = flush->row.told_at;
    if (flush->waits)
        return now + leaf->group_interval_s + 1;
    if (waits)
        return since ? since + leaf->group_interval_s : flush->row.created_at + leaf->group_wait_s;
    if (!since || !flush->firing || !leaf->repeat_interval_s || flush->kind->refresh_s)
        return 0;
    int64_t due = since + leaf->repeat_interval_s;
    return due > now || notified ? due : now + leaf->group_interval_s + 1;
}

static bool decide(struct flush *flush, struct error *error)
{
    const struct route_leaf *leaf = flush->leaf;
    struct group_row *row = &flush->row, before = *row;
    int64_t now = flush->context->now;
    if (!read_members(flush, error) || !mute_members(flush, error))
        return false;
    bool news = flush->firing_news || flush->resolved_news || flush->digest_news;
    bool ready = row->told_at ? now - row->told_at >= leaf->group_interval_s
                              : now - row->created_at >= leaf->group_wait_s;
    bool repeat = !news && flush->firing && row->told_at && leaf->repeat_interval_s &&
                  !flush->kind->refresh_s && now - row->told_at >= leaf->repeat_interval_s;
    bool due = (news && ready) || repeat;
    if (due && !notify(flush, repeat, error))
        return false;
    bool notified = due && row->told_at == now;
    row->due_at = next_due(flush, news && !ready, notified);
    if (!remaining(flush, notified)) {
        row->closed_at = now;
        row->due_at = 0;
    }
    bool same = row->due_at == before.due_at && row->told_at == before.told_at &&
                row->closed_at == before.closed_at;
    return same || group_row_save(flush->context->database, row, error);
}

static bool flush_one(const struct group_context *context, const char *receiver, const char *key,
                      struct error *error)
{
    CLEANUP(finish_flush) struct flush flush = { .context = context };
    const void *unused;
    bool found;
    if (!group_row_load(context->database, receiver, key, context->now, &flush.arena, &flush.row,
                        &found, error))
        return false;
    flush.receiver = settings_receiver(context->settings, receiver);
    flush.leaf = found ? group_row_leaf(context, &flush.row) : NULL;
    if (!flush.receiver || !flush.leaf) {
        struct error reason;
        error_set(&reason, ERROR_PARSE, "no route \"%.64s\" leads to this receiver",
                  flush.row.route);
        unreadable_note(database_unreadable(context->database), UNREADABLE_GROUP, key, &reason);
        flush.row.due_at = 0; /* until something happens in it, which names a route */
        return !found || group_row_save(context->database, &flush.row, error);
    }
    flush.kind = receivers_kind(flush.receiver, &unused);
    flush.incidents = receivers_incidents(flush.receiver);
    return decide(&flush, error) || error_wrap(error, "group %s of %s", key, receiver);
}

bool group_flush(const struct group_context *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct group_due *due;
    if (!context->settings->route)
        return true;
    if (!group_due(context->database, context->now, &arena, &due, error))
        return false;
    for (; due; due = due->next)
        if (!flush_one(context, due->receiver, due->key, error))
            return false;
    return true;
}
