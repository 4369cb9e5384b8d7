#include "exporter/asking.h"

#include "core/log.h"
#include "exporter/once.h"

bool asking_run(struct asking *asking, struct config *config, struct error *error)
{
    config->log.level = LOG_ERROR;
    log_configure(&config->log);
    asking->metrics = metric_store_create();
    asking->snapshots = snapshot_store_create(config->sources);
    asking->permissions = permissions_create(config->sources);
    asking->ear = (struct collect_ear){ permissions_hear, asking->permissions };
    const struct engine_needs needs = {
        .metrics = asking->metrics,
        .snapshots = asking->snapshots,
        .gives_up_early = true,
        .ear = &asking->ear,
    };
    if (!engine_init(&asking->engine, config, &needs, error))
        return false;
    const struct once once = { .engine = &asking->engine, .snapshots = asking->snapshots };
    bool worked = once_collect(&once);
    (void)worked; /* what did not was heard */
    return true;
}

void asking_finish(struct asking *asking)
{
    engine_finish(&asking->engine);
    permissions_destroy(asking->permissions);
    snapshot_store_destroy(asking->snapshots);
    metric_store_destroy(asking->metrics);
}
