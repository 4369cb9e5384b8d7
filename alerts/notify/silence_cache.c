#include "alerts/notify/silence_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct silence_matchers {
    atomic_int references;
    const char *id, *text;
    struct match_list list;
    struct arena arena;
};
struct silence_cache {
    pthread_mutex_t lock;
    struct silence_matchers **kept; /* sorted by id */
    size_t count;
    struct silence_memo *memo;
};

struct silence_cache *silence_cache_create(void)
{
    struct silence_cache *cache = MEMORY_NEW(struct silence_cache);
    pthread_mutex_init(&cache->lock, NULL);
    cache->memo = silence_memo_create();
    return cache;
}

struct silence_memo *silence_cache_memo(const struct silence_cache *cache)
{
    return cache->memo;
}

static void release_all(struct silence_matchers **matchers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        silence_cache_release(matchers[i]);
    free(matchers);
}

void silence_cache_destroy(struct silence_cache *cache)
{
    if (!cache)
        return;
    release_all(cache->kept, cache->count);
    pthread_mutex_destroy(&cache->lock);
    silence_memo_destroy(cache->memo);
    free(cache);
}

/* --- one silence ------------------------------------------------------------------------------ */

static struct silence_matchers *compile(const char *id, const char *text, struct error *error)
{
    struct silence_matchers *matchers = MEMORY_NEW(struct silence_matchers);
    atomic_init(&matchers->references, 1);
    if (!match_parse(text, &matchers->list, &matchers->arena, error)) {
        silence_cache_release(matchers);
        return NULL;
    }
    if (!matchers->list.count) {
        error_set(error, ERROR_CONFIG, "there is no matcher");
        silence_cache_release(matchers);
        return NULL;
    }
    matchers->id = arena_text(&matchers->arena, id);
    matchers->text = arena_text(&matchers->arena, text);
    return matchers;
}

static int compare_id(const void *id, const void *matchers)
{
    return strcmp(id, (*(struct silence_matchers *const *)matchers)->id);
}

static struct silence_matchers *find(struct silence_cache *cache, const char *id, const char *text)
{
    pthread_mutex_lock(&cache->lock);
    struct silence_matchers **place =
        cache->count ? bsearch(id, cache->kept, cache->count, sizeof *cache->kept, compare_id)
                     : NULL;
    struct silence_matchers *found = place && !strcmp((*place)->text, text) ? *place : NULL;
    if (found)
        atomic_fetch_add(&found->references, 1);
    pthread_mutex_unlock(&cache->lock);
    return found;
}

struct silence_matchers *silence_cache_get(struct silence_cache *cache, const char *id,
                                           const char *text, struct error *error)
{
    struct silence_matchers *found = cache ? find(cache, id, text) : NULL;
    return found ? found : compile(id, text, error);
}

const struct match_list *silence_cache_list(const struct silence_matchers *matchers)
{
    return &matchers->list;
}

void silence_cache_release(struct silence_matchers *matchers)
{
    if (!matchers || atomic_fetch_sub(&matchers->references, 1) > 1)
        return;
    match_finish(&matchers->list);
    arena_finish(&matchers->arena);
    free(matchers);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
    return strcmp((*(struct silence_matchers *const *)left)->id,
                  (*(struct silence_matchers *const *)right)->id);
}

void silence_cache_keep(struct silence_cache *cache, struct silence_matchers *const *matchers,
                        size_t count)
{
    struct silence_matchers **kept = MEMORY_ARRAY(struct silence_matchers *, count);
    for (size_t i = 0; i < count; i++) {
        kept[i] = matchers[i];
        atomic_fetch_add(&kept[i]->references, 1);
    }
    qsort(kept, count, sizeof *kept, compare);
    pthread_mutex_lock(&cache->lock);
    struct silence_matchers **older = cache->kept;
    size_t older_count = cache->count;
    cache->kept = kept;
    cache->count = count;
    pthread_mutex_unlock(&cache->lock);
    release_all(older, older_count);
}
