#pragma once
/* What came to each risk level and what left it, over a day and a week: opened, reopened and risen
 * or fallen to it; over, or now of another. What was open when it was first looked at is no news.
 * Any thread with its own database handle. */
#include "alerts/ledger/ledger.h"

struct ledger_change {
    int64_t came, went;
};
struct ledger_changes {
    struct ledger_change day[RISK_COUNT], week[RISK_COUNT];
};

/* now: the end of both. */
bool ledger_changes_read(struct database *database, int64_t now, struct ledger_changes *changes,
                         struct error *error) MUST_USE;
