#include "collectors/azure/seen.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

bool seen_add_hash(struct seen *seen, uint64_t hash)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->hashes[i] == hash)
            return false;
    MEMORY_GROW(seen->hashes, seen->count, seen->capacity);
    seen->hashes[seen->count++] = hash;
    return true;
}

bool seen_add(struct seen *seen, const char *text)
{
    return seen_add_hash(seen, hash_bytes(text, strlen(text)));
}

void seen_finish(struct seen *seen)
{
    free(seen->hashes);
    *seen = (struct seen){ 0 };
}
