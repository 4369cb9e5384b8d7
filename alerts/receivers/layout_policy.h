#pragma once
/* What governance and policy in Azure decided of the findings of a block, in words. */
#include "alerts/rules/notification.h"

/* Append "2026-11-12 23:59 UTC, in 2 d (set by governance in Azure)". */
void layout_policy_due(struct buf *out, const struct notification_block *block, int64_t now);

/* Append the owners of what is open, each once. */
void layout_policy_owners(struct buf *out, const struct notification_block *block);

/* Append "until 2027-01-01 00:00 UTC, in 30 d (waiver: We leave in March)" of the first resource,
 * if it is exempted. */
void layout_policy_exemption(struct buf *out, const struct notification_block *block, int64_t now);
