#pragma once
/* Causes of a dropped secure score: the findings that opened in its subscription within the last
 * day, by the points each of them costs. */
#include "alerts/notify/notification_build.h"

/* Fill notification->causes for notification->subscription_id ("" = all); nothing without a
 * database. */
bool notification_causes(const struct notification_context *context, struct arena *arena,
                         struct notification *notification, struct error *error) MUST_USE;
