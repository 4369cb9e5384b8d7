#pragma once
/* What a block says of a rule of an OS baseline: what was found on which machine, what is expected,
 * and whom a wrong fix locks out. */
#include "alerts/rules/notification.h"
#include "collectors/baselines_explain.h"

/* Add what is known of the rule on the machine the last resource of the block stands for. What is
 * found is the block's, and where a machine has another, its own. */
void notification_baseline(const struct baselines_explained *rule, struct arena *arena,
                           struct notification_block *block);

/* The same of a finding of the operator's own: what else its row says. Nothing of any other. */
void notification_baseline_row(const struct finding *finding, struct arena *arena,
                               struct notification_block *block);
