#pragma once
/* One run of every collector, for `run --once` and for `plan`. */
#include "exporter/engine.h"

/* Who collects. */
struct once {
    const struct engine *engine;
    struct snapshot_store *snapshots;
    bool quiet; /* whoever asks says what failed: nothing is logged of it */
    bool off;   /* those that are switched off, as if they were on, instead of those that are on */
    void (*ran)(void *context, const struct source *source); /* after each; NULL = nothing */
    void *context;
};

/* Run every enabled collector; of a tenant that cannot be reached, or signed in to, the first
 * alone. False when one failed. */
bool once_collect(const struct once *once) MUST_USE;

/* False when all that was run until now failed and brought nothing: *error says why the first
 * did. */
bool once_answered(struct snapshot_store *snapshots, struct error *error) MUST_USE;
