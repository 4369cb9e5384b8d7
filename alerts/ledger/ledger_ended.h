#pragma once
/* Findings that ended without an end: exempted ones, and those whose recommendation was told in the
 * other model. A later row may say that one was fixed meanwhile, or exempted: what it is called and
 * how much time it has when it fails again follow from that. No news by itself. */
#include <stdbool.h>

#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"

/* Of one source. Zeroed is ready to use. */
struct ledger_ended {
    struct ledger_ended_finding *findings;
    size_t count, capacity;
    bool sorted;
};
void ledger_ended_finish(struct ledger_ended *ended);

/* Remember a finding, when its reason is such a one. */
void ledger_ended_add(struct ledger_ended *ended, const struct finding_id *id, int reason);

/* Before a part is merged: forget those that are open again, and write what rows say of the others
 * now. open: of the same source, sorted by id. Inside a transaction. */
struct ledger_open;
bool ledger_ended_look(struct ledger_ended *ended, const struct ledger_open *open,
                       size_t open_count, struct database *database, const struct part *part,
                       int64_t now, struct error *error) MUST_USE;
