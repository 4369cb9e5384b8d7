#pragma once
/* Questions about open findings that have no row: what the ledger wants proved. */
#include "alerts/ledger/ledger.h"

/* Ask on the board about the missing findings of every source with a new part: those that were
 * answered least often first, of these the worst risk, then the longest unseen. After the commit;
 * reads the database. */
bool ledger_unseen_ask(struct ledger *ledger, struct proof_board *board,
                       struct error *error) MUST_USE;
