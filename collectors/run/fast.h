#pragma once
/* The fast lane of a source: between two sweeps it looks, every so often, at the rows whose status
 * changed, so that a finding is told of a minute after Azure knows it and not when the next sweep
 * is over. It may open, reopen, re-rate and, by an explicit row, resolve; it concludes nothing from
 * absence, and the sweep stays the truth: what is published is its part with the rows of a look.
 *
 * A sweep takes minutes, and the lane goes on meanwhile. What it told since the sweep began may be
 * newer than the page the sweep read it from, so such a sweep ends with a look of its own. */
#include "collectors/azure/arm.h"
#include "collectors/collector.h"
#include "core/metric.h"

/* What may change while it runs. */
struct fast_settings {
    bool enabled;
    int64_t interval_ms; /* 0 = by the rows there are */
    int64_t overlap_ms;  /* how far a look goes back behind the one before */
    bool severity_rates;
};

/* Fill in whose rows are wanted. Returns the subscriptions to ask about, count of them, for the
 * caller to free; NULL = the tenant. */
typedef const char **fast_scope(void *owner, const struct snapshot *snapshot,
                                struct collect_context *context, size_t *count);

struct fast_config {
    const struct source *source;
    struct arm *arm;
    struct snapshot_store *store;
    struct metric_store *metrics; /* NULL = nothing is counted */
    fast_scope *scope;
    void *owner;
};

/* How often it looks at so many rows: as configured, else every minute, and twice as often where a
 * sweep takes more than half a minute of the quota. */
int64_t fast_interval_ms(int64_t configured_ms, size_t rows);

/* The instant a look goes back to: before all that the last sweep and the last look may have
 * missed, because the index was behind or the clocks disagree. Unix seconds. */
int64_t fast_since(int64_t collected_at, int64_t looked_at, int64_t overlap_ms);

struct fast;
struct fast *fast_create(const struct fast_config *config);
void fast_destroy(struct fast *fast); /* NULL is fine, as for all that follows */

/* Any thread. */
void fast_configure(struct fast *fast, const struct fast_settings *settings);

/* Start its thread, for a variant with `changed`; else nothing happens. */
void fast_start(struct fast *fast, const struct variant *variant);

/* Its look, if any, ends soon; and wait for that. */
void fast_cancel(struct fast *fast);
void fast_join(struct fast *fast);

/* One look now on the calling thread, for tests: as its thread does. False when it failed. */
bool fast_look(struct fast *fast, const struct variant *variant);

/* All rows of a sweep have come that began then (clock_monotonic_ms): from here on the lane
 * publishes nothing, until fast_opened. *part: the sweep's, replaced when a look had news. False
 * and *error when what the lane told meanwhile could not be read again. On the thread of the sweep.
 */
bool fast_close(struct fast *fast, const struct variant *variant, struct arm_session *session,
                const struct collect_context *context, const char *const *scope, size_t scope_count,
                int64_t began_ms, struct part **part, struct error *error) MUST_USE;

/* The sweep is published, or failed. */
void fast_opened(struct fast *fast);

extern const struct family *const fast_families[]; /* what it counts */
