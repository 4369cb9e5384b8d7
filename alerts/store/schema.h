#pragma once
/* The tables of the store, and which module alone writes each of them.
 *
 *   store              schema.c's users   small facts: key -> value (first run, tenant, covers)
 *   ledger_assessment  ledger             each recommendation ever seen open
 *   ledger_seen        ledger             each one seen of which none was open, or that is listed
 *   ledger_machine     ledger             what each machine reported last of a baseline
 *   ledger_finding     ledger             each finding ever seen, open or not
 *   ledger_event       ledger             what happened to findings: read by replay and messages
 *   ledger_adoption    ledger             which subscriptions each source has adopted
 *   ledger_counter     ledger             counters and histogram buckets that outlive a restart
 *   ledger_histogram   ledger             their exponential buckets
 *   watch_value        watch              last known scores, plans and freshness
 *   active_alert       active             pending, firing and lately resolved alerts
 *   group_state        group              when a group is due and what was said last
 *   group_member       group              which alerts are in it and what each receiver accepted
 *   silence            silence            silences, expired ones kept for five days
 *   audit_event        audit              what people did, until it is told
 *   governor_fold      governor           what waits for the next roll-up
 *   history_series     history            what is kept over time: a name as of a metric
 *   history            history            its values: a row when one changed
 *   shared_text        rows               texts that many rows have; ledger_known shows them
 *   outbox_message     outbox             messages until they are accepted or dead
 *   outbox_member      outbox             the (finding, episode, event) a message is about
 *   outbox_thread      outbox             where a receiver with threads has one for a dedup key
 *
 * Everybody may read every table. A change is a new migration, never an edit of an old one. */
#include "alerts/store/database.h"

extern const struct database_migration schema_migrations[];

/* What is too old is deleted in steps: so many rows of a table in one transaction. */
enum { SCHEMA_PRUNE_ROWS = 1000 };

/* One small fact; value "" when it was never set. out is copied into. */
bool schema_get(struct database *database, const char *key, char *out, size_t out_bytes,
                struct error *error) MUST_USE;

/* Writes only when the value differs. Inside a transaction. */
bool schema_put(struct database *database, const char *key, const char *value,
                struct error *error) MUST_USE;
