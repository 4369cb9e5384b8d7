#pragma once
/* What governance and policy in Azure decided of a finding, as a notification tells it: who is to
 * fix it until when, or until when it is exempted. Pure. */
#include "alerts/notify/notification_build.h"

/* Fill in the owner, who set the due date, and the exemption of a resource; texts live in the arena
 * or as long as the alert and the snapshot. What is not known is left empty. */
void notification_policy(const struct notification_context *context, const struct alert *alert,
                         const struct finding *finding, struct arena *arena,
                         struct notification_resource *resource);
