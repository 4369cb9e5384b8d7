#include "collectors/snapshot/source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"
#include "core/memory.h"

enum { KEY_MOST = 100 };

static int compare(const void *left, const void *right)
{
    static const int ranks[] = { [COLLECTOR_DISCOVERY] = 0,
                                 [COLLECTOR_REFERENCE] = 1,
                                 [COLLECTOR_DATA] = 2,
                                 [COLLECTOR_ANSWERS] = 2 };
    const struct source *a = left, *b = right;
    int order = ranks[a->collector->role] - ranks[b->collector->role];
    if (order)
        return order;
    if (a->collector->order != b->collector->order)
        return a->collector->order < b->collector->order ? -1 : 1;
    return strcmp(a->key, b->key);
}

bool source_key_is_valid(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_.-";
    size_t length = strspn(key, letters);
    return length && length <= KEY_MOST && !key[length] && *key != '.';
}

struct source_list *source_list_create(const struct source *sources, size_t count)
{
    struct source_list *list = MEMORY_NEW(struct source_list);
    atomic_init(&list->references, 1);
    list->count = count;
    list->sources = arena_zalloc(&list->arena, (count + 1) * sizeof *list->sources);
    for (size_t i = 0; i < count; i++) {
        assert(source_key_is_valid(sources[i].key));
        collector_acquire(sources[i].collector);
        list->sources[i] = (struct source){
            .collector = sources[i].collector,
            .tenant = arena_text(&list->arena, sources[i].tenant),
            .name = arena_text(&list->arena, sources[i].name),
            .key = arena_text(&list->arena, sources[i].key),
            .list = list,
            .tenant_id = arena_text(&list->arena, sources[i].tenant_id ? sources[i].tenant_id
                                                                       : sources[i].tenant),
            .portal = arena_text(&list->arena, sources[i].portal ? sources[i].portal : ""),
        };
    }
    qsort(list->sources, count, sizeof *list->sources, compare);
    for (size_t i = 0; i < count; i++) {
        assert(source_list_find(list, list->sources[i].key) == &list->sources[i]);
        list->sources[i].index = i;
    }
    return list;
}

struct source_list *source_list_of(const struct collector *const *kinds)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    size_t count = 0;
    while (kinds[count])
        count++;
    struct source *sources = arena_zalloc(&arena, (count + 1) * sizeof *sources);
    for (size_t i = 0; i < count; i++)
        sources[i] = (struct source){
            .collector = kinds[i],
            .tenant = "",
            .name = kinds[i]->name,
            .key = kinds[i]->name,
        };
    return source_list_create(sources, count);
}

void source_list_acquire(struct source_list *list)
{
    atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
}

void source_list_release(struct source_list *list)
{
    if (!list || atomic_fetch_sub_explicit(&list->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < list->count; i++)
        collector_release(list->sources[i].collector);
    arena_finish(&list->arena);
    free(list);
}

const struct source *source_list_find(const struct source_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->sources[i].key, key))
            return &list->sources[i];
    return NULL;
}

const struct source *source_list_named(const struct source_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->sources[i].name, name))
            return &list->sources[i];
    return NULL;
}

bool source_list_equal(const struct source_list *left, const struct source_list *right)
{
    if (left == right)
        return true;
    if (left->count != right->count)
        return false;
    for (size_t i = 0; i < left->count; i++) {
        const struct source *a = &left->sources[i], *b = &right->sources[i];
        if (a->collector != b->collector || strcmp(a->key, b->key) != 0 ||
            strcmp(a->name, b->name) != 0 || strcmp(a->tenant, b->tenant) != 0 ||
            strcmp(a->tenant_id, b->tenant_id) != 0 || strcmp(a->portal, b->portal) != 0)
            return false;
    }
    return true;
}
