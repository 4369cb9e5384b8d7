#pragma once
/* What a failed run teaches about asking Resource Graph in hash partitions. */
#include "collectors/run/collect.h"

/* What failed in pieces is paged the next time: the total they were made from may have been wrong.
 * True when there were any. */
bool pieces_forget(struct collect_memory *memory);

/* Rows moved while they were paged: from now on ask for pieces that come in one page each. Each is
 * a request, so there are not endlessly many. */
void pieces_learn(const struct query *queries, struct collect_memory *memory);
