#include "exporter/engine.h"

#include <stdlib.h>

#include "collectors/azure/cloud.h"
#include "core/memory.h"

enum { SIGN_IN_MS = 4000 }; /* of who gives up early: what fails is told within five seconds */

static bool init_tenant(struct engine_tenant *tenant, const struct auth_config *config,
                        const struct engine_needs *needs, struct error *error)
{
    const char *hosts[AUTH_RESOURCE_COUNT];
    for (int resource = 0; resource < AUTH_RESOURCE_COUNT; resource++) {
        struct auth_config azure = *config; /* its texts stay the configuration's */
        azure.resource = (enum auth_resource)resource;
        azure.sign_in_ms = needs->gives_up_early ? SIGN_IN_MS : 0;
        hosts[resource] = auth_config_host(&azure, azure.resource);
        tenant->auths[resource] = auth_create(&azure, needs->metrics, error);
        if (!tenant->auths[resource])
            return false;
    }
    const struct arm_config arm = {
        .resource_manager = hosts[AUTH_RESOURCE_MANAGER],
        .microsoft_graph = { hosts[AUTH_MICROSOFT_GRAPH], tenant->auths[AUTH_MICROSOFT_GRAPH] },
        .endpoint_api = { hosts[AUTH_DEFENDER_API], tenant->auths[AUTH_DEFENDER_API] },
        .gives_up_early = needs->gives_up_early,
    };
    tenant->arm = arm_create(&arm, tenant->auths[AUTH_RESOURCE_MANAGER], needs->metrics);
    return true;
}

static void finish_tenant(struct engine_tenant *tenant)
{
    arm_destroy(tenant->arm);
    for (int resource = 0; resource < AUTH_RESOURCE_COUNT; resource++)
        auth_destroy(tenant->auths[resource]);
}

static void create_runner(struct engine *engine, const struct engine_needs *needs)
{
    const struct source_list *sources = engine->config->sources;
    struct runner_config runner = config_runner(engine->config);
    struct arm **arms = MEMORY_ARRAY(struct arm *, sources->count);
    for (size_t i = 0; i < sources->count; i++)
        arms[i] = engine_tenant_of(engine, &sources->sources[i])->arm;
    runner.arms = arms;
    runner.storage_path = needs->storage_path;
    runner.metrics = needs->metrics;
    runner.ear = needs->ear;
    engine->runner = runner_create(&runner, needs->snapshots);
    free(arms);
}

bool engine_init(struct engine *engine, struct config *config, const struct engine_needs *needs,
                 struct error *error)
{
    size_t count = config_tenant_count(config);
    *engine = (struct engine){ .config = config,
                               .tenants = MEMORY_ARRAY(struct engine_tenant, count),
                               .tenant_count = count };
    for (size_t i = 0; i < count; i++)
        if (!init_tenant(&engine->tenants[i], config_tenant(config, i), needs, error)) {
            engine_finish(engine);
            return false;
        }
    create_runner(engine, needs);
    return true;
}

void engine_finish(struct engine *engine)
{
    runner_destroy(engine->runner);
    for (size_t i = 0; i < engine->tenant_count; i++)
        finish_tenant(&engine->tenants[i]);
    free(engine->tenants);
    config_destroy(engine->config);
    *engine = (struct engine){ 0 };
}

const struct engine_tenant *engine_tenant_of(const struct engine *engine,
                                             const struct source *source)
{
    return &engine->tenants[config_tenant_of(engine->config, source)];
}

bool engine_fits(const struct engine *engine, const struct config *config)
{
    const struct config *before = engine->config;
    bool same = source_list_equal(before->sources, config->sources) &&
                config_tenant_count(before) == config_tenant_count(config);
    for (size_t i = 0; same && i < config_tenant_count(config); i++)
        same = options_hash(auth_config_options, config_tenant(before, i), OPTIONS_HASH_OURS) ==
               options_hash(auth_config_options, config_tenant(config, i), OPTIONS_HASH_OURS);
    return same;
}

const struct status_tenant *engine_tenants(const struct engine *engine, struct arena *arena)
{
    struct status_tenant *tenants =
        arena_zalloc(arena, (engine->tenant_count + 1) * sizeof *tenants);
    for (size_t i = 0; i < engine->tenant_count; i++) {
        struct auth *auth = engine->tenants[i].auths[AUTH_RESOURCE_MANAGER];
        const struct auth_config *config = config_tenant(engine->config, i);
        tenants[i] = (struct status_tenant){
            .name = config->name ? config->name : "",
            .identity = auth_method_text(auth),
            .tenant_id = auth_tenant_id(auth),
            .cloud = cloud_table[config->cloud].name,
        };
    }
    return tenants;
}
