#include "collectors/snapshot/snapshot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"
#include "collectors/snapshot/part_without.h"
#include "core/clock.h"
#include "core/condition.h"
#include "core/log.h"
#include "core/memory.h"

struct snapshot_store {
    pthread_mutex_t lock; /* guards current; held for a pointer swap or a reference */
    pthread_cond_t changed;
    struct snapshot *current;
    int64_t looked_at; /* nothing in current is stale at this second; -1 = nobody has looked */
    struct proof_board *proofs;
    struct asked_board *asked;
};

struct snapshot *snapshot_create(struct source_list *sources)
{
    struct snapshot *empty = MEMORY_NEW(struct snapshot);
    atomic_init(&empty->references, 1);
    source_list_acquire(sources);
    empty->sources = sources;
    empty->parts = MEMORY_ARRAY(struct part *, sources->count);
    empty->status = MEMORY_ARRAY(struct source_status, sources->count);
    return empty;
}

/* Where a source stands in the snapshot, or the count of sources when it does not. */
static size_t place_of(const struct snapshot *snapshot, const struct source *source)
{
    if (source->list == snapshot->sources)
        return source->index;
    const struct source *here = source_list_find(snapshot->sources, source->key);
    return here && here->collector == source->collector ? here->index : snapshot->sources->count;
}

struct part *snapshot_part(const struct snapshot *snapshot, const struct source *source)
{
    size_t place = place_of(snapshot, source);
    return place < snapshot->sources->count ? snapshot->parts[place] : NULL;
}

struct part *snapshot_findings(const struct snapshot *snapshot, const struct source *source)
{
    struct part *part = snapshot_part(snapshot, source);
    return part && !part->summary ? part : NULL;
}

struct part *snapshot_part_of(const struct snapshot *snapshot, const struct collector *collector,
                              const char *tenant)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        if (source->collector == collector && snapshot->parts[i] &&
            (!tenant || !strcmp(source->tenant, tenant)))
            return snapshot->parts[i];
    }
    return NULL;
}

const struct source_status *snapshot_status(const struct snapshot *snapshot,
                                            const struct source *source)
{
    static const struct source_status none;
    size_t place = place_of(snapshot, source);
    return place < snapshot->sources->count ? &snapshot->status[place] : &none;
}

struct snapshot_store *snapshot_store_create(struct source_list *sources)
{
    struct snapshot_store *store = MEMORY_NEW(struct snapshot_store);
    store->current = snapshot_create(sources);
    store->looked_at = -1;
    store->proofs = proof_board_create();
    store->asked = asked_board_create();
    pthread_mutex_init(&store->lock, NULL);
    condition_init(&store->changed);
    return store;
}

void snapshot_store_destroy(struct snapshot_store *store)
{
    if (!store)
        return;
    snapshot_release(store->current);
    proof_board_destroy(store->proofs);
    asked_board_destroy(store->asked);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

struct proof_board *snapshot_store_proofs(const struct snapshot_store *store)
{
    return store->proofs;
}

struct asked_board *snapshot_store_asked(const struct snapshot_store *store)
{
    return store->asked;
}

/* The next snapshot: what the current one has of these sources, with a reference on each part; the
 * lock is held. */
static struct snapshot *copy_current(const struct snapshot_store *store,
                                     struct source_list *sources)
{
    const struct snapshot *current = store->current;
    struct snapshot *copy = snapshot_create(sources);
    for (size_t i = 0; i < sources->count; i++) {
        copy->parts[i] = snapshot_part(current, &sources->sources[i]);
        copy->status[i] = *snapshot_status(current, &sources->sources[i]);
        if (copy->parts[i])
            part_acquire(copy->parts[i]);
    }
    copy->generation = current->generation + 1;
    return copy;
}

/* Make `next` current, wake the waiting, and let the one before go (outside the lock). */
static void swap_current(struct snapshot_store *store, struct snapshot *next, struct part *old)
{
    struct snapshot *before = store->current;
    store->current = next;
    store->looked_at = -1;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    part_release(old);
    snapshot_release(before);
}

void snapshot_store_configure(struct snapshot_store *store, struct source_list *sources)
{
    pthread_mutex_lock(&store->lock);
    if (source_list_equal(store->current->sources, sources))
        pthread_mutex_unlock(&store->lock);
    else
        swap_current(store, copy_current(store, sources), NULL);
}

struct source_list *snapshot_store_sources(struct snapshot_store *store)
{
    pthread_mutex_lock(&store->lock);
    struct source_list *sources = store->current->sources;
    source_list_acquire(sources);
    pthread_mutex_unlock(&store->lock);
    return sources;
}

/* Put a part, or NULL, and a status, or the old one, in the place of a source. */
static void put(struct snapshot_store *store, const struct source *source, struct part *take,
                const struct source_status *status, bool keep)
{
    pthread_mutex_lock(&store->lock);
    size_t place = place_of(store->current, source);
    if (place == store->current->sources->count) {
        pthread_mutex_unlock(&store->lock);
        part_release(take);
        return;
    }
    struct snapshot *next = copy_current(store, store->current->sources);
    struct part *old = keep ? NULL : next->parts[place];
    if (take)
        take->generation = next->generation;
    if (!keep)
        next->parts[place] = take;
    if (status)
        next->status[place] = *status;
    swap_current(store, next, old);
}

void snapshot_publish(struct snapshot_store *store, const struct source *source, struct part *take,
                      const struct source_status *status)
{
    put(store, source, take, status, !take);
}

bool snapshot_amend(struct snapshot_store *store, const struct source *source,
                    const struct part *before, struct part *take)
{
    pthread_mutex_lock(&store->lock);
    size_t place = place_of(store->current, source);
    if (place == store->current->sources->count || store->current->parts[place] != before) {
        pthread_mutex_unlock(&store->lock);
        part_release(take);
        return false;
    }
    struct snapshot *next = copy_current(store, store->current->sources);
    struct part *old = next->parts[place];
    take->generation = next->generation;
    next->parts[place] = take;
    swap_current(store, next, old);
    return true;
}

void snapshot_drop(struct snapshot_store *store, const struct source *source)
{
    put(store, source, NULL, NULL, false);
}

static bool is_stale(const struct snapshot *snapshot, size_t place, int64_t now)
{
    const struct part *part = snapshot->parts[place];
    int64_t limit_ms = snapshot->status[place].max_staleness_ms;
    return part && limit_ms && (now - part->collected_at) * 1000 > limit_ms;
}

/* What is to be shown in the place of a part; the part itself when nothing in it is too old. */
static struct part *without_stale(const struct snapshot *snapshot, size_t place, int64_t now)
{
    struct part *part = snapshot->parts[place];
    int64_t limit_ms = snapshot->status[place].max_staleness_ms;
    if (!part || !limit_ms)
        return part;
    if (is_stale(snapshot, place, now))
        return NULL;
    struct part *lighter = part_without_old(part, now - limit_ms / 1000);
    return lighter ? lighter : part;
}

/* Make a snapshot current in which nothing is stale: no part, and nothing that is carried over in a
 * part. Returns the one before, NULL when nothing was stale; the lock is held. */
static struct snapshot *expire(struct snapshot_store *store, int64_t now)
{
    struct snapshot *before = store->current, *next = NULL;
    if (now == store->looked_at)
        return NULL;
    store->looked_at = now;
    for (size_t i = 0; i < before->sources->count; i++) {
        struct part *shown = without_stale(before, i, now);
        if (shown == before->parts[i])
            continue;
        next = next ? next : copy_current(store, before->sources);
        part_release(next->parts[i]); /* before has it still */
        next->parts[i] = shown;
        if (shown)
            shown->generation = next->generation;
    }
    if (!next)
        return NULL;
    store->current = next;
    pthread_cond_broadcast(&store->changed);
    return before;
}

/* Say what was forgotten between two snapshots, and let the first go. */
static void report_expired(struct snapshot *before, const struct snapshot *after)
{
    for (size_t i = 0; before && i < before->sources->count; i++)
        if (before->parts[i] && !after->parts[i])
            log_error(MSG("data are older than max staleness and no longer shown"),
                      TEXT("collector", before->sources->sources[i].name));
        else if (before->parts[i] != after->parts[i])
            log_warn(MSG("what was known of subscriptions that cannot be read is too old to show"),
                     TEXT("collector", before->sources->sources[i].name));
    snapshot_release(before);
}

struct snapshot *snapshot_acquire(struct snapshot_store *store, int64_t now)
{
    pthread_mutex_lock(&store->lock);
    struct snapshot *before = expire(store, now);
    struct snapshot *snapshot = snapshot_hold(store->current);
    pthread_mutex_unlock(&store->lock);
    report_expired(before, snapshot);
    return snapshot;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < snapshot->sources->count; i++)
        part_release(snapshot->parts[i]);
    free(snapshot->parts);
    free(snapshot->status);
    source_list_release(snapshot->sources);
    free(snapshot);
}

uint64_t snapshot_generation(struct snapshot_store *store, int64_t now)
{
    struct snapshot *snapshot = snapshot_acquire(store, now);
    uint64_t generation = snapshot->generation;
    snapshot_release(snapshot);
    return generation;
}

uint64_t snapshot_wait(struct snapshot_store *store, uint64_t seen, int64_t timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    pthread_mutex_lock(&store->lock);
    while (store->current->generation == seen &&
           condition_wait(&store->changed, &store->lock, until_ms))
        continue;
    uint64_t generation = store->current->generation;
    pthread_mutex_unlock(&store->lock);
    return generation;
}

bool snapshot_is_ready(const struct snapshot *snapshot)
{
    bool wants_data = false, has_data = false;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        bool data = snapshot->sources->sources[i].collector->role == COLLECTOR_DATA;
        const struct source_status *status = &snapshot->status[i];
        if (!status->enabled)
            continue;
        if (!status->attempted && !snapshot->parts[i])
            return false;
        wants_data = wants_data || data;
        has_data = has_data || (data && snapshot->parts[i]);
    }
    return has_data || !wants_data;
}
