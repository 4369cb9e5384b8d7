#pragma once
/* Whether many come at once, by looks a second apart. What they made the allocator take is given
 * back when they have gone: it keeps it otherwise, for whoever is next. Pure. */
#include <stdbool.h>
#include <stddef.h>

enum { RUSH_ANSWERS = 50 }; /* begun in a second, that are many */

struct rush {
    bool on;
};

/* So many of at most max connections are open, and so many answers began since the look before.
 * True when a rush is over: both are a quarter of what is many. */
bool rush_look(struct rush *rush, size_t open, size_t max, size_t answers);
