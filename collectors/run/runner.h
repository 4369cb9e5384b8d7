#pragma once
/* Runs the collectors: one worker each, at its interval, within its timeout; publishes whole parts
 * and never lets one failure touch another. */
#include "collectors/azure/arm.h"
#include "collectors/collector.h"
#include "collectors/scope.h"
#include "collectors/waivers.h"
#include "core/options.h"

/* `collectors.<name>` of the configuration: how a source is run. */
struct runner_source {
    bool enabled;
    int64_t interval_ms, timeout_ms;
    double share;                /* of the requests of a window, while others wait; 1 = all */
    int variant;                 /* index into collector.variants */
    int detail;                  /* 1 = its summary, whatever the variant */
    struct option_items waivers; /* struct waiver: of a source whose findings are baseline rules */
    bool fast;                   /* of a collector with a fast lane (fast.h) */
    int64_t fast_interval_ms, fast_overlap_ms;
};

/* The rows of one collector, with its own words and defaults; in the arena. */
const struct option *runner_source_options(const struct collector *collector, struct arena *arena);

/* `collector`: what holds for all of them. */
struct runner_common {
    int64_t max_staleness_ms; /* 0, or less than its interval = three intervals of a source */
    bool disable_defaults;
    int risk_when_missing; /* enum runner_risk */
};
enum runner_risk { RUNNER_RISK_NOT_EVALUATED, RUNNER_RISK_SEVERITY };
extern const struct option runner_common_options[];

/* Derive what is not given: time-outs from intervals. */
void runner_complete(struct runner_source *sources, size_t count);

/* Which variant of its collector is read. */
int runner_variant(const struct runner_source *settings, const struct source *source);

struct runner_config {
    struct source_list *sources;
    const struct runner_source *settings; /* one a source, by its index */
    struct arm *const *arms; /* whom each asks, beside them; borrowed, and outlive the runner */
    struct runner_common common;
    struct scope_config scope;
    struct option_texts tags;      /* for the sources that ask for them: without, those are off */
    bool callers;                  /* names of those who changed something may be kept */
    struct metric_store *metrics;  /* for the fast lane; NULL = nothing is counted */
    const struct collect_ear *ear; /* who hears what comes of each query; borrowed; NULL = nobody */
    const char *storage_path;      /* where the catalogue is kept between runs; NULL = nowhere */
};

/* Whether a source must have tried before another one runs, which reads a variant: both are of one
 * tenant, and it is its discovery, or a reference the variant needs. */
bool runner_is_needed(const struct source *source, const struct source *by,
                      const struct variant *variant);

/* For how long kept data spare the first run: until they are an interval old. 0 = it is due, as
 * with data of the future. */
int64_t runner_fresh_ms(const struct source_status *status, int64_t now);

struct runner;

/* config is copied; the store goes on with its sources; store and metrics are borrowed and outlive
 * the runner. */
struct runner *runner_create(const struct runner_config *config, struct snapshot_store *store);
void runner_destroy(struct runner *runner);

/* Start one worker per enabled source. */
void runner_start(struct runner *runner);

/* Stop them all: requests in flight are cancelled; under two seconds. */
void runner_stop(struct runner *runner);

/* Go on with other settings. A source whose own did not change is left alone, with the run it is
 * in; new times hold from its next run on; only one that is switched, asks for something else or
 * for other subscriptions begins anew. config: its sources equal those of the runner; storage_path
 * and arms are not looked at. */
void runner_configure(struct runner *runner, const struct runner_config *config);

/* Run one source now on the calling thread and publish; for --once and tests. False when the
 * run failed (its status says why). */
bool runner_run(struct runner *runner, const struct source *source);

/* Everything the snapshot says, as samples: every source's families and the status families.
 * Pure; any thread. */
void runner_emit(const struct snapshot *snapshot, struct metric_set *set);

/* What of it one source tells, as if it were on; place: its index in the snapshot. */
void runner_emit_source(const struct snapshot *snapshot, size_t place, struct metric_set *set);

/* The same is no good any more: defender_up, appended before, is 0. */
void runner_emit_down(struct metric_set *set);

extern const struct family *const runner_families[]; /* defender_up and the like */
