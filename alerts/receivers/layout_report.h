#pragma once
/* What a report says: its numbers as facts, its tables as lines. */
#include "alerts/receivers/layout.h"

/* Add it to the layout; nothing of a notification without one. */
void layout_report(const struct notification *notification, struct arena *arena,
                   struct layout *layout);
