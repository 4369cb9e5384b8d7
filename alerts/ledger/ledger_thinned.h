#pragma once
/* Who lost much at once, which is more often silence than work done. */
#include "alerts/ledger/ledger_merge.h"

/* By the ledger's numbers of subscriptions, all false before: whether most of its open findings,
 * and five at least, have no row in this part, or most of the whole source. What is missing for the
 * first time counts; where nothing was missing before, nothing can end, and nobody is thinned. */
void ledger_thinned_find(const struct ledger_source *source, const struct part *part, size_t count,
                         bool *thinned);
