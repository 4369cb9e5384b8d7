#pragma once
/* Texts kept once and named by a small number: what repeats in a hundred thousand rows costs
 * four bytes a row. A zeroed struct intern is ready to use; number 0 is the empty text.
 * One writer; any number of readers once writing has stopped. */
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

struct intern {
    struct arena arena;
    struct intern_entry *entries; /* [count]; entry 0 is "" */
    uint32_t *slots;              /* open addressing: 1 + entry */
    uint32_t count, slot_count;
    size_t capacity;
};
struct intern_entry {
    const char *text; /* NUL-terminated */
    uint32_t length, hash;
};

/* The number of this text, adding it when new. */
uint32_t intern_put(struct intern *intern, const char *text, size_t length);

/* The number of this text, or UINT32_MAX when it was never put. */
uint32_t intern_find(const struct intern *intern, const char *text, size_t length);

/* The text of a number; valid as long as the table. */
const char *intern_text(const struct intern *intern, uint32_t number);

/* Give everything back. Takes a zeroed table. */
void intern_finish(struct intern *intern);
