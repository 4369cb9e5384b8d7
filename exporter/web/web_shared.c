#include "exporter/web/web_shared.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/memory.h"

/* It goes with its last reference, or with the answer, which others still send then. */
struct web_shared {
    atomic_uint references;
    struct buf bytes;
    pthread_mutex_t lock; /* what follows */
    bool making;          /* somebody makes the answer */
    struct MHD_Response *answer;
    struct web_shared_key key;
};

struct web_shared *web_shared_create(struct buf *bytes)
{
    struct web_shared *shared = MEMORY_NEW(struct web_shared);
    atomic_init(&shared->references, 1);
    pthread_mutex_init(&shared->lock, NULL);
    shared->bytes = *bytes;
    *bytes = (struct buf){ 0 };
    return shared;
}

const struct buf *web_shared_bytes(const struct web_shared *shared)
{
    return &shared->bytes;
}

void web_shared_acquire(struct web_shared *shared)
{
    atomic_fetch_add(&shared->references, 1);
}

static void destroy(void *context)
{
    struct web_shared *shared = context;
    buf_finish(&shared->bytes);
    pthread_mutex_destroy(&shared->lock);
    free(shared);
}

void web_shared_release(void *context)
{
    struct web_shared *shared = context;
    if (!shared || atomic_fetch_sub(&shared->references, 1) != 1)
        return;
    if (shared->answer)
        MHD_destroy_response(shared->answer); /* calls destroy when nobody is sending it */
    else
        destroy(shared);
}

/* Whether the caller is to make the answer. */
static bool begin(struct web_shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    bool first = !shared->answer && !shared->making;
    shared->making = shared->making || first;
    pthread_mutex_unlock(&shared->lock);
    return first;
}

static void make(struct web_shared *shared, struct web_shared_key key, web_shared_dress *dress,
                 void *context)
{
    struct MHD_Response *answer =
        memory_checked(MHD_create_response_from_buffer_with_free_callback_cls(
            shared->bytes.length, shared->bytes.data, destroy, shared));
    dress(context, answer);
    pthread_mutex_lock(&shared->lock);
    shared->key = key;
    shared->answer = answer;
    shared->making = false;
    pthread_mutex_unlock(&shared->lock);
}

struct MHD_Response *web_shared_answer(struct web_shared *shared, struct web_shared_key key,
                                       web_shared_dress *dress, void *context)
{
    if (begin(shared))
        make(shared, key, dress, context);
    pthread_mutex_lock(&shared->lock);
    bool same = shared->key.type == key.type && shared->key.number == key.number;
    struct MHD_Response *answer = same ? shared->answer : NULL;
    pthread_mutex_unlock(&shared->lock);
    return answer;
}
