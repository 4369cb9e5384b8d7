#pragma once
/* What a block says of security alerts: the tactics they stand for, and what else they name. */
#include "alerts/rules/notification.h"
#include "collectors/baselines_explain.h"
#include "collectors/security_alerts.h"

/* Add what is known of the finding the last resource of the block stands for, when it is a security
 * alert. rule: gets its texts, which no catalogue has. */
void notification_security(const struct snapshot *snapshot, const struct finding *finding,
                           struct arena *arena, struct notification_block *block,
                           struct baselines_explained *rule);
