#pragma once
/* Since when findings are open and when their time is over. Opened is the status change that made a
 * finding fail, as Azure dates it: losing the database forgives no debt. Where Azure has no date,
 * or one in the future, it is when this program saw it. An exemption stops the clock of the SLA:
 * what had run before goes on where it ends. A finding that was out of sight, and returns with the
 * date it had, is due when it was. A due date of governance goes before the SLA; nothing stops it.
 * Pure. */
#include "alerts/ledger/ledger_merge.h"
#include "alerts/ledger/ledger_rows.h"

/* A new life of a finding begins: fill in since when it is open. open: its seen_at and risk are
 * set. changed_at: of its row. */
void ledger_age_begin(const struct ledger *ledger, const struct source *source,
                      const struct ledger_past *past, uint32_t changed_at,
                      struct ledger_open *open);

/* The row of an open finding may bear another date than the one that was believed. True when it is
 * believed now. What is overdue only by that is so without an event: a corrected date is no news.
 */
bool ledger_age_move(const struct ledger *ledger, const struct source *source, uint32_t changed_at,
                     int64_t now, struct ledger_open *open);

/* When its last life ended: the status change of the row that ended it, or now. changed_at: of that
 * row, 0 = there is none. */
int64_t ledger_age_ended(const struct source *source, uint32_t changed_at, int64_t now,
                         const struct ledger_open *open);

/* When an open finding is due; 0 = it has neither a due date nor an SLA. */
int64_t ledger_age_due_at(const struct ledger *ledger, const struct ledger_open *open);

/* Whether it is over its time. */
bool ledger_age_is_overdue(const struct ledger *ledger, const struct ledger_open *open,
                           int64_t now);
