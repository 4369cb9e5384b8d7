#pragma once
/* What is known right now: one immutable, reference-counted part per source, swapped whole.
 * Collectors build a part with no lock held; readers hold a snapshot as long as they like. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/snapshot/asked.h"
#include "collectors/snapshot/part.h"

/* How a collector's last run went. */
struct source_status {
    bool enabled, attempted, success;
    struct error error; /* of the last failed run; code ERROR_NONE after a success */
    int64_t started_at, last_success_at, duration_ms;
    int64_t interval_ms;      /* as configured */
    int64_t max_staleness_ms; /* older data are not shown; 0 = for ever */
    size_t rows;              /* of the last run, complete or not */
    bool truncated;
    struct odd_rows odd; /* of the last run that was complete */
    int failures;        /* in a row */
};

struct snapshot {
    atomic_int references;
    uint64_t generation;
    struct source_list *sources;
    struct part **parts; /* by index of the source; NULL = never, or older than max staleness */
    struct source_status *status; /* beside them */
};

/* The part of the source of this collector in a tenant, NULL = of any; NULL when there is none. */
struct part *snapshot_part_of(const struct snapshot *snapshot, const struct collector *collector,
                              const char *tenant);

/* The part of a source, and how it stands; also of a source of another list, found by its key.
 * NULL, and one that is not enabled, when the snapshot knows no such source. */
struct part *snapshot_part(const struct snapshot *snapshot, const struct source *source);
/* The same for who looks for findings: NULL, too, when it is a summary. */
struct part *snapshot_findings(const struct snapshot *snapshot, const struct source *source);
const struct source_status *snapshot_status(const struct snapshot *snapshot,
                                            const struct source *source);

/* A snapshot of nothing, of generation 0; the caller releases it. */
struct snapshot *snapshot_create(struct source_list *sources);

struct snapshot_store;
struct snapshot_store *snapshot_store_create(struct source_list *sources);
void snapshot_store_destroy(struct snapshot_store *store);

/* Where the evaluator asks what the runner is to prove. */
struct proof_board *snapshot_store_proofs(const struct snapshot_store *store);

/* Where it asks what is answered about resources. */
struct asked_board *snapshot_store_asked(const struct snapshot_store *store);

/* Go on with other sources: parts and statuses of those that stay are kept. Wakes snapshot_wait
 * when something changed. */
void snapshot_store_configure(struct snapshot_store *store, struct source_list *sources);

/* The current list, with a reference. */
struct source_list *snapshot_store_sources(struct snapshot_store *store);

/* Publish what a collector found; readers see all of it or none.
 * part:   owned from now on; NULL keeps the last good part (a failed run).
 * status: copied; status->error says why when part is NULL.
 * Wakes snapshot_wait. Never fails, never blocks on a reader. Any thread. A source
 * that is no longer in the list is not published. */
void snapshot_publish(struct snapshot_store *store, const struct source *source, struct part *part,
                      const struct source_status *status);

/* Put a part in the place of the one it was made from; how its source stands is the same. False
 * when there is another by now. take: owned from now on, in any case. Wakes snapshot_wait. */
bool snapshot_amend(struct snapshot_store *store, const struct source *source,
                    const struct part *before, struct part *take);

/* Forget the part of a source that is switched off. Wakes snapshot_wait. */
void snapshot_drop(struct snapshot_store *store, const struct source *source);

/* The current snapshot at this instant; the caller releases it. Never NULL. Any thread.
 * Whether data are too old is decided here and nowhere else: a part that is older than its source's
 * max staleness, whatever its collector is doing meanwhile, is forgotten, logged once, and makes a
 * new generation. So is what a part carries over of a subscription: it is taken out. */
struct snapshot *snapshot_acquire(struct snapshot_store *store, int64_t now);
void snapshot_release(struct snapshot *snapshot);

/* The same snapshot with one more reference. */
struct snapshot *snapshot_hold(struct snapshot *snapshot);

/* The generation of what snapshot_acquire gives at this instant. */
uint64_t snapshot_generation(struct snapshot_store *store, int64_t now);

/* Wait until the generation is not `seen` any more, at most timeout_ms. Returns the generation. */
uint64_t snapshot_wait(struct snapshot_store *store, uint64_t seen, int64_t timeout_ms);

/* True when every enabled collector has run once and there are data to show: a collector that keeps
 * failing does not keep the others from being scraped. */
bool snapshot_is_ready(const struct snapshot *snapshot);
