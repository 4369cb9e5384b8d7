#include "alerts/notify/incident.h"

#include <stdio.h>
#include <string.h>

#include "collectors/subscriptions.h"

/* The key of the last message to receiver $1 about an alert, when that says "fires" and the
 * incident has not ended since. Also when it was given up: an operator may send it again, and then
 * the end follows. */
#define OPEN_KEY(fingerprint)                                                                      \
    "(SELECT CASE WHEN last.status = 'firing' AND NOT EXISTS (SELECT 1 FROM outbox_message ended"  \
    " WHERE ended.receiver = $1 AND ended.target = 0 AND ended.dedup_key = said.dedup_key"         \
    " AND ended.status = 'resolved' AND ended.id > said.id) THEN said.dedup_key ELSE '' END"       \
    " FROM outbox_member last JOIN outbox_message said ON said.id = last.message_id"               \
    " WHERE said.receiver = $1 AND last.fingerprint = " fingerprint " AND said.target = 0"         \
    " ORDER BY said.id DESC, last.status DESC LIMIT 1)"

static const char *key_at(const char *tenant_id, const struct alert *alert, int risk, char out[46])
{
    char subject[64], id[17];
    snprintf(subject, sizeof subject, "%s/%s",
             alert->has_finding ? finding_id_text(&alert->finding_id, id) : alert->fingerprint,
             finding_risk_words[risk]);
    return alert_dedup_key(tenant_id, alert->rule, subject, alert->episode, out);
}

const char *incident_own_key(const char *tenant_id, const struct alert *alert, const char *open_key,
                             char out[46])
{
    for (int risk = 0; risk < RISK_COUNT; risk++) /* at which it was opened */
        if (!strcmp(key_at(tenant_id, alert, risk, out), open_key) && risk <= (int)alert->risk)
            return out;
    return key_at(tenant_id, alert, (int)alert->risk, out);
}

const char *incident_tenant(const struct snapshot *snapshot, const char *own,
                            const char *subscription_id)
{
    const struct subscription *known =
        snapshot && *subscription_id ? subscriptions_find(snapshot, subscription_id) : NULL;
    return known && *known->tenant_id ? known->tenant_id : own;
}

const char *incident_group_key(const struct snapshot *snapshot, const char *own,
                               const struct match_label *group_labels, size_t group_label_count,
                               const char *group_key, uint32_t episode, char out[46])
{
    const char *rule = "", *subscription_id = "";
    for (size_t i = 0; i < group_label_count; i++)
        if (!strcmp(group_labels[i].name, "alertname"))
            rule = group_labels[i].value;
        else if (!strcmp(group_labels[i].name, "subscription_id"))
            subscription_id = group_labels[i].value;
    return alert_dedup_key(incident_tenant(snapshot, own, subscription_id), rule, group_key,
                           episode, out);
}

bool incident_open_key(struct database *database, const char *receiver, const char *fingerprint,
                       struct arena *arena, const char **key, struct error *error)
{
    struct database_statement *statement = database_prepare(database, "SELECT " OPEN_KEY("$2"));
    database_bind(statement, receiver, fingerprint);
    *key = NULL;
    if (!database_get_text(statement, arena, key, error))
        return error_wrap(error, "reading the outbox");
    *key = *key ? *key : "";
    return true;
}

bool incident_alerts(struct database *database, const char *receiver, const char *key,
                     int64_t *count, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database,
        "SELECT COUNT(DISTINCT told.fingerprint) FROM outbox_message message"
        " JOIN outbox_member told ON told.message_id = message.id"
        " JOIN group_member there ON there.receiver = $1 AND there.fingerprint = told.fingerprint"
        " WHERE message.receiver = $1 AND message.target = 0 AND message.dedup_key = $2"
        " AND told.status = 'firing' AND " OPEN_KEY("told.fingerprint") " = $2");
    database_bind(statement, receiver, key);
    return database_get_integer(statement, count, error) || error_wrap(error, "reading the outbox");
}
