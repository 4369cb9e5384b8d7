/* The tables, version by version, and small facts. Enums are stored as their words, except where a
 * row is one of hundreds of thousands (risk, severity, reason, cloud: numbers of finding.h). */
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

/* What repeats in a hundred thousand rows is kept once, in shared_text, and the rows have its
 * number (ROW_SHARED of rows.h writes them; the view ledger_known reads them as texts). */
#define SHARED(column) "(SELECT number FROM shared_text WHERE text = " column ")"
#define TEXT_OF(column) "(SELECT text FROM shared_text WHERE number = " column ")"
/* Up to the last slash, and what is behind it. */
#define HEAD(column) "RTRIM(" column ", REPLACE(" column ", '/', ''))"
#define TAIL(column) "SUBSTR(" column ", LENGTH(" HEAD(column) ") + 1)"
/* Of version 1. */
#define ALERT_COLUMNS                                                                              \
    "fingerprint, rule, state, finding_id, episode, event, risk, subscription_id, alert, value,"   \
    " active_at, fired_at, cleared_at, resolved_at, flaps, flapped_at, held_at, due_at"

static const char version_2[] =
    /* Number 0 is the empty text. Filled from what version 1 wrote in every row. */
    "CREATE TABLE shared_text (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "INSERT INTO shared_text (number, text) VALUES (0, '');"
    "INSERT INTO shared_text (number, text)"
    " SELECT ROW_NUMBER() OVER (ORDER BY text), text FROM ("
    " SELECT source AS text FROM ledger_finding UNION SELECT assessment_id FROM ledger_finding"
    " UNION SELECT subscription_id FROM ledger_finding"
    " UNION SELECT resource_type FROM ledger_finding"
    " UNION SELECT resource_group FROM ledger_finding"
    " UNION SELECT risk_factors FROM ledger_finding"
    " UNION SELECT " HEAD("resource_id") " FROM ledger_finding) WHERE text <> '';"

    "CREATE TABLE ledger_finding_2 ("
    " id BYTEA PRIMARY KEY,"
    " source BIGINT NOT NULL,"          /* shared: key of the source that tells of it */
    " tenant BIGINT NOT NULL DEFAULT 0,"/* shared: whom that source asks; '' = the own tenant */
    " assessment_id BIGINT NOT NULL,"   /* shared */
    " subscription_id BIGINT NOT NULL," /* shared */
    " resource_head BIGINT NOT NULL,"   /* shared: the resource id up to its last slash, ... */
    " resource_tail TEXT NOT NULL,"     /* ... and the rest of it */
    " resource_name TEXT NOT NULL,"     /* '' = the tail is the name */
    " resource_type BIGINT NOT NULL,"   /* shared */
    " resource_group BIGINT NOT NULL,"  /* shared */
    " native_id TEXT NOT NULL DEFAULT '',"     /* of AWS, GCP ...: ARN, full resource name; '' */
    " cloud BIGINT NOT NULL DEFAULT 0,"        /* number of finding.h; 0 = azure */
    " connector BIGINT NOT NULL DEFAULT 0,"    /* shared: security connector it came through; '' */
    " account BIGINT NOT NULL DEFAULT 0,"      /* shared: account, project, organization; '' */
    " location BIGINT NOT NULL DEFAULT 0,"     /* shared: region; '' */
    " risk_factors BIGINT NOT NULL,"           /* shared */
    " risk BIGINT NOT NULL, severity BIGINT NOT NULL, contextual BIGINT NOT NULL,"
    " internet_exposed BIGINT NOT NULL, attack_paths BIGINT NOT NULL,"
    " is_open BIGINT NOT NULL, reason BIGINT NOT NULL," /* why closed; -1 while open */
    " absent_at BIGINT NOT NULL," /* collection that was the first without it; 0 = not so */
    " episode BIGINT NOT NULL," /* 1 = opened once, 2 = reopened once ... */
    " quiet BIGINT NOT NULL,"   /* adopted at first sight or by a ruler.changed digest */
    " first_seen_at BIGINT NOT NULL," /* Azure's first evaluation, or when we saw it first */
    " changed_at BIGINT NOT NULL,"    /* Azure's last change of its status; 0 = not told, or not
                                         looked at since version 1 */
    " opened_at BIGINT NOT NULL," /* since when it is open: age, due date and SLA follow it */
    " seen_at BIGINT NOT NULL,"   /* when this program saw it open, in this episode */
    " spent_s BIGINT NOT NULL DEFAULT 0," /* of its SLA, before an exemption */
    " governed_at BIGINT NOT NULL DEFAULT 0," /* due by governance; 0 = the SLA counts */
    " resolved_at BIGINT NOT NULL, overdue_at BIGINT NOT NULL);" /* 0 = no overdue event yet */
    "INSERT INTO ledger_finding_2 (id, source, assessment_id, subscription_id, resource_head,"
    " resource_tail, resource_name, resource_type, resource_group, risk_factors, risk, severity,"
    " contextual, internet_exposed, attack_paths, is_open, reason, absent_at, episode, quiet,"
    " first_seen_at, changed_at, opened_at, seen_at, resolved_at, overdue_at)"
    " SELECT id, " SHARED("source") ", " SHARED("assessment_id") ", " SHARED("subscription_id") ", "
    SHARED(HEAD("resource_id")) ", " TAIL("resource_id") ","
    " CASE WHEN resource_name = " TAIL("resource_id") " THEN '' ELSE resource_name END, "
    SHARED("resource_type") ", " SHARED("resource_group") ", " SHARED("risk_factors") ", risk,"
    " severity, contextual, internet_exposed, attack_paths, is_open, reason, absent_at, episode,"
    " quiet, first_seen_at, CASE WHEN is_open = 1 THEN 0 ELSE changed_at END, opened_at,"
    " opened_at, resolved_at, overdue_at"
    " FROM ledger_finding ORDER BY id;"
    "DROP TABLE ledger_finding;"
    "ALTER TABLE ledger_finding_2 RENAME TO ledger_finding;"
    "CREATE INDEX ledger_finding_assessment ON ledger_finding (assessment_id, reason);"
    "CREATE INDEX outbox_member_finding ON outbox_member (finding_id);"
    "CREATE VIEW ledger_known AS SELECT id, "
    TEXT_OF("source") " AS source, " TEXT_OF("tenant") " AS tenant, "
    TEXT_OF("assessment_id") " AS assessment_id, "
    TEXT_OF("subscription_id") " AS subscription_id, "
    TEXT_OF("resource_head") " || resource_tail AS resource_id,"
    " CASE WHEN resource_name = '' THEN resource_tail ELSE resource_name END AS resource_name, "
    TEXT_OF("resource_type") " AS resource_type, " TEXT_OF("resource_group") " AS resource_group,"
    " native_id, cloud, " TEXT_OF("connector") " AS connector, " TEXT_OF("account") " AS account, "
    TEXT_OF("location") " AS location, "
    TEXT_OF("risk_factors") " AS risk_factors, risk, severity, contextual, internet_exposed,"
    " attack_paths, is_open, reason, absent_at, episode, quiet, first_seen_at, changed_at,"
    " opened_at, seen_at, spent_s, governed_at, resolved_at, overdue_at FROM ledger_finding;"

    /* plain, grouped, individual; '' = not known. The category of an individual one is Azure's
     * recommendationCategory: SoftwareUpdate ... */
    "ALTER TABLE ledger_assessment ADD COLUMN model TEXT NOT NULL DEFAULT '';"

    /* First sight of a subscription by a source that asks this tenant. A source's first run is that
     * of all its subscriptions. */
    "CREATE TABLE ledger_adoption ("
    " source TEXT NOT NULL, tenant TEXT NOT NULL, subscription_id TEXT NOT NULL,"
    " at BIGINT NOT NULL,"
    " gone_at BIGINT NOT NULL," /* no collection covers it since; 0 = it is covered */
    " told BIGINT NOT NULL,"    /* 1 = the message that it is watched was decided */
    " PRIMARY KEY (source, tenant, subscription_id));"

    /* Recommendations that rows told of and none of which was open yet; those of a catalogue. */
    "CREATE TABLE ledger_seen ("
    " source TEXT NOT NULL, key TEXT NOT NULL," /* of individual ones their category */
    " at BIGINT NOT NULL," /* the collection that was the first to tell; 0 = of the first of all */
    " PRIMARY KEY (source, key)) WITHOUT ROWID;"

    /* What each machine reported last of a baseline. */
    "CREATE TABLE ledger_machine ("
    " source TEXT NOT NULL, id BYTEA NOT NULL,"
    " version TEXT NOT NULL,"   /* of the baseline; '' = not told */
    " rules BIGINT NOT NULL,"   /* that Azure counts; -1 = it does not */
    " moved_at BIGINT NOT NULL, shrunk_at BIGINT NOT NULL," /* collections that saw it; 0 = none */
    " gone_at BIGINT NOT NULL," /* no report since then; 0 = there is one */
    " PRIMARY KEY (source, id)) WITHOUT ROWID;"

    "INSERT INTO ledger_adoption (source, tenant, subscription_id, at, gone_at, told)"
    " SELECT DISTINCT f.source, '', f.subscription_id, CAST(s.value AS BIGINT), 0, 1"
    " FROM ledger_known f JOIN store s ON s.key = 'adopted.' || f.source;"
    /* Version 1 did not note which had no finding: what the next collection covers is known. */
    "INSERT INTO store (key, value)"
    " SELECT 'adopts_all.' || SUBSTR(key, 9), '1' FROM store WHERE key LIKE 'adopted.%';"

    /* The same key may be watched in two tenants. */
    "CREATE TABLE watch_value_2 ("
    " kind TEXT NOT NULL, tenant TEXT NOT NULL, key TEXT NOT NULL,"
    " value DOUBLE PRECISION NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL,"
    " PRIMARY KEY (kind, tenant, key));"
    "INSERT INTO watch_value_2 (kind, tenant, key, value, state, at)"
    " SELECT kind, '', key, value, state, at FROM watch_value;"
    "DROP TABLE watch_value;"
    "ALTER TABLE watch_value_2 RENAME TO watch_value;"

    "CREATE TABLE active_alert_2 ("
    " fingerprint TEXT PRIMARY KEY, rule TEXT NOT NULL, state TEXT NOT NULL, finding_id BYTEA,"
    " episode BIGINT NOT NULL, event TEXT NOT NULL, risk BIGINT NOT NULL,"
    " subscription_id TEXT NOT NULL, alert TEXT NOT NULL,"
    " value DOUBLE PRECISION NOT NULL,"
    " active_at BIGINT NOT NULL, fired_at BIGINT NOT NULL, cleared_at BIGINT NOT NULL,"
    " resolved_at BIGINT NOT NULL, flaps BIGINT NOT NULL, flapped_at BIGINT NOT NULL,"
    " held_at BIGINT NOT NULL, due_at BIGINT NOT NULL,"
    /* a number for the labels that a finding and its names gave it last; 0 = not known */
    " described BIGINT NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;" /* lists read all of it, in the order of the key */
    "INSERT INTO active_alert_2 (" ALERT_COLUMNS ", described)"
    " SELECT " ALERT_COLUMNS ", 0 FROM active_alert ORDER BY fingerprint;"
    "DROP TABLE active_alert;"
    "ALTER TABLE active_alert_2 RENAME TO active_alert;"
    "CREATE INDEX active_alert_due ON active_alert (due_at);"
    "CREATE INDEX active_alert_finding ON active_alert (finding_id);"
    "CREATE INDEX active_alert_rule ON active_alert (rule, state);"
    "CREATE INDEX active_alert_order ON active_alert (state, risk, active_at);"

    /* Key of the group's incident; of groups that version 1 notified of the key it used, '' = made
     * of what identifies the group. */
    "ALTER TABLE group_state ADD COLUMN dedup_key TEXT NOT NULL DEFAULT '';"
    "UPDATE group_state SET dedup_key = COALESCE((SELECT m.dedup_key FROM group_member g"
    " CROSS JOIN outbox_member a CROSS JOIN outbox_message m" /* in this order */
    " WHERE a.fingerprint = g.fingerprint AND m.id = a.message_id AND m.receiver = g.receiver"
    " AND g.receiver = group_state.receiver AND g.group_key = group_state.group_key"
    " AND JSON_VALID(m.page) AND JSON_EXTRACT(m.page, '$.group_key') = g.group_key"
    " ORDER BY m.id DESC LIMIT 1), '') WHERE told_at > 0;"

    /* What held an alert back that nobody was told of yet: "the silence by alice ended"; ''. */
    "ALTER TABLE group_member ADD COLUMN held TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX group_member_muted ON group_member (muted_by) WHERE muted_by <> '';"
    "ALTER TABLE governor_fold ADD COLUMN held TEXT NOT NULL DEFAULT '';"

    /* To go on behind a message, of those that wait or died. */
    "CREATE INDEX outbox_message_behind ON outbox_message (id) WHERE state <> 'sent';"

    /* Of a mail that others have taken: who is still to get it, a line each; '' = all. */
    "ALTER TABLE outbox_message ADD COLUMN recipients TEXT NOT NULL DEFAULT '';"

    /* Threads at receivers that have them, one of each dedup key. */
    "CREATE TABLE outbox_thread ("
    " receiver TEXT NOT NULL, target BIGINT NOT NULL, dedup_key TEXT NOT NULL,"
    " channel TEXT NOT NULL, ts TEXT NOT NULL," /* of its first message; '' = not posted yet */
    " trying TEXT NOT NULL,"      /* message whose post may have arrived or not; '' = none */
    " trying_at BIGINT NOT NULL,"
    " PRIMARY KEY (receiver, target, dedup_key));"

    /* Exponential buckets of histograms, beside the classic ones of ledger_counter. */
    "CREATE TABLE ledger_histogram ("
    " family TEXT NOT NULL, labels TEXT NOT NULL, histogram TEXT NOT NULL,"
    " PRIMARY KEY (family, labels));"
    "INSERT INTO store (key, value)"
    " SELECT 'counters.since', CAST(MIN(first_seen_at) AS TEXT) FROM ledger_assessment"
    " HAVING COUNT(*) > 0;"

    /* What people did, until the evaluator takes it. */
    "CREATE TABLE audit_event ("
    " number BIGINT PRIMARY KEY, action TEXT NOT NULL, at BIGINT NOT NULL,"
    " author TEXT NOT NULL, peer TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL);"

    /* Values over time, for trends and reports: a row when a value changed, at most one an hour.
     * Hourly for 30 days, then daily for 400. */
    "CREATE TABLE history_series ("
    " number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);" /* as a metric: name{label="..."} */
    "CREATE TABLE history ("
    " series BIGINT NOT NULL, at BIGINT NOT NULL,"
    " value DOUBLE PRECISION," /* NULL = from here on it is not told */
    " PRIMARY KEY (series, at));";
/* clang-format on */

/* What a start reads, of all that was ever open. Databases of version 2 before its release have
 * none of them. */
static const char indexes[] =
    "CREATE INDEX IF NOT EXISTS ledger_finding_open ON ledger_finding (is_open) WHERE is_open = 1;"
    "CREATE INDEX IF NOT EXISTS ledger_finding_over ON ledger_finding (reason) WHERE is_open = 0;";

const struct database_migration schema_migrations[] = {
    { 1, version_1 },
    { 2, version_2 },
    { 0, indexes },
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
