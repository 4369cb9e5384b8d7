#pragma once
/* A new version of an OS security baseline: what opens and ends because of it is no drift. It is
 * one event, and the findings of a machine that moves to it are quiet. */
#include "alerts/ledger/ledger_merge.h"

/* Append and record an event for each version that no machine ever reported, but for the first of
 * a baseline. *moved: by place in part->findings whether its machine moved to another version in
 * this collection; NULL when none did. The caller frees it, also on false. */
bool ledger_versions_look(const struct ledger *ledger, const struct source *source,
                          const struct part *part, uint32_t collected_at, int64_t now,
                          struct event_list *events, bool **moved, struct error *error) MUST_USE;
