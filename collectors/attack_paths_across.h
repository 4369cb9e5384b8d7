#pragma once
/* Which attack paths lie across a finding, and which one a finding is. */
#include "collectors/attack_paths.h"

/* The path a finding is, NULL when it is none or nothing is known of it. Lives as long as the
 * snapshot. */
const struct attack_path *attack_paths_across_find(const struct snapshot *snapshot,
                                                   const struct finding_id *id);

/* Call with every path that is known to lie across a finding, in the order its recommendation lists
 * them. */
typedef void attack_paths_across_visit(const struct attack_path *path, void *context);
void attack_paths_across(const struct snapshot *snapshot, const struct finding_id *id,
                         attack_paths_across_visit *visit, void *context);
