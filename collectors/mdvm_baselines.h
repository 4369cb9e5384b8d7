#pragma once
/* Baselines of Microsoft Defender Vulnerability Management: profiles of benchmarks, and how many
 * devices meet them. The API knows no subscriptions: all is the tenant's. */
#include "collectors/snapshot/snapshot.h"

struct mdvm_baselines_profile {
    const char *id, *name, *benchmark, *version, *system, *level;
    uint64_t devices[2]; /* that meet it, and that do not */
};

/* The active profiles of a part, in the order they came; none when it is of another collector.
 * part: NULL is fine. */
const struct mdvm_baselines_profile *mdvm_baselines_profiles(const struct part *part,
                                                             size_t *count);
