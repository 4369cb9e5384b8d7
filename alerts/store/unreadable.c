#include "alerts/store/unreadable.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/log.h"
#include "core/memory.h"

enum { NOTES_MAX = 1000 };

const char *const unreadable_words[] = { "active_alert", "group_state", "silence", NULL };

struct note {
    enum unreadable_table table;
    const char *key;
};
struct unreadable {
    bool tells;
    struct note *notes;
    size_t count, capacity;
    struct arena arena;
};

struct unreadable *unreadable_create(bool tells)
{
    struct unreadable *unreadable = MEMORY_NEW(struct unreadable);
    unreadable->tells = tells;
    return unreadable;
}

void unreadable_destroy(struct unreadable *unreadable)
{
    if (!unreadable)
        return;
    free(unreadable->notes);
    arena_finish(&unreadable->arena);
    free(unreadable);
}

void unreadable_note(struct unreadable *unreadable, enum unreadable_table table, const char *key,
                     const struct error *reason)
{
    for (size_t i = 0; i < unreadable->count; i++)
        if (unreadable->notes[i].table == table && !strcmp(unreadable->notes[i].key, key))
            return;
    if (unreadable->count == NOTES_MAX)
        return;
    MEMORY_GROW(unreadable->notes, unreadable->count, unreadable->capacity);
    unreadable->notes[unreadable->count++] =
        (struct note){ table, arena_text(&unreadable->arena, key) };
    if (unreadable->tells)
        log_warn(MSG("a row of the database cannot be read"),
                 TEXT("table", unreadable_words[table]), TEXT("key", key), ERR(reason));
}

size_t unreadable_count(const struct unreadable *unreadable, enum unreadable_table table)
{
    size_t count = 0;
    for (size_t i = 0; i < unreadable->count; i++)
        count += unreadable->notes[i].table == table;
    return count;
}
