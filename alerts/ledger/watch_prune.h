#pragma once
/* What watch_value remembers of things that Azure forgot. */
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"

/* Forget the failures of remediation tasks that Azure does not list any more, so far as the part
 * (not NULL, of that collector) can say so. Inside the evaluator's transaction. */
bool watch_prune_remediations(struct database *database, const struct part *part,
                              struct error *error) MUST_USE;
