#pragma once
/* How a block about a number is read: a rule over metrics, a score, a control. Pure. */
#include "alerts/receivers/layout.h"

/* Append the facts of such a block: value, bound, since when, what it is of by name. */
void layout_number_facts(const struct notification *notification,
                         const struct notification_block *block, struct arena *arena,
                         struct layout *layout);

/* Append its sections: what caused it and what nothing explains; the worst findings behind it. */
void layout_number_sections(const struct notification_block *block, int64_t now,
                            struct arena *arena, struct layout *layout);

/* Append all of it as one section, for a block that is not the only one. */
void layout_number_whole(const struct notification *notification,
                         const struct notification_block *block, struct arena *arena,
                         struct layout *layout);
