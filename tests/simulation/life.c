/* The program under simulation: everything it is but the web server, from its configuration to its
 * last thread, in a process that the world starts, watches and lets die: a fork of one that has
 * loaded the libraries and done nothing else.
 *   simulated_life CONFIG LOG      descriptors 3 and 4: the page and the wire (stage.h) */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/alerting.h"
#include "baton.h"
#include "core/clock.h"
#include "core/log.h"
#include "disk.h"
#include "exporter/engine.h"
#include "hush.h"
#include "wire.h"

enum { LOOK_MS = 20000 };

struct life {
    struct metric_store *metrics;
    struct snapshot_store *snapshots;
    struct alerting *alerting;
    struct engine engine;
};

void baton_ask_world(void)
{
    wire_ask_time();
}

static struct config *load(const char *file, const struct source_list *running)
{
    const struct config_source source = { .file = file, .running = running };
    struct option_report report = { 0 };
    struct config *config = config_load(&source, &report);
    if (!config)
        fprintf(stderr, "simulated_life: %s is no configuration\n", file);
    return config;
}

/* Go on with the configuration as it is now. */
static void reload(struct life *life, const char *file)
{
    struct config *config = load(file, life->engine.config->sources);
    if (!config)
        exit(2);
    const struct runner_config runner = config_runner(config);
    alerting_configure(life->alerting, config->settings);
    runner_configure(life->engine.runner, &runner);
    config_destroy(life->engine.config);
    life->engine.config = config;
}

static void live(struct life *life, struct stage *stage, const char *file)
{
    uint64_t reloads = stage->reloads;
    alerting_start(life->alerting);
    runner_start(life->engine.runner);
    while (!stage->ends) {
        clock_sleep_ms(LOOK_MS);
        hush_obey(stage, life->alerting);
        if (reloads != stage->reloads)
            reload(life, file);
        reloads = stage->reloads;
    }
    runner_stop(life->engine.runner);
    alerting_stop(life->alerting);
}

static bool begin(struct life *life, struct config *config, struct error *error)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    life->metrics = metric_store_create();
    life->snapshots = snapshot_store_create(config->sources);
    const struct engine_needs needs = { life->metrics, life->snapshots, config->storage.path,
                                        false };
    buf_printf(&path, "%s/" ALERTING_DATABASE, config->storage.path);
    const struct alerting_config alerting = {
        .database_path = buf_cstr(&path),
        .snapshots = life->snapshots,
        .metrics = life->metrics,
    };
    audit_declare(life->metrics);
    if (!engine_init(&life->engine, config, &needs, error))
        return false;
    life->alerting = alerting_create(&alerting, config->settings, error);
    return life->alerting != NULL;
}

/* From its beginning to its own end; it may not come to that. */
static int live_once(struct stage *stage, const char *file)
{
    struct life life = { 0 };
    struct error error;
    baton_begin(stage);
    disk_begin(stage);
    struct config *config = load(file, NULL);
    if (!config)
        return 2;
    log_configure(&config->log);
    if (!begin(&life, config, &error)) {
        fprintf(stderr, "simulated_life: %s\n", error.message);
        return 3;
    }
    live(&life, stage, file);
    alerting_destroy(life.alerting);
    engine_finish(&life.engine);
    snapshot_store_destroy(life.snapshots);
    metric_store_destroy(life.metrics);
    return 0;
}

int main(int count, char **words)
{
    struct stage *stage =
        mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED, STAGE_PAGE, 0);
    if (count != 3 || stage == MAP_FAILED || !freopen(words[2], "a", stderr))
        return 2;
    stage_keep_memory();
    while (wire_next_life()) {
        struct rusage used;
        struct stage_end end;
        pid_t life = fork();
        if (!life)
            return live_once(stage, words[1]);
        while (wait4(life, &end.status, 0, &used) < 0)
            continue;
        end.kib = (int32_t)used.ru_maxrss;
        wire_life_over(&end);
    }
    return 0;
}
