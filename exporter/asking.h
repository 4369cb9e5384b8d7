#pragma once
/* One run of every collector that is on, of which everything is heard: for commands that look what
 * works. */
#include "exporter/engine.h"
#include "exporter/permissions.h"

/* What asks, for as long as it asks. */
struct asking {
    struct engine engine;
    struct metric_store *metrics;
    struct snapshot_store *snapshots;
    struct permissions *permissions;
    struct collect_ear ear;
};

/* Run them. asking: zeroed. config: owned from now on; only errors are logged, for what failed is
 * heard. False when nobody could be asked. */
bool asking_run(struct asking *asking, struct config *config, struct error *error) MUST_USE;
void asking_finish(struct asking *asking);
