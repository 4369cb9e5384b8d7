#include "core/arena.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { ARENA_FIRST_BYTES = 4 * 1024, ARENA_BLOCK_BYTES_MAX = 512 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t used, size;
    _Alignas(16) char bytes[];
};

static struct arena_block *block_add(struct arena *arena, size_t bytes)
{
    /* Each block as large as all before it: few for a large arena, small for a small one. */
    size_t size = arena->used_bytes < ARENA_FIRST_BYTES ? ARENA_FIRST_BYTES : arena->used_bytes;
    if (size > ARENA_BLOCK_BYTES_MAX)
        size = ARENA_BLOCK_BYTES_MAX;
    if (size < bytes)
        size = bytes;
    struct arena_block *block = memory_resize(NULL, sizeof *block + size);
    block->used = 0;
    block->size = size;
    block->older = arena->blocks;
    arena->blocks = block;
    return block;
}

static inline void *carve(struct arena *arena, size_t bytes, size_t alignment)
{
    struct arena_block *block = arena->blocks;
    size_t at = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;
    if (__builtin_expect(!block || bytes > block->size || at > block->size - bytes, false)) {
        block = block_add(arena, bytes);
        at = 0;
    }
    block->used = at + bytes;
    arena->used_bytes += bytes;
    return block->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    return carve(arena, bytes, 16);
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    return memset(carve(arena, bytes, 16), 0, bytes);
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
    char *copy = carve(arena, length + 1, 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;
    if (!kept)
        return;
    for (struct arena_block *block = kept->older, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    kept->older = NULL;
    kept->used = 0;
    arena->used_bytes = 0;
}

void arena_finish(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    *arena = (struct arena){ 0 };
}
