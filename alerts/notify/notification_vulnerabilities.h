#pragma once
/* What vulnerabilities lie below a finding, for programs that are told of it. */
#include "alerts/rules/notification.h"

/* Fill the resource's list. */
void notification_vulnerabilities(const struct snapshot *snapshot, const struct finding *finding,
                                  struct arena *arena, struct notification_resource *resource);
