#include "exporter/once.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

enum { SAY_SILENCE_MS = 4000 };

/* One run, and which tenants are asked no more. */
struct pass {
    const struct once *once;
    bool *lost; /* by number of the tenant */
};

static const char *host_of(const struct once *once, size_t tenant)
{
    return auth_config_host(config_tenant(once->engine->config, tenant), AUTH_RESOURCE_MANAGER);
}

/* Nobody has answered until now; once is enough. */
static int64_t say_silence(void *context)
{
    const struct once *once = context;
    for (size_t i = 0; i < once->engine->tenant_count; i++)
        if (!arm_has_answered(once->engine->tenants[i].arm))
            log_warn(MSG("no answer from Azure yet"), TEXT("url", host_of(once, i)));
    return -1;
}

/* Whether a source is run now; one that is off for want of tags has nothing to ask for. */
static bool is_due(const struct once *once, const struct source *source)
{
    const struct config *config = once->engine->config;
    if (config->run[source->index].enabled)
        return !once->off;
    return once->off && (!source->collector->asks_for_tags || config->alerts.tags.count);
}

/* Where nothing has answered yet, no other source of the tenant will fare better: nobody is there,
 * or nobody can sign in. */
static void judge(const struct pass *pass, const struct source *source)
{
    const struct once *once = pass->once;
    size_t tenant = config_tenant_of(once->engine->config, source);
    struct snapshot *snapshot = snapshot_acquire(once->snapshots, clock_now_s());
    struct error error = snapshot_status(snapshot, source)->error;
    bool silent = error.code == ERROR_NETWORK || error.code == ERROR_TIMEOUT;
    snapshot_release(snapshot);
    if (!error.code || arm_has_answered(once->engine->tenants[tenant].arm))
        return;
    pass->lost[tenant] = true;
    if (once->quiet)
        return;
    if (silent)
        log_error(MSG("Azure cannot be reached"), TEXT("url", host_of(once, tenant)));
    else
        log_error(MSG("nothing more is asked"), TEXT("url", host_of(once, tenant)), ERR(&error));
}

bool once_collect(const struct once *once)
{
    const struct source_list *sources = once->engine->config->sources;
    const struct pass pass = { once, MEMORY_ARRAY(bool, once->engine->tenant_count) };
    struct once own = *once; /* the watch takes no constant */
    bool ok = true;
    struct worker *watch = worker_start("silence", say_silence, NULL, &own, SAY_SILENCE_MS);
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->sources[i];
        if (!is_due(once, source) || pass.lost[config_tenant_of(once->engine->config, source)])
            continue;
        ok = runner_run(once->engine->runner, source) && ok;
        if (once->ran)
            once->ran(once->context, source);
        judge(&pass, source);
    }
    worker_stop(watch);
    free(pass.lost);
    return ok;
}

bool once_answered(struct snapshot_store *snapshots, struct error *error)
{
    struct snapshot *snapshot = snapshot_acquire(snapshots, clock_now_s());
    const struct source_list *sources = snapshot->sources;
    bool any = false;
    size_t failed = sources->count;
    for (size_t i = sources->count; i-- > 0;) {
        any |= snapshot->parts[i] && sources->sources[i].collector->role != COLLECTOR_ANSWERS;
        failed = snapshot->status[i].error.code ? i : failed;
    }
    bool ok = any || failed == sources->count;
    if (!ok) {
        *error = snapshot->status[failed].error;
        error_wrap(error, "Azure could not be asked: %s", sources->sources[failed].name);
    }
    snapshot_release(snapshot);
    return ok;
}
