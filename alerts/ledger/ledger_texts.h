#pragma once
/* Texts that no finding has any more: what is kept once for many rows outlives them. */
#include "alerts/store/database.h"

/* Delete at most SCHEMA_PRUNE_ROWS of the shared texts that no finding names, and as many
 * individual recommendations that were first seen before then and have no finding left, but the
 * first of each category: that it was seen is known by it. One walk over the findings. *full: there
 * may be more. Inside the evaluator's transaction. */
bool ledger_texts_prune(struct database *database, int64_t before, bool *full,
                        struct error *error) MUST_USE;
