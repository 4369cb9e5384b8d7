#pragma once
/* What it means that a finding has no row any more. Pure. */
#include "collectors/snapshot/snapshot.h"

/* Why a finding is over that has no row since `since`; REASON_COUNT when nobody knows. part: of the
 * source that told of it. shrunk: less is measured since then, so what is missing may not be fixed.
 * thinned: much of its subscription or source has no row, which is more often silence than work
 * done: that nobody assesses it is said after a day at least. */
enum finding_reason ledger_absence_reason(const struct snapshot *snapshot, const struct part *part,
                                          int64_t since, bool shrunk, bool thinned,
                                          const struct finding *finding);
