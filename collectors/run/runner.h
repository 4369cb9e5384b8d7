#pragma once
/* Runs the collectors: one worker each, at its interval, within its timeout; publishes whole parts
 * and never lets one failure touch another. */
#include "collectors/azure/arm.h"
#include "collectors/collector.h"

/* How a source is run. */
struct runner_source {
    bool enabled;
    int64_t interval_ms, timeout_ms;
    int variant; /* index into collector.variants */
};

struct runner_config {
    struct source_list *sources;
    const struct runner_source *settings; /* one a source, by its index */
    int64_t max_staleness_ms; /* 0 = three intervals of the collector */
    const char *const *include; /* subscription ids, include_count; none = all */
    size_t include_count;
    const char *const *exclude;
    size_t exclude_count;
    const char *storage_path; /* where the catalogue is kept between runs; NULL = nowhere */
};

struct runner;

/* config is copied; the store goes on with its sources; arm, store and metrics are borrowed and
 * outlive the runner. */
struct runner *runner_create(const struct runner_config *config, struct arm *arm,
                             struct snapshot_store *store);
void runner_destroy(struct runner *runner);

/* Start one worker per enabled source. */
void runner_start(struct runner *runner);

/* Stop them all: requests in flight are cancelled; under two seconds. */
void runner_stop(struct runner *runner);

/* Run one source now on the calling thread and publish; for --once and tests. False when the
 * run failed (its status says why). */
bool runner_run(struct runner *runner, const struct source *source);

/* Everything the snapshot says, as samples: every source's families and the status families.
 * Pure; any thread. */
void runner_emit(const struct snapshot *snapshot, struct metric_set *set);

extern const struct family *const runner_families[]; /* defender_up and the like */
