#pragma once
/* Notifications a lane accepted that still hold, or did until lately: they are sent again, outside
 * the outbox, to receivers that forget an alert without that. */
#include "alerts/rules/notification.h"

/* Called with one notification, reduced to the alerts that are still as it says. False stops. */
typedef bool refresh_visit(void *context, struct notification *notification, struct error *error);

/* Visit the latest accepted notification of each alert that fires, or resolved after `since`; its
 * texts are gone after the visit. */
bool refresh_each(struct database *database, const char *receiver, int target, int64_t since,
                  refresh_visit *visit, void *context, struct error *error) MUST_USE;
