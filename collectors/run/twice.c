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
static uint64_t hash_text(uint64_t state, const char *text)
{
    static const uint64_t no_case = UINT64_C(0x2020202020202020);
    uint64_t word;
    size_t length = strlen(text), at = 0;
    while (length > 1 && text[length - 1] == '/')
        length--;
    state = hash_step(state, length);
    for (; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        state = hash_step(state, word | no_case);
    }
    for (word = 0; at < length; at++)
        word = word << 8 | (unsigned char)text[at];
    return hash_step(state, word | no_case);
}

/* Of a value and all in it, by their names. */
static uint64_t hash_value(uint64_t state, const struct json *value)
{
    enum json_type type = json_type(value);
    state = hash_step(state, type);
    if (type == JSON_TEXT)
        return hash_text(state, json_text(value));
    if (type == JSON_NUMBER || type == JSON_BOOL) {
        double number = json_number(value, json_bool(value, false));
        return hash_step(state, hash_bytes(&number, sizeof number));
    }
    for (const struct json *at = json_first(value); at; at = json_next(at)) {
        const char *name = json_name(at);
        state = hash_value(name ? hash_text(state, name) : state, at);
    }
    return hash_step(state, type); /* where it ends */
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
    struct twice_row now = { hash_text(0, id), hash_value(0, row), (uint32_t)page };
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
