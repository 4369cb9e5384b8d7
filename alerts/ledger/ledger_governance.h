#pragma once
/* Due dates that governance in Azure gave to open findings. They are kept in the database: what
 * cannot be read now, also after a restart, is as it was. */
#include "alerts/ledger/ledger_merge.h"

/* What the snapshot tells of an open finding, if it does. True when that is another date. */
bool ledger_governance_read(const struct snapshot *snapshot, const char *subscription_id,
                            struct ledger_open *open);

/* Read and write all of them, when assignments may be others than the last time. */
bool ledger_governance_apply(struct ledger *ledger, const struct snapshot *snapshot,
                             struct error *error) MUST_USE;
