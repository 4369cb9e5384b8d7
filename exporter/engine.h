#pragma once
/* What one configuration gives: sign-in, pacing and the collectors, to be run. */
#include "exporter/config.h"
#include "exporter/pages/status.h"

/* A tenant that is asked: each has its own credentials, connections and quotas. */
struct engine_tenant {
    struct auth *auths[AUTH_RESOURCE_COUNT]; /* Resource Manager's, and those of others */
    struct arm *arm;
};

struct engine {
    struct config *config;
    struct engine_tenant *tenants; /* by number, tenant_count of them */
    size_t tenant_count;
    struct runner *runner;
};

/* What it works with; borrowed, and outlives it. */
struct engine_needs {
    struct metric_store *metrics;
    struct snapshot_store *snapshots;
    const char *storage_path;      /* where is kept what collectors keep; NULL = nowhere */
    bool gives_up_early;           /* as in arm_config; signing in, too, has seconds */
    const struct collect_ear *ear; /* as in runner_config */
};

/* config is owned, also after a failure. */
bool engine_init(struct engine *engine, struct config *config, const struct engine_needs *needs,
                 struct error *error) MUST_USE;
void engine_finish(struct engine *engine);

/* Whether another configuration asks the same Azure for the same sources: tokens, quotas and the
 * runs under way stay. */
bool engine_fits(const struct engine *engine, const struct config *config);

/* The tenant a source asks. */
const struct engine_tenant *engine_tenant_of(const struct engine *engine,
                                             const struct source *source);

/* How each is asked, for the page; as many as there are. */
const struct status_tenant *engine_tenants(const struct engine *engine, struct arena *arena);
