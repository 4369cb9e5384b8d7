#pragma once
/* What is known right now: one immutable, reference-counted part per collector, swapped whole.
 * Collectors build a part with no lock held; readers hold a snapshot as long as they like. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/snapshot/part.h"

/* How a collector's last run went. */
struct source_status {
    bool enabled, attempted, success;
    struct error error; /* of the last failed run; code ERROR_NONE after a success */
    int64_t started_at, last_success_at, duration_ms;
    int64_t interval_ms; /* as configured */
    size_t rows;         /* of the last run, complete or not */
    bool truncated;
    int failures; /* in a row */
};

struct snapshot {
    atomic_int references;
    uint64_t generation;
    struct part *parts[COLLECTOR_COUNT]; /* NULL = never, or older than max staleness */
    struct source_status status[COLLECTOR_COUNT];
};

struct snapshot_store;
struct snapshot_store *snapshot_store_create(void);
void snapshot_store_destroy(struct snapshot_store *store);

/* Publish what a collector found; readers see all of it or none.
 * part:   taken; NULL keeps the last good part (a failed run).
 * status: copied; status->error says why when part is NULL.
 * Wakes snapshot_wait. Never fails, never blocks on a reader. Any thread. */
void snapshot_publish(struct snapshot_store *store, enum collector_id collector, struct part *part,
                      const struct source_status *status);

/* Forget a part that is older than max staleness. Wakes snapshot_wait. */
void snapshot_drop(struct snapshot_store *store, enum collector_id collector);

/* The current snapshot; the caller releases it. Never NULL. Any thread. */
struct snapshot *snapshot_acquire(struct snapshot_store *store);
void snapshot_release(struct snapshot *snapshot);

/* The current generation, without taking a reference. */
uint64_t snapshot_generation(struct snapshot_store *store);

/* Wait until the generation is not `seen` any more, at most timeout_ms. Returns the generation. */
uint64_t snapshot_wait(struct snapshot_store *store, uint64_t seen, int64_t timeout_ms);

/* True when every enabled collector has run once and there are data to show: a collector that keeps
 * failing does not keep the others from being scraped. */
bool snapshot_is_ready(const struct snapshot *snapshot);
