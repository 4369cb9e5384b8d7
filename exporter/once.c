#include "exporter/once.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/worker.h"

enum { SAY_SILENCE_MS = 4000 };

/* Nobody has answered until now; once is enough. */
static int64_t say_silence(void *context)
{
    const struct once *once = context;
    if (!arm_has_answered(once->arm))
        log_warn(MSG("no answer from Azure yet"),
                 TEXT("url", auth_config_host(&once->config->azure, AUTH_RESOURCE_MANAGER)));
    return -1;
}

/* Whether nobody was there when this source ran. */
static bool is_silent(const struct once *once, const struct source *source)
{
    struct snapshot *snapshot = snapshot_acquire(once->snapshots, clock_now_s());
    enum error_code code = snapshot_status(snapshot, source)->error.code;
    snapshot_release(snapshot);
    return (code == ERROR_NETWORK || code == ERROR_TIMEOUT) && !arm_has_answered(once->arm);
}

bool once_collect(const struct once *once)
{
    const struct config *config = once->config;
    struct once own = *once; /* the watch takes no constant */
    bool ok = true;
    struct worker *watch = worker_start("silence", say_silence, NULL, &own, SAY_SILENCE_MS);
    for (size_t i = 0; i < config->sources->count; i++) {
        if (!config->collectors[i].enabled)
            continue;
        const struct source *source = &config->sources->sources[i];
        ok = runner_run(once->runner, source) && ok;
        if (is_silent(once, source)) {
            log_error(MSG("Azure cannot be reached"),
                      TEXT("url", auth_config_host(&config->azure, AUTH_RESOURCE_MANAGER)));
            break;
        }
    }
    worker_stop(watch);
    return ok;
}
