#include "exporter/once.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/worker.h"

enum { SAY_SILENCE_MS = 4000 };

static const char *host_of(const struct once *once)
{
    return auth_config_host(&once->engine->config->azure, AUTH_RESOURCE_MANAGER);
}

/* Nobody has answered until now; once is enough. */
static int64_t say_silence(void *context)
{
    const struct once *once = context;
    if (!arm_has_answered(once->engine->arm))
        log_warn(MSG("no answer from Azure yet"), TEXT("url", host_of(once)));
    return -1;
}

/* Whether nobody was there when this source ran. */
static bool is_silent(const struct once *once, const struct source *source)
{
    struct snapshot *snapshot = snapshot_acquire(once->snapshots, clock_now_s());
    enum error_code code = snapshot_status(snapshot, source)->error.code;
    snapshot_release(snapshot);
    return (code == ERROR_NETWORK || code == ERROR_TIMEOUT) && !arm_has_answered(once->engine->arm);
}

/* Whether a source is run now; one that is off for want of tags has nothing to ask for. */
static bool is_due(const struct once *once, const struct source *source)
{
    const struct config *config = once->engine->config;
    if (config->collectors[source->index].enabled)
        return !once->off;
    return once->off && (!source->collector->asks_for_tags || config->alerts.tags.count);
}

bool once_collect(const struct once *once)
{
    const struct source_list *sources = once->engine->config->sources;
    struct once own = *once; /* the watch takes no constant */
    bool ok = true;
    struct worker *watch = worker_start("silence", say_silence, NULL, &own, SAY_SILENCE_MS);
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->sources[i];
        if (!is_due(once, source))
            continue;
        ok = runner_run(once->engine->runner, source) && ok;
        if (once->ran)
            once->ran(once->context, source);
        if (is_silent(once, source)) {
            log_error(MSG("Azure cannot be reached"), TEXT("url", host_of(once)));
            break;
        }
    }
    worker_stop(watch);
    return ok;
}
