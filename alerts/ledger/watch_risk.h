#pragma once
/* Whether Azure rates risks at all: without Defender CSPM, and in REST lists, it may not, and rules
 * that wait for a risk level never fire. An event says so once, and another when that is over. */
#include "alerts/ledger/event.h"
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"

/* Compare with the snapshot, and append the events. waiting: names of the rules that wait for the
 * risk of findings of rated collectors; "" = none does. Evaluator only, inside a transaction; on
 * false: undo, events too. */
bool watch_risk_advance(struct database *database, const char *waiting,
                        const struct snapshot *snapshot, int64_t now, struct event_list *events,
                        struct error *error) MUST_USE;
