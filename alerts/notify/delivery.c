#include "alerts/notify/delivery.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/lane.h"
#include "alerts/notify/outbox_figures.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"

enum { LANES_MAX = 512, LAST_ATTEMPT_MS = 1000 };

struct delivery {
    struct metric_store *metrics;
    struct outbox_figures *figures;
    pthread_mutex_t lock; /* everything below */
    struct settings *settings;
    struct lane *lanes[LANES_MAX];
    size_t lane_count;
    bool started;
    struct arena arena;
    const char *database_path;
};

/* --- lanes ---------------------------------------------------------------------------------- */

static bool is_wanted(const struct settings *settings, const struct lane *lane)
{
    const struct receivers_config *receiver = settings_receiver(settings, lane_receiver(lane));
    return receiver && (size_t)lane_target(lane) < receivers_targets(receiver);
}

/* End those whose receiver or target is gone. */
static void drop_lanes(struct delivery *delivery, const struct settings *settings)
{
    size_t kept = 0;
    for (size_t i = 0; i < delivery->lane_count; i++) {
        struct lane *lane = delivery->lanes[i];
        if (is_wanted(settings, lane)) {
            delivery->lanes[kept++] = lane;
            continue;
        }
        if (delivery->started)
            lane_stop(lane, 0);
        lane_destroy(lane);
    }
    delivery->lane_count = kept;
}

static struct lane *find_lane(const struct delivery *delivery, const char *receiver, int target)
{
    for (size_t i = 0; i < delivery->lane_count; i++)
        if (lane_target(delivery->lanes[i]) == target &&
            !strcmp(lane_receiver(delivery->lanes[i]), receiver))
            return delivery->lanes[i];
    return NULL;
}

static void configure_lane(struct delivery *delivery, const char *receiver, int target)
{
    struct lane *lane = find_lane(delivery, receiver, target);
    bool fresh = !lane;
    if (fresh && delivery->lane_count == LANES_MAX) {
        log_error(MSG("too many receivers, one gets nothing"), TEXT("receiver", receiver));
        return;
    }
    if (fresh) {
        const struct lane_config config = {
            .database_path = delivery->database_path,
            .receiver = receiver,
            .target = target,
            .metrics = delivery->metrics,
            .figures = delivery->figures,
        };
        lane = delivery->lanes[delivery->lane_count++] = lane_create(&config);
    }
    lane_configure(lane, delivery->settings);
    if (delivery->started && fresh)
        lane_start(lane);
    else if (delivery->started)
        lane_wake(lane);
}

void delivery_configure(struct delivery *delivery, struct settings *settings)
{
    settings_acquire(settings);
    pthread_mutex_lock(&delivery->lock);
    drop_lanes(delivery, settings);
    struct settings *older = delivery->settings;
    delivery->settings = settings;
    outbox_figures_configure(delivery->figures, settings->receiver_names,
                             settings->config->outbox_max_bytes);
    for (size_t i = 0; i < settings->receiver_count; i++)
        for (size_t target = 0; target < receivers_targets(&settings->receivers[i]); target++)
            configure_lane(delivery, settings->receivers[i].name, (int)target);
    pthread_mutex_unlock(&delivery->lock);
    settings_release(older);
}

/* --- life ----------------------------------------------------------------------------------- */

static void count_outbox(struct delivery *delivery)
{
    struct error error;
    if (!outbox_figures_count(delivery->figures, &error))
        log_warn(MSG("cannot count the outbox"), ERR(&error));
}

struct delivery *delivery_create(const struct delivery_config *config, struct settings *settings)
{
    struct delivery *delivery = MEMORY_NEW(struct delivery);
    pthread_mutex_init(&delivery->lock, NULL);
    delivery->metrics = config->metrics;
    delivery->database_path = arena_text(&delivery->arena, config->database_path);
    delivery->figures = outbox_figures_create(delivery->database_path);
    count_outbox(delivery);
    delivery_configure(delivery, settings);
    return delivery;
}

void delivery_destroy(struct delivery *delivery)
{
    if (!delivery)
        return;
    for (size_t i = 0; i < delivery->lane_count; i++)
        lane_destroy(delivery->lanes[i]);
    outbox_figures_destroy(delivery->figures);
    settings_release(delivery->settings);
    pthread_mutex_destroy(&delivery->lock);
    arena_finish(&delivery->arena);
    free(delivery);
}

void delivery_start(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    delivery->started = true;
    outbox_figures_start(delivery->figures);
    for (size_t i = 0; i < delivery->lane_count; i++)
        lane_start(delivery->lanes[i]);
    pthread_mutex_unlock(&delivery->lock);
}

/* What is in flight may arrive: a message cut off there would be sent again at the next start. */
void delivery_stop(struct delivery *delivery)
{
    int64_t deadline_ms = clock_monotonic_ms() + LAST_ATTEMPT_MS;
    pthread_mutex_lock(&delivery->lock);
    for (size_t i = 0; delivery->started && i < delivery->lane_count; i++)
        lane_quit(delivery->lanes[i]);
    for (size_t i = 0; delivery->started && i < delivery->lane_count; i++)
        lane_stop(delivery->lanes[i], deadline_ms);
    if (delivery->started)
        outbox_figures_stop(delivery->figures);
    delivery->started = false;
    pthread_mutex_unlock(&delivery->lock);
}

void delivery_wake(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    for (size_t i = 0; delivery->started && i < delivery->lane_count; i++)
        lane_wake(delivery->lanes[i]);
    outbox_figures_wake(delivery->figures);
    pthread_mutex_unlock(&delivery->lock);
}

void delivery_run(struct delivery *delivery, int64_t now, int64_t *next_at)
{
    *next_at = 0;
    for (size_t i = 0; i < delivery->lane_count; i++) {
        int64_t at;
        while (lane_step(delivery->lanes[i], now, &at))
            continue;
        if (at && (!*next_at || at < *next_at))
            *next_at = at;
    }
    count_outbox(delivery);
}

void delivery_emit(struct delivery *delivery, struct metric_set *set)
{
    outbox_figures_emit(delivery->figures, set);
}
