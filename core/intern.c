#include "core/intern.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

static void slots_grow(struct intern *intern)
{
    uint32_t slot_count = intern->slot_count ? intern->slot_count * 2 : 256;
    uint32_t *slots = MEMORY_ARRAY(uint32_t, slot_count);
    for (uint32_t i = 1; i < intern->count; i++) {
        uint32_t at = intern->entries[i].hash & (slot_count - 1);
        while (slots[at])
            at = (at + 1) & (slot_count - 1);
        slots[at] = i + 1;
    }
    free(intern->slots);
    intern->slots = slots;
    intern->slot_count = slot_count;
}

static uint32_t entry_add(struct intern *intern, const char *text, size_t length, uint32_t hash)
{
    MEMORY_GROW(intern->entries, intern->count, intern->capacity);
    intern->entries[intern->count] = (struct intern_entry){
        .text = arena_copy(&intern->arena, text, length),
        .length = (uint32_t)length,
        .hash = hash,
    };
    return intern->count++;
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t slot_of(const struct intern *intern, const char *text, size_t length,
                        uint32_t hash)
{
    uint32_t mask = intern->slot_count - 1, at = hash & mask;
    for (; intern->slots[at]; at = (at + 1) & mask) {
        const struct intern_entry *entry = &intern->entries[intern->slots[at] - 1];
        if (entry->hash == hash && entry->length == length && !memcmp(entry->text, text, length))
            break;
    }
    return at;
}

uint32_t intern_put(struct intern *intern, const char *text, size_t length)
{
    if (!intern->count)
        entry_add(intern, "", 0, 0);
    if (!length)
        return 0;
    if (length >= UINT32_MAX || intern->count == UINT32_MAX - 1)
        memory_abort("too many texts to number");
    if (intern->count * 2 >= intern->slot_count)
        slots_grow(intern);
    uint32_t hash = (uint32_t)hash_bytes(text, length);
    uint32_t at = slot_of(intern, text, length, hash);
    if (!intern->slots[at])
        intern->slots[at] = entry_add(intern, text, length, hash) + 1;
    return intern->slots[at] - 1;
}

uint32_t intern_find(const struct intern *intern, const char *text, size_t length)
{
    if (!length)
        return 0;
    if (!intern->slot_count)
        return UINT32_MAX;
    uint32_t at = slot_of(intern, text, length, (uint32_t)hash_bytes(text, length));
    return intern->slots[at] - 1; /* a free slot is 0: UINT32_MAX */
}

const char *intern_text(const struct intern *intern, uint32_t number)
{
    return number < intern->count ? intern->entries[number].text : "";
}

void intern_finish(struct intern *intern)
{
    arena_finish(&intern->arena);
    free(intern->entries);
    free(intern->slots);
    *intern = (struct intern){ 0 };
}
