#pragma once
/* Two tenants may show the same subscription (Azure Lighthouse): its findings are the same, and one
 * source tells of each. Twins are the sources of one collector. */
#include "alerts/ledger/ledger_merge.h"

/* Whether a twin tells of this finding. */
bool ledger_twins_have(const struct ledger *ledger, const struct source *of,
                       const struct finding_id *id);

/* Whether the last part of a twin shows it open. */
bool ledger_twins_show(const struct snapshot *snapshot, const struct source *of,
                       const struct finding_id *id);

/* Before a part is merged: what twins told of subscriptions that the part covers, and they do no
 * more, is this source's from now on. */
bool ledger_twins_take(struct ledger *ledger, const struct source *of,
                       const struct snapshot *snapshot, struct error *error) MUST_USE;
