#pragma once
/* Receivers that know an alert by its labels, as Alertmanager does: when other labels describe it
 * now, the set they were told of last has to end. Inside the evaluator's transaction. */
#include "alerts/rules/notification.h"
#include "alerts/store/database.h"

/* Add to the alerts of a notification to this receiver, behind them, each that it was told of with
 * other labels than now: with these, resolved now (ALERT_RELABELLED). In the arena. */
bool relabel_end(struct database *database, struct notification *notification, int64_t now,
                 struct arena *arena, struct error *error) MUST_USE;
