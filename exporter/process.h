#pragma once
/* What the system says of this process: the standard process_* metrics. One thread at a time. */
#include "core/metric.h"

struct process {
    int stat_fd;       /* /proc/self/stat, kept open */
    double started_at; /* Unix seconds */
};

/* Read /proc once; without /proc the metrics that need it are left out. */
void process_init(struct process *process);
void process_finish(struct process *process);

void process_emit(const struct process *process, struct metric_set *set);

extern const struct family *const process_families[];
