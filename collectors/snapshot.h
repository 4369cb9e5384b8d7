#pragma once
/* What is known right now: one immutable, reference-counted part per collector, swapped whole.
 * Collectors build a part with no lock held; readers hold a snapshot as long as they like. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/finding.h"
#include "core/arena.h"
#include "core/error.h"
#include "core/intern.h"

/* An assessment (recommendation) as the rows of one part name it. */
struct part_assessment {
    const char *id, *title, *category; /* in the part's strings */
    enum severity severity;
};

/* An open finding, compact: 64 bytes, texts as numbers of part.strings. */
struct part_finding {
    struct finding_id id;
    uint32_t assessment; /* index into part.assessments */
    uint32_t subscription, group, type, risk_factors;
    uint32_t middle;  /* id between the group and the last segment: "/providers/ns/type" */
    const char *name; /* the last segment, or the whole id when it is no ARM id */
    uint32_t first_seen_at, changed_at; /* Unix seconds */
    uint16_t attack_paths;
    uint8_t risk, severity;
    bool contextual, internet_exposed;
};

/* A row that is explicitly not open, and why. */
struct part_closed {
    struct finding_id id;
    uint8_t reason; /* enum finding_reason */
};

/* A subscription this part speaks for. Absence means something only inside the cover. */
struct part_cover {
    const char *subscription_id; /* lower case */
    int64_t collected_at;        /* older than the part's when carried over */
    bool carried;                /* not readable this time: its last data is shown, resolves nothing */
    const char *reason;          /* why it is carried; NULL otherwise */
};

struct part {
    atomic_int references;
    enum collector_id collector;
    uint64_t generation; /* of the store when published; 0 before */
    int64_t collected_at;
    size_t rows;
    bool truncated; /* Azure cut something we could only count: reported, never hidden */
    struct arena arena;
    struct intern strings;
    struct part_assessment *assessments;
    size_t assessment_count, assessment_capacity;
    struct part_finding *findings; /* sorted by id after part_seal */
    size_t finding_count, finding_capacity;
    struct part_closed *closed; /* sorted by id after part_seal */
    size_t closed_count, closed_capacity;
    struct part_cover *cover; /* sorted by subscription id */
    size_t cover_count, cover_capacity;
    void *own;                       /* the collector's aggregates */
    void (*own_finish)(void *own);   /* NULL when own lives in the arena */
};

/* A new, empty part with one reference, not yet visible to anybody. */
struct part *part_create(enum collector_id collector);

/* What a row says of one resource; texts are borrowed. */
struct part_row {
    const char *row_id;   /* the finding's identity; for ARM rows the assessment's own id */
    const char *assessment_id, *title, *category, *subscription_id, *resource_id, *resource_type;
    const char *risk_factors; /* joined with "," */
    enum risk_level risk;
    enum severity severity;
    bool contextual;
    int64_t attack_paths, first_seen_at, changed_at;
};
void part_add_open(struct part *part, const struct part_row *row);
void part_add_closed(struct part *part, const char *row_id, enum finding_reason reason);

/* Say that the part speaks for this subscription. */
void part_add_cover(struct part *part, const char *subscription_id, int64_t collected_at,
                    const char *carried_reason);

/* Sort everything. ERROR_INCOMPLETE when an id stands twice: rows moved between pages. */
bool part_seal(struct part *part, struct error *error) MUST_USE;

/* Copy the open findings of one subscription from an older part (before part_seal). */
void part_carry(struct part *part, const struct part *older, const char *subscription_id);

/* The cover entry of a subscription, or NULL. */
const struct part_cover *part_cover_find(const struct part *part, const char *subscription_id);

/* Position of an id among the open findings, or -1. */
ptrdiff_t part_find(const struct part *part, const struct finding_id *id);

/* Fill a view of finding number `index`. resource_id is written to scratch. */
enum { PART_ID_BYTES = 2048 };
void part_view(const struct part *part, size_t index, struct finding *view,
               char scratch[PART_ID_BYTES]);

void part_acquire(struct part *part);
void part_release(struct part *part); /* NULL is fine */

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
void snapshot_publish(struct snapshot_store *store, enum collector_id collector, struct part *take,
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

/* True when every enabled collector has succeeded at least once. */
bool snapshot_is_ready(const struct snapshot *snapshot);
