/* Version 1 of the tables, and small facts. Enums are stored as their words, except where a row
 * is one of hundreds of thousands (risk, severity, reason: numbers of finding.h). */
#include "alerts/store/schema.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
static const char version_1[] =
    "CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT NOT NULL);"

    "CREATE TABLE ledger_assessment ("
    " source TEXT NOT NULL, id TEXT NOT NULL, title TEXT NOT NULL, category TEXT NOT NULL,"
    " first_seen_at BIGINT NOT NULL,"
    " PRIMARY KEY (source, id));"

    "CREATE TABLE ledger_finding ("
    " id BYTEA PRIMARY KEY, source TEXT NOT NULL, assessment_id TEXT NOT NULL,"
    " subscription_id TEXT NOT NULL, resource_id TEXT NOT NULL, resource_type TEXT NOT NULL,"
    " resource_group TEXT NOT NULL, resource_name TEXT NOT NULL, risk_factors TEXT NOT NULL,"
    " risk BIGINT NOT NULL, severity BIGINT NOT NULL, contextual BIGINT NOT NULL,"
    " internet_exposed BIGINT NOT NULL, attack_paths BIGINT NOT NULL,"
    " is_open BIGINT NOT NULL, reason BIGINT NOT NULL," /* why closed; -1 while open */
    " absent_at BIGINT NOT NULL," /* collection that was the first without it; 0 = not so */
    " episode BIGINT NOT NULL," /* 1 = opened once, 2 = reopened once ... */
    " quiet BIGINT NOT NULL,"   /* adopted on the first run or by a ruler.changed digest */
    " first_seen_at BIGINT NOT NULL, opened_at BIGINT NOT NULL, changed_at BIGINT NOT NULL,"
    " resolved_at BIGINT NOT NULL, overdue_at BIGINT NOT NULL);" /* 0 = no overdue event yet */
    "CREATE INDEX ledger_finding_open ON ledger_finding (is_open, subscription_id);"

    "CREATE TABLE ledger_event ("
    " sequence BIGINT PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, finding_id BYTEA,"
    " episode BIGINT NOT NULL, risk BIGINT NOT NULL, risk_before BIGINT NOT NULL,"
    " reason BIGINT NOT NULL, quiet BIGINT NOT NULL,"
    " detail TEXT NOT NULL);" /* JSON of events that are about no single finding */
    "CREATE INDEX ledger_event_at ON ledger_event (at);"
    "CREATE INDEX ledger_event_finding ON ledger_event (finding_id);"

    "CREATE TABLE ledger_counter ("
    " family TEXT NOT NULL, labels TEXT NOT NULL, bucket BIGINT NOT NULL," /* -1 sum, -2 value */
    " value DOUBLE PRECISION NOT NULL, PRIMARY KEY (family, labels, bucket));"

    "CREATE TABLE watch_value ("
    " kind TEXT NOT NULL, key TEXT NOT NULL, value DOUBLE PRECISION NOT NULL,"
    " state TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (kind, key));"

    "CREATE TABLE active_alert ("
    " fingerprint TEXT PRIMARY KEY, rule TEXT NOT NULL, state TEXT NOT NULL, finding_id BYTEA,"
    " episode BIGINT NOT NULL, event TEXT NOT NULL, risk BIGINT NOT NULL,"
    " subscription_id TEXT NOT NULL, alert TEXT NOT NULL," /* canonical JSON, alert.h */
    " value DOUBLE PRECISION NOT NULL,"
    " active_at BIGINT NOT NULL, fired_at BIGINT NOT NULL, cleared_at BIGINT NOT NULL,"
    " resolved_at BIGINT NOT NULL, flaps BIGINT NOT NULL, flapped_at BIGINT NOT NULL,"
    " held_at BIGINT NOT NULL,"  /* its clocks stand still since then; 0 = they run */
    " due_at BIGINT NOT NULL);"  /* when time alone can change it; 0 = never */
    "CREATE INDEX active_alert_due ON active_alert (due_at);"
    "CREATE INDEX active_alert_finding ON active_alert (finding_id);"
    "CREATE INDEX active_alert_rule ON active_alert (rule, state);"

    "CREATE TABLE group_state ("
    " receiver TEXT NOT NULL, group_key TEXT NOT NULL, route TEXT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " due_at BIGINT NOT NULL,"     /* when to flush it; 0 = when something changes */
    " told_at BIGINT NOT NULL,"    /* last message; 0 = none yet */
    " closed_at BIGINT NOT NULL,"  /* it has no alerts since; 0 = it has */
    " episode BIGINT NOT NULL,"    /* how often it has opened */
    " PRIMARY KEY (receiver, group_key));"
    "CREATE INDEX group_state_due ON group_state (due_at);"

    "CREATE TABLE group_member ("
    " receiver TEXT NOT NULL, group_key TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    " state TEXT NOT NULL,"        /* of the alert: firing, resolved; over = firing, run out */
    " told TEXT NOT NULL,"         /* '' nothing; firing; before = firing, but there is news;
                                      folded = firing, in a digest */
    " muted_by TEXT NOT NULL,"     /* '' or the reason, so that each is counted once */
    " PRIMARY KEY (receiver, group_key, fingerprint));"
    "CREATE INDEX group_member_alert ON group_member (fingerprint);"

    "CREATE TABLE silence ("
    " id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_at BIGINT NOT NULL,"
    " ends_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, created_by TEXT NOT NULL,"
    " comment TEXT NOT NULL);"

    "CREATE TABLE governor_fold ("
    " receiver TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,"
    " event TEXT NOT NULL, episode BIGINT NOT NULL, rule TEXT NOT NULL, risk BIGINT NOT NULL,"
    " finding_id BYTEA, at BIGINT NOT NULL,"
    " PRIMARY KEY (receiver, fingerprint, state, event, episode));"
    "CREATE INDEX governor_fold_alert ON governor_fold (fingerprint);"

    "CREATE TABLE outbox_message ("
    " id TEXT PRIMARY KEY, receiver TEXT NOT NULL, target BIGINT NOT NULL,"
    " event TEXT NOT NULL, status TEXT NOT NULL, dedup_key TEXT NOT NULL,"
    " page_hash TEXT NOT NULL, page_bytes BIGINT NOT NULL,"
    " state TEXT NOT NULL," /* queued sent dead */
    " event_at BIGINT NOT NULL, created_at BIGINT NOT NULL, due_at BIGINT NOT NULL,"
    " expires_at BIGINT NOT NULL, sent_at BIGINT NOT NULL, attempts BIGINT NOT NULL,"
    " last_status BIGINT NOT NULL, last_reason TEXT NOT NULL, last_error TEXT NOT NULL,"
    " page TEXT NOT NULL);" /* last: reading the others never touches it */
    "CREATE INDEX outbox_message_lane ON outbox_message (receiver, target, state, id);"
    "CREATE INDEX outbox_message_created ON outbox_message (receiver, created_at);"
    "CREATE INDEX outbox_message_key ON outbox_message (receiver, target, dedup_key);"
    "CREATE INDEX outbox_message_open ON outbox_message (receiver, state)"
    " WHERE state <> 'sent';"

    "CREATE TABLE outbox_member ("
    " message_id TEXT NOT NULL, fingerprint TEXT NOT NULL, finding_id BYTEA,"
    " episode BIGINT NOT NULL, event TEXT NOT NULL,"
    " status TEXT NOT NULL," /* of this alert: firing, resolved */
    " PRIMARY KEY (message_id, fingerprint, event));"
    "CREATE INDEX outbox_member_alert ON outbox_member (fingerprint);";
/* clang-format on */

const struct database_migration schema_migrations[] = {
    { 1, version_1 },
    { 0, NULL },
};

bool schema_get(struct database *database, const char *key, char *out, size_t out_bytes,
                struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct database_statement *statement =
        database_prepare(database, "SELECT value FROM store WHERE key = $1");
    const char *value = NULL;
    database_bind(statement, key);
    if (!database_get_text(statement, &arena, &value, error))
        return error_wrap(error, "reading %s", key);
    snprintf(out, out_bytes, "%s", value ? value : "");
    return true;
}

bool schema_put(struct database *database, const char *key, const char *value, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "INSERT INTO store (key, value) VALUES ($1, $2) ON CONFLICT"
                                   " (key) DO UPDATE SET value = excluded.value"
                                   " WHERE store.value <> excluded.value");
    database_bind(statement, key, value);
    if (!database_run(statement, error))
        return error_wrap(error, "keeping %s", key);
    return true;
}
