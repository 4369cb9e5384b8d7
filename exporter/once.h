#pragma once
/* One run of every collector, for `run --once` and for `plan`. */
#include "exporter/engine.h"

/* Who collects. */
struct once {
    const struct engine *engine;
    struct snapshot_store *snapshots;
    bool off; /* those that are switched off, as if they were on, instead of those that are on */
    void (*ran)(void *context, const struct source *source); /* after each; NULL = nothing */
    void *context;
};

/* Run every enabled collector; of a tenant that cannot be reached, or signed in to, the first
 * alone. False when one failed. */
bool once_collect(const struct once *once) MUST_USE;
