#pragma once
/* The findings behind a number: those that a rule over metrics counted, the worst by name. */
#include "alerts/notify/notification_build.h"

/* Fill worst and worst_total of a block about this alert of a rule over metrics: the open findings
 * that its value counts or that hold back its score, worst risk first, then those on attack paths,
 * then the oldest; of instants the oldest first. Nothing of a family that no finding is behind. */
bool notification_worst(const struct notification_context *context, const struct rule *rule,
                        const struct alert *alert, struct arena *arena,
                        struct notification_block *block, struct error *error) MUST_USE;
