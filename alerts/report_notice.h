#pragma once
/* The message that a report is: event `report`. It fires and never resolves. */
#include "alerts/notify/settings.h"
#include "alerts/view/view_report.h"

/* Make it for a receiver. due_at tells it from those before and after it. Texts go to the arena. */
void report_notice_make(const struct settings *settings, const struct report_plan *plan,
                        const char *receiver, const struct view_report *report, int64_t due_at,
                        struct arena *arena, struct notification *notification);
