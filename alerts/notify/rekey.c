/* Fingerprints of version 1 become those of identities. */
#include "alerts/notify/rekey.h"

#include <string.h>

#include "alerts/notify/group_row.h"
#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"

#define DONE_KEY "alert_identity"
#define DONE "rule and subject"

struct rekey {
    struct database *database;
    const struct settings *settings;
    int64_t now;
    struct arena arena;
};

static void finish_rekey(struct rekey *rekey)
{
    arena_finish(&rekey->arena);
}

static bool is_of_rule(const struct rule *rule, const char *label)
{
    for (size_t i = 0; i < rule->label_count; i++)
        if (!strcmp(rule->labels[i].name, label))
            return true;
    return false;
}

/* The labels of a metric's alert that are of its sample: the rule's own are no part of it. */
static void identify_sample(const struct rule *rule, struct alert *alert)
{
    const char *names[ALERT_LABELS_MAX + 1] = { 0 };
    size_t count = 0;
    for (size_t i = 0; rule->family->labels[i] && count < ALERT_LABELS_MAX; i++)
        if (rule->by & 1U << i && !is_of_rule(rule, rule->family->labels[i]))
            names[count++] = rule->family->labels[i];
    alert_identify(alert, names);
}

/* False when nobody knows what identified it: its rule is gone. */
static bool identify(const struct rekey *rekey, struct alert *alert)
{
    const struct rule *rule = rule_find(rekey->settings->rules, alert->rule);
    if (strcmp(alert->event, "rule.firing") != 0 && strcmp(alert->event, "rule.resolved") != 0)
        alert_identify(alert, alert->has_finding ? alert_finding_identity : alert_event_identity);
    else if (rule && rule->family)
        identify_sample(rule, alert);
    else
        return false;
    return true;
}

static bool give_fingerprint(struct database *database, const char *before, const char *after,
                             struct error *error)
{
    static const char *const texts[] = {
        "UPDATE active_alert SET fingerprint = REPLACE(fingerprint, $1, $2), alert = REPLACE(alert,"
        " '\"fingerprint\":\"' || $1 || '\"', '\"fingerprint\":\"' || $2 || '\"')"
        " WHERE fingerprint = $1",
        "UPDATE group_member SET fingerprint = REPLACE(fingerprint, $1, $2) WHERE fingerprint = $1",
        "UPDATE governor_fold SET fingerprint = REPLACE(fingerprint, $1, $2)"
        " WHERE fingerprint = $1",
        "UPDATE outbox_message SET page = REPLACE(page,"
        " '\"fingerprint\":\"' || $1 || '\"', '\"fingerprint\":\"' || $2 || '\"')"
        " WHERE id IN (SELECT message_id FROM outbox_member WHERE fingerprint = $1)",
        "UPDATE outbox_member SET fingerprint = REPLACE(fingerprint, $1, $2)"
        " WHERE fingerprint = $1",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct database_statement *statement = database_prepare(database, texts[i]);
        database_bind(statement, before, after);
        if (!database_run(statement, error))
            return false;
    }
    return true;
}

/* Another one is this alert now. What was told of this one stays told. */
static bool give_up(struct database *database, const char *fingerprint, struct error *error)
{
    static const char *const texts[] = {
        "DELETE FROM active_alert WHERE fingerprint = $1",
        "DELETE FROM group_member WHERE fingerprint = $1",
        "DELETE FROM governor_fold WHERE fingerprint = $1",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct database_statement *statement = database_prepare(database, texts[i]);
        database_bind(statement, fingerprint);
        if (!database_run(statement, error))
            return false;
    }
    return true;
}

/* Its incident keeps the key under which it was told. */
static bool rename_group(const struct rekey *rekey, const struct group_row *row, const char *rule,
                         const char *after, struct error *error)
{
    char key[46] = "";
    struct database_statement *members = database_prepare(
        rekey->database, "UPDATE group_member SET group_key = REPLACE(group_key, $1, $2) WHERE"
                         " group_key = $1 AND receiver = $3");
    struct database_statement *state = database_prepare(
        rekey->database, "UPDATE group_state SET group_key = REPLACE(group_key, $1, $2),"
                         " dedup_key = $3 WHERE group_key = $1 AND receiver = $4");
    if (row->told_at && !*row->dedup_key)
        alert_dedup_key(rekey->settings->tenant_id, rule, row->key, (uint32_t)row->episode, key);
    database_bind(members, row->key, after, row->receiver);
    database_bind(state, row->key, after, *row->dedup_key ? row->dedup_key : key, row->receiver);
    return database_run(members, error) && database_run(state, error);
}

/* Groups of this alert alone are named after it. */
static bool rename_groups(struct rekey *rekey, const struct alert *alert, struct error *error)
{
    struct group_places places;
    if (!group_row_places(rekey->database, alert->fingerprint, &rekey->arena, &places, error))
        return false;
    for (size_t i = 0; i < places.count; i++) {
        const struct group_place *place = &places.places[i];
        CLEANUP(buf_finish) struct buf key = { 0 };
        struct group_row row, taken;
        bool found, is_taken;
        if (!group_row_load(rekey->database, place->receiver, place->key, rekey->now, &rekey->arena,
                            &row, &found, error))
            return false;
        const struct route_leaf *leaf = route_leaf_find(rekey->settings->route, row.route);
        if (!leaf || !leaf->by_all)
            continue;
        route_group_key(leaf, alert, &key);
        if (!group_row_load(rekey->database, place->receiver, buf_cstr(&key), rekey->now,
                            &rekey->arena, &taken, &is_taken, error))
            return false;
        if (!is_taken && !rename_group(rekey, &row, alert_label_value(alert, "alertname"),
                                       buf_cstr(&key), error))
            return false;
    }
    return true;
}

static bool rekey_one(struct rekey *rekey, const char *fingerprint, struct error *error)
{
    struct active_row row, other;
    bool found, taken;
    arena_reset(&rekey->arena);
    if (!active_row_load(rekey->database, fingerprint, &rekey->arena, &row, &found, error))
        return false;
    if (!found || !identify(rekey, &row.alert))
        return true;
    const char *now = row.alert.fingerprint;
    bool same = !strcmp(now, fingerprint);
    if (!active_row_load(rekey->database, now, &rekey->arena, &other, &taken, error))
        return false;
    if (taken && !same)
        return give_up(rekey->database, fingerprint, error);
    return (same || give_fingerprint(rekey->database, fingerprint, now, error)) &&
           (!rekey->settings->route || rename_groups(rekey, &row.alert, error));
}

bool rekey_once(struct database *database, const struct settings *settings, int64_t now,
                struct error *error)
{
    CLEANUP(finish_rekey) struct rekey rekey = { database, settings, now, { 0 } };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    char done[sizeof DONE];
    struct rows_keys keys;
    if (!schema_get(database, DONE_KEY, done, sizeof done, error))
        return false;
    if (!strcmp(done, DONE))
        return true;
    struct database_statement *statement = database_prepare(
        database, "SELECT fingerprint FROM active_alert ORDER BY CASE state WHEN 'firing' THEN 0"
                  " WHEN 'pending' THEN 1 ELSE 2 END, active_at DESC, fingerprint");
    if (!rows_read_keys(statement, &arena, &keys, error))
        return false;
    for (size_t i = 0; i < keys.count; i++)
        if (!rekey_one(&rekey, keys.keys[i], error))
            return error_wrap(error, "alert %s", keys.keys[i]);
    return schema_put(database, DONE_KEY, DONE, error);
}
