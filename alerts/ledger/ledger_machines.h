#pragma once
/* What each machine of a source reported last of an OS security baseline: which version, and by how
 * many rules it is measured. What ends by either of them was not fixed. In the database, so that
 * machines which follow while the program is down are no news after it. */
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"

/* Of one source, sorted by id. Zeroed is ready to use. */
struct ledger_machines {
    struct ledger_machine *items;
    size_t count;
    struct intern versions;
};
void ledger_machines_finish(struct ledger_machines *machines);

/* Read those of a source. */
bool ledger_machines_load(struct ledger_machines *machines, struct database *database,
                          const struct source *source, struct error *error) MUST_USE;

/* Take what a part tells, and write what changed. news: by version of the part, from 0: nobody ever
 * reported it, so who does has moved. A machine without a report is remembered for 30 days.
 * *moved: one did, in this collection. Inside a transaction. */
bool ledger_machines_look(struct ledger_machines *machines, struct database *database,
                          const struct part *part, const bool *news, uint32_t collected_at,
                          bool *moved, struct error *error) MUST_USE;

/* Whether the machine of a finding moved to another version, or is measured by fewer rules, since
 * an instant; whether it ever said its version. */
bool ledger_machines_moved(const struct ledger_machines *machines, const struct part *part,
                           const struct finding *finding, int64_t since);
bool ledger_machines_shrunk(const struct ledger_machines *machines, const struct part *part,
                            const struct finding *finding, int64_t since);
bool ledger_machines_tell(const struct ledger_machines *machines, const struct part *part,
                          const struct finding *finding);
