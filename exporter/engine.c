#include "exporter/engine.h"

bool engine_init(struct engine *engine, struct config *config, const struct engine_needs *needs,
                 struct error *error)
{
    *engine = (struct engine){ .config = config };
    const char *hosts[AUTH_RESOURCE_COUNT];
    for (int resource = 0; resource < AUTH_RESOURCE_COUNT; resource++) {
        struct auth_config azure = config->azure; /* its texts stay the configuration's */
        azure.resource = (enum auth_resource)resource;
        hosts[resource] = auth_config_host(&azure, azure.resource);
        engine->auths[resource] = auth_create(&azure, needs->metrics, error);
        if (!engine->auths[resource]) {
            engine_finish(engine);
            return false;
        }
    }
    struct arm_config arm = {
        .resource_manager = hosts[AUTH_RESOURCE_MANAGER],
        .microsoft_graph = { hosts[AUTH_MICROSOFT_GRAPH], engine->auths[AUTH_MICROSOFT_GRAPH] },
        .endpoint_api = { hosts[AUTH_DEFENDER_API], engine->auths[AUTH_DEFENDER_API] },
        .gives_up_early = needs->gives_up_early,
    };
    engine->arm = arm_create(&arm, engine->auths[AUTH_RESOURCE_MANAGER], needs->metrics);
    struct runner_config runner = config_runner(config);
    runner.storage_path = needs->storage_path;
    runner.metrics = needs->metrics;
    engine->runner = runner_create(&runner, engine->arm, needs->snapshots);
    return true;
}

void engine_finish(struct engine *engine)
{
    runner_destroy(engine->runner);
    arm_destroy(engine->arm);
    for (int resource = 0; resource < AUTH_RESOURCE_COUNT; resource++)
        auth_destroy(engine->auths[resource]);
    config_destroy(engine->config);
    *engine = (struct engine){ 0 };
}

bool engine_fits(const struct engine *engine, const struct config *config)
{
    const struct config *before = engine->config;
    return source_list_equal(before->sources, config->sources) &&
           options_hash(auth_config_options, &before->azure, OPTIONS_HASH_OURS) ==
               options_hash(auth_config_options, &config->azure, OPTIONS_HASH_OURS);
}
