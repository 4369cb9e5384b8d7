#pragma once
/* What a block says of a rule of an OS baseline: what was found on which machine, what is expected,
 * and whom a wrong fix locks out. */
#include "alerts/rules/notification.h"
#include "collectors/baselines_explain.h"

/* Add what is known of the rule on the machine the last resource of the block stands for. What is
 * found is the block's, and where a machine has another, its own. */
void notification_baseline(const struct baselines_explained *rule, struct arena *arena,
                           struct notification_block *block);
