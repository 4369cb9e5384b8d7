#pragma once
/* Causes of a dropped secure score: the findings that opened in its subscription within the last
 * day, by the points each of them costs. */
#include "alerts/notify/notification_build.h"

/* Fill the causes of the block, in a subscription ("" = in all); nothing without a database. */
bool notification_causes(const struct notification_context *context, const char *subscription_id,
                         struct arena *arena, struct notification_block *block,
                         struct error *error) MUST_USE;
