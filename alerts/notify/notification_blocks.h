#pragma once
/* The blocks of a notification: which of its alerts are told together, and what is known of the
 * findings they are about. */
#include "alerts/notify/notification_build.h"

/* Fill the blocks and resource_total, most important first: what is open before what ended, then
 * by risk, then in the order of the alerts. */
bool notification_blocks(const struct notification_context *context,
                         const struct notification_subject *subject, struct arena *arena,
                         struct notification *notification, struct error *error) MUST_USE;
