#pragma once
/* Remembers which page links and tokens came by, so that a list that turns in a circle is noticed.
 * A zeroed struct seen is ready to use. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

struct seen {
    uint64_t *hashes;
    size_t count, capacity;
};

/* Add a text. False when it was there already. */
bool seen_add(struct seen *seen, const char *text) MUST_USE;

/* The same for something that is a hash already. */
bool seen_add_hash(struct seen *seen, uint64_t hash) MUST_USE;

/* Give the memory back. Takes a zeroed struct. */
void seen_finish(struct seen *seen);
