#pragma once
/* Which of several rows with the same id came first: where rows come twice, the later ones are
 * judged by it. A zeroed struct firsts is ready to use. */
#include <stddef.h>

#include "core/intern.h"

struct firsts {
    struct intern ids;
    size_t *places; /* by number: 1 + the place of the first, 0 = there is none */
    size_t capacity;
};

/* The place of the first row with this id, any text: `place` itself when there was none before. */
size_t firsts_put(struct firsts *firsts, const char *id, size_t length, size_t place);

/* The same, SIZE_MAX when there is none. */
size_t firsts_find(const struct firsts *firsts, const char *id, size_t length);

void firsts_finish(struct firsts *firsts);
