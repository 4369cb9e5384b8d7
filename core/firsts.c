#include "core/firsts.h"

#include <stdlib.h>

#include "core/memory.h"

size_t firsts_put(struct firsts *firsts, const char *id, size_t length, size_t place)
{
    uint32_t number = intern_put(&firsts->ids, id, length);
    MEMORY_REACH(firsts->places, number, firsts->capacity);
    if (!firsts->places[number])
        firsts->places[number] = place + 1;
    return firsts->places[number] - 1;
}

size_t firsts_find(const struct firsts *firsts, const char *id, size_t length)
{
    uint32_t number = intern_find(&firsts->ids, id, length);
    return number < firsts->capacity ? firsts->places[number] - 1 : SIZE_MAX;
}

void firsts_finish(struct firsts *firsts)
{
    intern_finish(&firsts->ids);
    free(firsts->places);
    *firsts = (struct firsts){ 0 };
}
