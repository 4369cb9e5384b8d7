#pragma once
/* How a digest is read: the table of what it stands for, and what was folded by which rule. Lines
 * are so few and short that every receiver shows all of them: they add up. Pure. */
#include "alerts/receivers/layout.h"

/* Append the sections of a digest; nothing of another message. */
void layout_digest(const struct notification *notification, struct arena *arena,
                   struct layout *layout);
