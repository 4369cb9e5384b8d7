#pragma once
/* What a lane accepted and is still true, or was until lately: receivers that forget an alert that
 * is not told again hear it again, outside the outbox. */
#include "alerts/rules/notification.h"

/* Called with one notification and the alerts in it that still stand as told. False stops. */
typedef bool refresh_visit(void *context, struct notification *notification, struct error *error);

/* The latest accepted notification of each alert that fires, or resolved after `since`; texts in
 * the arena are gone after each visit. */
bool refresh_each(struct database *database, const char *receiver, int target, int64_t since,
                  refresh_visit *visit, void *context, struct error *error) MUST_USE;
