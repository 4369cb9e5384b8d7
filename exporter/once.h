#pragma once
/* One run of every collector, for `run --once`. */
#include "exporter/config.h"

/* Who collects. */
struct once {
    const struct config *config;
    struct arm *arm;
    struct runner *runner;
    struct snapshot_store *snapshots;
};

/* Run every enabled collector, until it is clear that Azure cannot be reached. False when one
 * failed. */
bool once_collect(const struct once *once) MUST_USE;
