#pragma once
/* What is known of the finding an alert is about: what Azure says now, else what the ledger kept of
 * it, else what the alert's own labels say. */
#include "alerts/notify/notification_build.h"

/* unseen_at: the first collection without it, of what is gone; else 0. Texts live as long as the
 * arena; borrowed: they may be those of the snapshot. */
bool notification_finding(const struct notification_context *context, const struct alert *alert,
                          bool borrowed, struct arena *arena, struct finding *view,
                          int64_t *unseen_at, struct error *error) MUST_USE;
