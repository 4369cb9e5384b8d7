#pragma once
/* Onboarding is not news: what is open in a subscription when a source covers it for the first
 * time, or again after 30 days, is adopted as on a first run (ledger.h). */
#include "alerts/ledger/ledger_merge.h"

/* Read what a source has adopted. */
bool ledger_adopt_load(struct ledger *ledger, const struct source *of,
                       struct error *error) MUST_USE;
void ledger_adopt_finish(struct ledger_source *source);

/* Before a part is merged: adopt the subscriptions it covers for the first time, and note which it
 * covers no more. fresh: by number of the subscription in part->strings, zeroed; set for those
 * adopted now, but on the first run of the source. */
bool ledger_adopt_begin(struct ledger *ledger, const struct source *of,
                        const struct snapshot *snapshot, int64_t now, bool *fresh,
                        struct error *error) MUST_USE;

/* The first run of a source is over: from now on what opens is an event. */
bool ledger_adopt_source(struct ledger *ledger, const struct source *of, int64_t now,
                         struct event_list *events, struct error *error) MUST_USE;

/* After all parts: one event about the subscriptions that every source of their tenant has adopted
 * since the last, or that wait for an hour. */
bool ledger_adopt_tell(struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                       struct event_list *events, struct error *error) MUST_USE;

/* When one waits no longer; 0 = none waits. */
int64_t ledger_adopt_next_at(const struct ledger *ledger);
