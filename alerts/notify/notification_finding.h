#pragma once
/* What is known of the finding an alert is about: what Azure says now, else what the ledger kept of
 * it, else what the alert's own labels say. */
#include "alerts/notify/notification_build.h"

/* unseen_at: the first collection without it, of what is gone; else 0. Texts live as long as the
 * arena; scratch: with it they may be those of the snapshot, or in there. NULL = not. */
bool notification_finding(const struct notification_context *context, const struct alert *alert,
                          char scratch[PART_ID_BYTES], struct arena *arena, struct finding *view,
                          int64_t *unseen_at, struct error *error) MUST_USE;

/* How one that is open again had ended, and when: of the alert. */
void notification_finding_before(const struct alert *alert, struct notification_resource *resource);
