#pragma once
/* Memory for things that live and die together: bump allocation, freed at once.
 * A zeroed struct arena is ready to use. One thread at a time. Out of memory aborts. */
#include <stddef.h>
#include <stdint.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out */
};

/* bytes of memory aligned for any type; contents undefined. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* The same, zeroed. */
void *arena_zalloc(struct arena *arena, size_t bytes);

/* A NUL-terminated copy of length bytes of text, packed without alignment. */
char *arena_copy(struct arena *arena, const char *text, size_t length);

/* A NUL-terminated copy of a C string. */
char *arena_text(struct arena *arena, const char *text);

/* Forget everything but keep one block for the next round. */
void arena_reset(struct arena *arena);

/* Give everything back. Takes a zeroed arena. */
void arena_finish(struct arena *arena);
