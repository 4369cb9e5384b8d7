#pragma once
/* Runs the collectors: one worker each, at its interval, within its timeout; publishes whole parts
 * and never lets one failure touch another. */
#include "collectors/azure/arm.h"
#include "collectors/collector.h"

struct runner_collector {
    bool enabled;
    int64_t interval_ms, timeout_ms;
    int source; /* index into collector.sources */
};

struct runner_config {
    struct runner_collector collectors[COLLECTOR_COUNT];
    int64_t max_staleness_ms; /* 0 = three intervals of the collector */
    const char *const *include; /* subscription ids, include_count; none = all */
    size_t include_count;
    const char *const *exclude;
    size_t exclude_count;
    const char *storage_path; /* where the catalogue is kept between runs; NULL = nowhere */
};

struct runner;

/* config is copied; arm, store and metrics are borrowed and outlive the runner. */
struct runner *runner_create(const struct runner_config *config, struct arm *arm,
                             struct snapshot_store *store);
void runner_destroy(struct runner *runner);

/* Start one worker per enabled collector. */
void runner_start(struct runner *runner);

/* Stop them all: requests in flight are cancelled; under two seconds. */
void runner_stop(struct runner *runner);

/* Run one collector now on the calling thread and publish; for --once and tests. False when the
 * run failed (its status says why). */
bool runner_run(struct runner *runner, enum collector_id collector);

/* Everything the snapshot says, as samples: every collector's families and the status families.
 * Pure; any thread. */
void runner_emit(const struct snapshot *snapshot, struct metric_set *set);

extern const struct family *const runner_families[]; /* defender_up and the like */
