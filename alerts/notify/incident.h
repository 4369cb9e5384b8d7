#pragma once
/* Incidents: what a receiver keeps open under a key until it is told that it ended. Which alert it
 * was told of under which key is what the outbox has; nothing else is kept, so an incident that an
 * older version or a digest opened ends like any other. Inside the evaluator's transaction. */
#include "alerts/rules/alert.h"
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"

/* Whose subscription it is, its home tenant: which tenant shows it (Azure Lighthouse) changes no
 * key. own: where that is not known. */
const char *incident_tenant(const struct snapshot *snapshot, const char *own,
                            const char *subscription_id);

/* The key of an alert's own incident. One that became worse gets another key, so that somebody is
 * woken; one that became better keeps open_key, which is "" or where it is now. out: 46 bytes. */
const char *incident_own_key(const char *tenant_id, const struct alert *alert, const char *open_key,
                             char out[46]);

/* The key of a group: made of what identifies it, never of what is in it right now. own: the tenant
 * of groups over several subscriptions. out: 46 bytes. */
const char *incident_group_key(const struct snapshot *snapshot, const char *own,
                               const struct match_label *group_labels, size_t group_label_count,
                               const char *group_key, uint32_t episode, char out[46]);

/* The key under which the receiver was last told that an alert fires; "" when it was not, or was
 * told of its end since. */
bool incident_open_key(struct database *database, const char *receiver, const char *fingerprint,
                       struct arena *arena, const char **key, struct error *error) MUST_USE;

/* How many alerts are in the incident: those in groups of the receiver for which incident_open_key
 * is this one. */
bool incident_alerts(struct database *database, const char *receiver, const char *key,
                     int64_t *count, struct error *error) MUST_USE;
