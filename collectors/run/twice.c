#include "collectors/run/twice.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

struct twice_row {
    uint64_t id, content;
    uint32_t page;
};

/* Of a text without its case, which is one bit of a letter; of other characters that bit tells too
 * little to matter in a hash. A slash at the end makes no other id. */
static uint64_t hash_text(const char *text)
{
    uint64_t words[32];
    size_t length = strlen(text);
    while (length > 1 && text[length - 1] == '/')
        length--;
    uint64_t hash = length;
    for (size_t at = 0; at < length; at += sizeof words) {
        size_t count = length - at < sizeof words ? length - at : sizeof words;
        size_t used = (count + sizeof *words - 1) / sizeof *words;
        words[used - 1] = 0;
        memcpy(words, text + at, count);
        for (size_t i = 0; i < used; i++)
            words[i] |= UINT64_C(0x2020202020202020);
        uint64_t parts[] = { hash, hash_bytes(words, used * sizeof *words) };
        hash = hash_bytes(parts, sizeof parts);
    }
    return hash;
}

static uint64_t hash_name(const char *name)
{
    return name ? hash_bytes(name, strlen(name)) : 0;
}

/* Of a value and all in it. */
static uint64_t hash_value(const struct json *value)
{
    const char *text = json_text(value);
    double number = json_number(value, json_bool(value, false));
    uint64_t hash = text ? hash_text(text) : hash_bytes(&number, sizeof number);
    for (const struct json *at = json_first(value); at; at = json_next(at)) {
        uint64_t parts[] = { hash, json_type(at), hash_name(json_name(at)), hash_value(at) };
        hash = hash_bytes(parts, sizeof parts);
    }
    return hash;
}

static void put(struct twice *twice, uint64_t id, uint32_t number)
{
    size_t at = id & (twice->slot_count - 1);
    while (twice->slots[at])
        at = (at + 1) & (twice->slot_count - 1);
    twice->slots[at] = number;
}

static void grow(struct twice *twice)
{
    if (twice->count * 2 < twice->slot_count)
        return;
    free(twice->slots);
    twice->slot_count = twice->slot_count ? twice->slot_count * 2 : 64;
    twice->slots = MEMORY_ARRAY(uint32_t, twice->slot_count);
    for (size_t i = 0; i < twice->count; i++)
        put(twice, twice->rows[i].id, (uint32_t)i + 1);
}

static const struct twice_row *find(const struct twice *twice, uint64_t id)
{
    for (size_t at = id & (twice->slot_count - 1); twice->slots[at];
         at = (at + 1) & (twice->slot_count - 1))
        if (twice->rows[twice->slots[at] - 1].id == id)
            return &twice->rows[twice->slots[at] - 1];
    return NULL;
}

enum twice_kind twice_look(struct twice *twice, const char *id, const struct json *row, size_t page)
{
    struct twice_row now = { hash_text(id), hash_value(row), (uint32_t)page };
    grow(twice);
    const struct twice_row *before = find(twice, now.id);
    if (before) {
        twice->moved += before->page == now.page ? 0 : now.id;
        return before->content == now.content ? TWICE_EQUAL : TWICE_OTHER;
    }
    MEMORY_GROW(twice->rows, twice->count, twice->capacity);
    twice->rows[twice->count++] = now;
    put(twice, now.id, (uint32_t)twice->count);
    return TWICE_NEW;
}

void twice_finish(struct twice *twice)
{
    free(twice->rows);
    free(twice->slots);
    *twice = (struct twice){ .moved = twice->moved };
}
