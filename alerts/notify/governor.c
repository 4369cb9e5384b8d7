/* Budgets, and the digest of everything that did not fit. */
#include "alerts/notify/governor.h"
#include "alerts/notify/notification_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/governor_table.h"
#include "alerts/notify/group.h"
#include "alerts/notify/held.h"
#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"

/* clang-format off */
#define CONFIG struct governor_config
const struct option governor_options[] = {
    { "messages", OPTION_INTEGER(CONFIG, messages), .otherwise = "20", .min = 0, .max = 1e6,
      .help = "Firing messages a receiver gets in the window, twice as many about critical "
              "findings; 0 = no limit. The rest is sent as one digest." },
    { "window", OPTION_DURATION(CONFIG, window_ms), .otherwise = "10m", .min = 1000, .max = 86400e3,
      .help = "The window." },
    { "digest", OPTION_DURATION(CONFIG, digest_ms), .otherwise = "1m", .min = 0, .max = 86400e3,
      .help = "Wait so long for more before a digest is sent." },
    { 0 }
};
/* clang-format on */

/* --- budgets ---------------------------------------------------------------------------------- */

static bool read_budget(const struct group_context *context, const char *receiver,
                        struct governor_budget *budget, struct error *error)
{
    const struct settings_config *config = context->settings->config;
    int64_t bytes;
    if (!outbox_bytes(context->database, &bytes, error))
        return false;
    struct database_statement *statement = database_prepare(
        context->database,
        "SELECT COUNT(*) FROM outbox_message WHERE receiver = $1 AND created_at > $2 AND"
        " target = 0 AND status = 'firing' AND event NOT IN ('digest', 'test', 'heartbeat')");
    database_bind(statement, receiver, context->now - config->governor.window_ms / 1000);
    if (!database_get_integer(statement, &budget->messages, error))
        return false;
    budget->full = config->outbox_max_bytes && bytes > config->outbox_max_bytes;
    budget->known = true;
    return true;
}

bool governor_admits(const struct group_context *context, const struct receivers_config *receiver,
                     enum risk_level worst, int64_t messages, bool *admits, struct error *error)
{
    struct governor_budget *budget = &context->budgets[receiver - context->settings->receivers];
    int64_t limit = context->settings->config->governor.messages;
    if (!budget->known && !read_budget(context, receiver->name, budget, error))
        return false;
    if (worst == RISK_CRITICAL)
        limit *= 2;
    *admits = !budget->full && (!limit || budget->messages + messages <= limit);
    budget->messages += *admits ? messages : 0;
    return true;
}

/* --- folding ---------------------------------------------------------------------------------- */

/* What is folded of an alert. */
struct fold {
    const char *receiver, *rule;
    struct outbox_member member; /* all but its status */
    enum alert_state state;
    enum risk_level risk;
    int64_t at;
    const char *held; /* what held it back; "" */
};
static const struct row_field fold_fields[] = {
    ROW_TEXT(struct fold, receiver, "receiver"),
    ROW_TEXT(struct fold, member.fingerprint, "fingerprint"),
    ROW_WORD(struct fold, state, "state", alert_state_words, ALERT_RESOLVED),
    ROW_TEXT(struct fold, member.event, "event"),
    ROW_INTEGER(struct fold, member.episode, "episode"),
    ROW_TEXT(struct fold, rule, "rule"),
    ROW_ENUM(struct fold, risk, "risk", RISK_COUNT),
    ROW_BYTES(struct fold, member.finding_id.bytes, "finding_id", member.has_finding),
    ROW_INTEGER(struct fold, at, "at"),
    ROW_TEXT(struct fold, held, "held"),
    { 0 },
};
static const struct rows_table fold_rows = { "governor_fold", 5, fold_fields };

bool governor_fold(struct database *database, const char *receiver, const struct alert *alert,
                   enum alert_state state, const char *held, int64_t now, struct error *error)
{
    const struct fold fold = {
        .receiver = receiver,
        .rule = alert->rule,
        .member = {
            .fingerprint = alert->fingerprint,
            .event = alert->event,
            .has_finding = alert->has_finding,
            .finding_id = alert->finding_id,
            .episode = alert->episode,
        },
        .state = state,
        .risk = alert->risk,
        .at = now,
        .held = held,
    };
    return rows_insert_new(database, &fold_rows, &fold, error);
}

bool governor_unfold(struct database *database, const char *receiver, const char *fingerprint,
                     struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "DELETE FROM governor_fold WHERE receiver = $1 AND fingerprint = $2");
    database_bind(statement, receiver, fingerprint);
    return database_run(statement, error);
}

/* --- digests ---------------------------------------------------------------------------------- */

/* The contents of one digest; in the arena. */
struct digest {
    const char *receiver;
    struct outbox_member *members;
    size_t member_count;
    struct notification_count *counts;
    size_t count_count;
    const struct notification_count *table;
    size_t table_count;
    struct held held;
    int64_t began_at;     /* the first of them was folded */
    struct alert *alerts; /* the worst by name */
    size_t alert_count;
    int64_t firing, resolved;
    struct arena arena;
};

static void finish_digest(struct digest *digest)
{
    arena_finish(&digest->arena);
}

/* So many folds of one rule, risk and state. */
struct fold_count {
    const char *rule;
    enum risk_level risk;
    enum alert_state state;
    int64_t count;
};
static const struct row_field count_fields[] = {
    ROW_TEXT(struct fold_count, rule, "rule"),
    ROW_ENUM(struct fold_count, risk, "risk", RISK_COUNT),
    ROW_WORD(struct fold_count, state, "state", alert_state_words, ALERT_RESOLVED),
    ROW_INTEGER(struct fold_count, count, "COUNT(*)"),
    { 0 },
};
static const struct rows_table count_rows = { "governor_fold", 0, count_fields };

static bool read_counts(const struct group_context *context, struct digest *digest,
                        struct error *error)
{
    size_t capacity = 0;
    struct database_statement *statement =
        rows_select(context->database, &count_rows,
                    " WHERE receiver = $1 GROUP BY rule, risk, state ORDER BY state, risk, rule");
    database_bind(statement, digest->receiver);
    for (bool found;;) {
        struct fold_count fold;
        if (!rows_next(statement, &count_rows, &digest->arena, &fold, &found, error))
            return false;
        if (!found)
            return true;
        if (digest->count_count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            struct notification_count *more = arena_alloc(&digest->arena, capacity * sizeof *more);
            memcpy(more, capacity > 16 ? digest->counts : more, digest->count_count * sizeof *more);
            digest->counts = more;
        }
        digest->counts[digest->count_count++] = (struct notification_count){
            .rule = fold.rule,
            .risk_level = finding_risk_words[fold.risk],
            .status = alert_state_words[fold.state],
            .count = fold.count,
        };
        *(fold.state == ALERT_FIRING ? &digest->firing : &digest->resolved) += fold.count;
    }
}

static bool read_began(const struct group_context *context, struct digest *digest,
                       struct error *error)
{
    struct database_statement *statement = database_prepare(
        context->database, "SELECT MIN(at) FROM governor_fold WHERE receiver = $1");
    database_bind(statement, digest->receiver);
    return database_get_integer(statement, &digest->began_at, error);
}

static bool read_members(const struct group_context *context, struct digest *digest,
                         struct error *error)
{
    digest->members = arena_alloc(&digest->arena, (size_t)(digest->firing + digest->resolved) *
                                                      sizeof *digest->members);
    struct database_statement *statement =
        rows_select(context->database, &fold_rows, " WHERE receiver = $1 ORDER BY state, risk, at");
    database_bind(statement, digest->receiver);
    for (bool found;;) {
        struct fold fold = { 0 };
        if (!rows_next(statement, &fold_rows, &digest->arena, &fold, &found, error))
            return false;
        if (!found)
            return true;
        fold.member.status =
            fold.state == ALERT_FIRING ? NOTIFICATION_FIRING : NOTIFICATION_RESOLVED;
        digest->members[digest->member_count++] = fold.member;
        held_add(&digest->held, fold.held);
    }
}

/* The first members by name. */
static bool read_alerts(const struct group_context *context, struct digest *digest,
                        struct error *error)
{
    digest->alerts = arena_alloc(&digest->arena, NOTIFICATION_ALERTS_MAX * sizeof *digest->alerts);
    for (size_t i = 0; i < digest->member_count && digest->alert_count < NOTIFICATION_ALERTS_MAX;
         i++) {
        bool found;
        struct alert *alert = &digest->alerts[digest->alert_count];
        if (!active_find(context->database, digest->members[i].fingerprint, &digest->arena, alert,
                         &found, error))
            return false;
        if (!found)
            continue;
        alert->state =
            digest->members[i].status == NOTIFICATION_FIRING ? ALERT_FIRING : ALERT_RESOLVED;
        digest->alert_count++;
    }
    return true;
}

static bool queue_digest(const struct group_context *context, struct digest *digest,
                         const struct receivers_config *receiver, struct error *error)
{
    char key[160];
    struct notification notification;
    snprintf(key, sizeof key, "digest:%.128s", digest->receiver);
    int64_t named = (int64_t)digest->alert_count;
    const struct notification_subject subject = {
        .receiver = digest->receiver,
        .group_key = key,
        .event = "digest",
        .alerts = digest->alerts,
        .alert_count = digest->alert_count,
        .firing_count = digest->firing,
        .resolved_count = digest->resolved,
        .left_out_count = digest->firing + digest->resolved - named,
        .counts = digest->counts,
        .count_count = digest->count_count,
        .table = digest->table,
        .table_count = digest->table_count,
        .span_s = context->now > digest->began_at ? context->now - digest->began_at : 0,
        .episode = (uint32_t)context->now,
        .held_back = held_text(&digest->held, &digest->arena),
    };
    if (!notification_build(context->notifications, &subject, &digest->arena, &notification, error))
        return false;
    return outbox_add(context->database, context->clock, &notification, receivers_targets(receiver),
                      digest->members, digest->member_count, settings_expires_s(receiver),
                      context->now, error);
}

static bool flush_receiver(const struct group_context *context, const char *name,
                           struct error *error)
{
    CLEANUP(finish_digest) struct digest digest = { .receiver = name };
    const struct receivers_config *receiver = settings_receiver(context->settings, name);
    if (receiver &&
        (!read_counts(context, &digest, error) || !read_began(context, &digest, error) ||
         !governor_table(context, name, &digest.arena, &digest.table, &digest.table_count, error) ||
         !read_members(context, &digest, error) || !read_alerts(context, &digest, error) ||
         !queue_digest(context, &digest, receiver, error)))
        return error_wrap(error, "digest for %s", name);
    struct database_statement *statement =
        database_prepare(context->database, "DELETE FROM governor_fold WHERE receiver = $1");
    database_bind(statement, name);
    return database_run(statement, error);
}

bool governor_flush(const struct group_context *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys due;
    struct database_statement *statement =
        database_prepare(context->database,
                         "SELECT receiver FROM governor_fold GROUP BY receiver HAVING MIN(at) <= $1"
                         " OR MIN(at) > $2"); /* the clock stepped back */
    database_bind(statement, context->now - context->settings->config->governor.digest_ms / 1000,
                  context->now);
    if (!rows_read_keys(statement, &arena, &due, error))
        return false;
    for (size_t i = 0; i < due.count; i++)
        if (!flush_receiver(context, due.keys[i], error))
            return false;
    return true;
}

bool governor_next_at(struct database *database, const struct governor_config *config, int64_t *at,
                      struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT MIN(at) FROM governor_fold");
    int64_t first;
    if (!database_get_integer(statement, &first, error))
        return false;
    *at = first ? first + config->digest_ms / 1000 : 0;
    return true;
}
