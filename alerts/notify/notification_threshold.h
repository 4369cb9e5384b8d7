#pragma once
/* The block of an alert of a rule over metrics: the value with its unit, the bound, since when,
 * which it is about by name, and the worst findings behind it. */
#include "alerts/notify/notification_build.h"

/* Fill a block that has the alert's rule, severity and times. The value is that of now where the
 * metrics of now are known, else that of when it fired. False only when the database failed. */
bool notification_threshold(const struct notification_context *context, const struct rule *rule,
                            const struct alert *alert, bool brief, struct arena *arena,
                            struct notification_block *block, struct error *error) MUST_USE;
