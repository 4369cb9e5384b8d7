#include "collectors/snapshot/snapshot.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/memory.h"

struct snapshot_store {
    pthread_mutex_t lock; /* guards current; held for a pointer swap or a reference */
    pthread_cond_t changed;
    struct snapshot *current;
};

struct snapshot_store *snapshot_store_create(void)
{
    struct snapshot_store *store = MEMORY_NEW(struct snapshot_store);
    struct snapshot *empty = MEMORY_NEW(struct snapshot);
    atomic_init(&empty->references, 1);
    store->current = empty;
    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&store->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return store;
}

void snapshot_store_destroy(struct snapshot_store *store)
{
    if (!store)
        return;
    snapshot_release(store->current);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* A copy of the current snapshot with a reference on each part; the lock is held. */
static struct snapshot *copy_current(const struct snapshot_store *store)
{
    struct snapshot *copy = MEMORY_NEW(struct snapshot);
    for (int i = 0; i < COLLECTOR_COUNT; i++) {
        copy->parts[i] = store->current->parts[i];
        copy->status[i] = store->current->status[i];
        if (copy->parts[i])
            part_acquire(copy->parts[i]);
    }
    copy->generation = store->current->generation + 1;
    atomic_init(&copy->references, 1);
    return copy;
}

/* Make `next` current, wake the waiting, and let the one before go (outside the lock). */
static void swap_current(struct snapshot_store *store, struct snapshot *next, struct part *old)
{
    struct snapshot *before = store->current;
    store->current = next;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    part_release(old);
    snapshot_release(before);
}

void snapshot_publish(struct snapshot_store *store, enum collector_id collector, struct part *part,
                      const struct source_status *status)
{
    pthread_mutex_lock(&store->lock);
    struct snapshot *next = copy_current(store);
    struct part *old = NULL;
    if (part) {
        old = next->parts[collector];
        part->generation = next->generation;
        next->parts[collector] = part;
    }
    next->status[collector] = *status;
    swap_current(store, next, old);
}

void snapshot_drop(struct snapshot_store *store, enum collector_id collector)
{
    pthread_mutex_lock(&store->lock);
    struct snapshot *next = copy_current(store);
    struct part *old = next->parts[collector];
    next->parts[collector] = NULL;
    swap_current(store, next, old);
}

struct snapshot *snapshot_acquire(struct snapshot_store *store)
{
    pthread_mutex_lock(&store->lock);
    struct snapshot *snapshot = store->current;
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&store->lock);
    return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
    if (!snapshot ||
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < COLLECTOR_COUNT; i++)
        part_release(snapshot->parts[i]);
    free(snapshot);
}

uint64_t snapshot_generation(struct snapshot_store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t generation = store->current->generation;
    pthread_mutex_unlock(&store->lock);
    return generation;
}

uint64_t snapshot_wait(struct snapshot_store *store, uint64_t seen, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&store->lock);
    while (store->current->generation == seen)
        if (pthread_cond_timedwait(&store->changed, &store->lock, &until))
            break;
    uint64_t generation = store->current->generation;
    pthread_mutex_unlock(&store->lock);
    return generation;
}

bool snapshot_is_ready(const struct snapshot *snapshot)
{
    bool wants_data = false, has_data = false;
    for (int i = 0; i < COLLECTOR_COUNT; i++) {
        const struct source_status *status = &snapshot->status[i];
        if (!status->enabled)
            continue;
        if (!status->attempted && !snapshot->parts[i])
            return false;
        wants_data = wants_data || i > COLLECTOR_catalogue;
        has_data = has_data || (i > COLLECTOR_catalogue && snapshot->parts[i]);
    }
    return has_data || !wants_data;
}
