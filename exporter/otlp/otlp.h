#pragma once
/* Metrics and logs pushed to receivers of the OpenTelemetry Protocol (HTTP, protobuf), on a thread
 * of their own. Nothing is pushed, and no thread runs, without an endpoint. */
#include "alerts/alerting.h"
#include "exporter/otlp/otlp_samples.h"

/* All is borrowed and outlives it. */
struct otlp_needs {
    struct snapshot_store *snapshots;
    struct metric_store *metrics;
    struct alerting *alerting; /* NULL = nothing is kept, so there are no logs */
    const char *database_path; /* "" then */
    otlp_samples_read *read;   /* metrics as a scrape shows them */
    void *source;
};

/* `otlp` of one configuration. */
struct otlp_setup {
    const struct otlp_config *config;
    struct settings *settings; /* acquired: they keep the configuration alive */
    const char *portal;        /* host of links; "" = none */
};

/* Nothing runs yet; where the history is followed from is kept now, before anything happens. */
struct otlp *otlp_create(const struct otlp_needs *needs, const struct otlp_setup *setup);
void otlp_destroy(struct otlp *otlp); /* NULL is fine */

void otlp_start(struct otlp *otlp);
void otlp_stop(struct otlp *otlp);

/* Go on with another configuration; with an equal one everything is left alone. */
void otlp_configure(struct otlp *otlp, const struct otlp_setup *setup);

/* Do what is due on this thread; never while started. Returns the milliseconds until more may be.
 * now_ms: any even clock. */
int64_t otlp_run(struct otlp *otlp, int64_t now_ms, int64_t now_s);

extern const struct family *const *const otlp_families[]; /* NULL-terminated */
