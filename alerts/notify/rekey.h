#pragma once
/* A database in which every label of an alert identified it (version 1 of the tables), brought to
 * where its rule and its subject do: alerts, members, folds and messages get the fingerprint their
 * alert has now, of several that were the same alert the one that fires is kept, and groups of
 * single alerts get their new name. Nothing is sent for it. */
#include "alerts/notify/settings.h"
#include "alerts/store/database.h"

/* Once in the life of a database, in the evaluator's transaction and before anything is decided. */
bool rekey_once(struct database *database, const struct settings *settings, int64_t now,
                struct error *error) MUST_USE;
