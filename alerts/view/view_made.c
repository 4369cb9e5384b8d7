#include "alerts/view/view_made.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct view_made {
    pthread_mutex_t lock; /* guards the list */
    struct made {
        char *name;
        void *thing;
        void (*finish)(void *thing);
    } * list;
    size_t count, capacity;
};

struct view_made *view_made_create(void)
{
    struct view_made *made = MEMORY_NEW(struct view_made);
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

void view_made_destroy(struct view_made *made)
{
    if (!made)
        return;
    for (size_t i = 0; i < made->count; i++) {
        made->list[i].finish(made->list[i].thing);
        free(made->list[i].name);
    }
    free(made->list);
    pthread_mutex_destroy(&made->lock);
    free(made);
}

/* The lock is held. */
static void *find(const struct view_made *made, const char *name)
{
    for (size_t i = 0; i < made->count; i++)
        if (!strcmp(made->list[i].name, name))
            return made->list[i].thing;
    return NULL;
}

const void *view_made_find(struct view_made *made, const char *name)
{
    pthread_mutex_lock(&made->lock);
    const void *thing = find(made, name);
    pthread_mutex_unlock(&made->lock);
    return thing;
}

const void *view_made_keep(struct view_made *made, const char *name, void *thing,
                           void (*finish)(void *thing))
{
    pthread_mutex_lock(&made->lock);
    const void *first = find(made, name);
    if (!first) {
        MEMORY_GROW(made->list, made->count, made->capacity);
        made->list[made->count++] = (struct made){ memory_copy(name), thing, finish };
    }
    pthread_mutex_unlock(&made->lock);
    if (first)
        finish(thing);
    return first ? first : thing;
}
