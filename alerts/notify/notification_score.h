#pragma once
/* The block of a score that dropped or a control that lost points: how much, of how much, and what
 * caused it. */
#include "alerts/notify/notification_build.h"

/* Fill a block about an alert of score.dropped, score.recovered or control.regressed: its title,
 * and of what went down the causes and what they leave unexplained. Causes are the findings that
 * opened within the last day: each costs its control the share of one resource, unless that
 * resource was held back already; what was fixed meanwhile counts against them. Those behind
 * NOTIFICATION_CAUSES_MAX are one cause. Without a database there are none. */
bool notification_score(const struct notification_context *context, const struct alert *alert,
                        struct arena *arena, struct notification_block *block,
                        struct error *error) MUST_USE;
