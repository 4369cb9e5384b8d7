#include "alerts/heartbeat.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "alerts/drill.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

enum { LOOK_MS = 5000, AGAIN_MS = 30000, ALARM_PAUSE_S = 900, ALARM_LASTS_S = 86400 };
enum { EVALUATION_LATE_S = 60, STALE_INTERVALS = 3, TIMEOUT_MS = 15000, LIMIT_BYTES = 65536 };

/* clang-format off */
static const struct family_0 beats_total = {
    .name = "defender_exporter_heartbeats_total", .type = METRIC_COUNTER,
    .help = "Heartbeats that were due." };
static const struct family_1 failed_total = {
    .name = "defender_exporter_heartbeats_failed_total", .type = METRIC_COUNTER,
    .help = "Heartbeats that were held back (notReady) or not accepted.",
    LABELS("reason") };
/* clang-format on */

const struct family *const heartbeat_families[] = { &beats_total.family, &failed_total.family,
                                                    NULL };

struct heartbeat {
    struct settings *settings;
    struct evaluator *evaluator;
    struct snapshot_store *snapshots;
    struct metric_store *metrics;
    struct worker *worker;
    struct http_client *client;
    struct outbox_clock clock;
    struct heartbeat_told *told;
    int64_t beat_ms, alarm_ms; /* monotonic: when the next are due */
    bool failing;
};

const char *heartbeat_problem(const struct snapshot *snapshot, int64_t evaluated_at, int64_t now)
{
    int64_t newest = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source_status *status = &snapshot->status[i];
        if (!status->enabled)
            continue;
        if (!status->last_success_at)
            return "a collector has no data yet";
        if (now - status->last_success_at > STALE_INTERVALS * status->interval_ms / 1000)
            return "the data of a collector is too old";
        if (status->last_success_at > newest)
            newest = status->last_success_at;
    }
    if (!newest)
        return "nothing is collected";
    if (evaluated_at < newest && now - newest > EVALUATION_LATE_S)
        return "the newest data was not evaluated";
    return NULL;
}

/* --- one beat ------------------------------------------------------------------------------- */

/* Make a notification for a receiver. */
typedef void make_notification(const struct heartbeat *heartbeat, const char *receiver, int64_t now,
                               const char *why, struct arena *arena,
                               struct notification *notification);

/* Send it to every target, without the database. */
static void send(struct heartbeat *heartbeat, make_notification *make, const char *why, int64_t now,
                 int64_t lasts_s, struct delivery_attempt *attempt)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    char id[OUTBOX_ID_BYTES];
    const struct settings *settings = heartbeat->settings;
    const char *name = settings->config->heartbeat.receiver;
    const struct receivers_config *receiver = settings_receiver(settings, name);
    for (size_t target = 0; target < receivers_targets(receiver); target++) {
        const struct receiver_context context = {
            .target = (int)target,
            .now = now,
            .ends_at = now + lasts_s,
            .name = name,
        };
        make(heartbeat, name, now, why, &arena, &notification);
        notification.id = outbox_id(&heartbeat->clock, now * 1000, id);
        delivery_send(heartbeat->client, receiver, &context, &notification, attempt);
        if (attempt->verdict.outcome != RECEIVER_SENT)
            return;
    }
}

static void make_beat(const struct heartbeat *heartbeat, const char *receiver, int64_t now,
                      const char *why, struct arena *arena, struct notification *notification)
{
    (void)why;
    drill_beat(heartbeat->settings, receiver, now, arena, notification);
}

static void beat_url(struct heartbeat *heartbeat, struct delivery_attempt *attempt)
{
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    struct error error = { 0 };
    const struct settings_config *config = heartbeat->settings->config;
    const struct http_request request = {
        .method = "GET",
        .url = secret_text(&config->heartbeat.url),
        .timeout_ms = TIMEOUT_MS,
        .response_limit_bytes = LIMIT_BYTES,
        .targets = config->heartbeat.allow_private ? HTTP_ANY_TARGET : HTTP_PUBLIC_TARGETS,
    };
    bool answered = http_exchange(heartbeat->client, &request, &response, &error);
    *attempt = (struct delivery_attempt){ .verdict = receiver_classify(&response, &error) };
    if (answered && attempt->verdict.outcome != RECEIVER_SENT) /* for the next beat */
        secret_refresh((struct secret *)(uintptr_t)&config->heartbeat.url);
    log_redacted(answered ? "the switch refused the beat" : error.message, attempt->text,
                 sizeof attempt->text);
}

/* Logged on change and on recovery. */
static void count_beat(struct heartbeat *heartbeat, const char *problem, const char *reason)
{
    metric_count(heartbeat->metrics, &beats_total, 1, METRIC_LABELS());
    if (problem)
        metric_count(heartbeat->metrics, &failed_total, 1, METRIC_LABELS(reason));
    if (problem && !heartbeat->failing)
        log_warn(MSG("no heartbeat"), TEXT("reason", reason), TEXT("err", problem));
    if (!problem && heartbeat->failing)
        log_info(MSG("heartbeat again"));
    heartbeat->failing = problem != NULL;
}

static void beat(struct heartbeat *heartbeat, const char *trouble, int64_t now)
{
    struct delivery_attempt attempt = { 0 };
    const struct settings_config *config = heartbeat->settings->config;
    struct snapshot *snapshot = snapshot_acquire(heartbeat->snapshots, now);
    const char *problem =
        trouble ? trouble
                : heartbeat_problem(snapshot, evaluator_succeeded_at(heartbeat->evaluator), now);
    snapshot_release(snapshot);
    if (problem) {
        count_beat(heartbeat, problem, "notReady");
        return;
    }
    if (config->heartbeat.receiver)
        send(heartbeat, make_beat, "", now, 4 * config->heartbeat.interval_ms / 1000, &attempt);
    else
        beat_url(heartbeat, &attempt);
    bool ok = attempt.verdict.outcome == RECEIVER_SENT;
    count_beat(heartbeat, ok ? NULL : attempt.text, delivery_reason(&attempt));
}

/* --- the alarm ------------------------------------------------------------------------------ */

static void make_alarm(const struct heartbeat *heartbeat, const char *receiver, int64_t now,
                       const char *why, struct arena *arena, struct notification *notification)
{
    bool begins = !heartbeat->told->trouble;
    drill_alarm(heartbeat->settings, receiver, begins ? NOTIFICATION_FIRING : NOTIFICATION_RESOLVED,
                why, begins ? now : heartbeat->told->at, now, arena, notification);
}

/* Tell the receiver what changed since it was told. */
static void tell_trouble(struct heartbeat *heartbeat, const char *trouble, int64_t now)
{
    struct heartbeat_told *told = heartbeat->told;
    struct delivery_attempt attempt = { 0 };
    bool soon = told->at && now >= told->at && now - told->at < ALARM_PAUSE_S;
    if (!heartbeat->settings->config->heartbeat.receiver || told->trouble == (trouble != NULL) ||
        (trouble && soon) || clock_monotonic_ms() < heartbeat->alarm_ms)
        return;
    send(heartbeat, make_alarm, trouble ? trouble : "", now, ALARM_LASTS_S, &attempt);
    if (attempt.verdict.outcome != RECEIVER_SENT) {
        log_error(MSG("cannot tell the heartbeat's receiver that nothing is decided"),
                  TEXT("err", attempt.text));
        heartbeat->alarm_ms = clock_monotonic_ms() + AGAIN_MS;
        return;
    }
    log_warn(MSG(trouble ? "the heartbeat's receiver was told that nothing is decided"
                         : "the heartbeat's receiver was told that alerts are decided again"));
    told->trouble = trouble != NULL;
    if (trouble)
        told->at = now;
}

static int64_t tick(void *context)
{
    struct heartbeat *heartbeat = context;
    char text[TROUBLE_TEXT_BYTES];
    int64_t now = clock_now_s();
    bool well = evaluator_trouble(heartbeat->evaluator, text) == TROUBLE_NONE;
    tell_trouble(heartbeat, well ? NULL : text, now);
    if (clock_monotonic_ms() >= heartbeat->beat_ms) {
        heartbeat->beat_ms =
            clock_monotonic_ms() + heartbeat->settings->config->heartbeat.interval_ms;
        beat(heartbeat, well ? NULL : text, now);
    }
    int64_t left_ms = heartbeat->beat_ms - clock_monotonic_ms();
    return left_ms < 0 ? 0 : left_ms < LOOK_MS ? left_ms : LOOK_MS;
}

/* --- life ----------------------------------------------------------------------------------- */

static void cancel(void *context)
{
    struct heartbeat *heartbeat = context;
    http_client_cancel(heartbeat->client);
}

struct heartbeat *heartbeat_start(struct settings *settings, struct evaluator *evaluator,
                                  struct snapshot_store *snapshots, struct metric_store *metrics,
                                  struct heartbeat_told *told)
{
    const struct settings_config *config = settings->config;
    if (!config->enabled || (!config->heartbeat.receiver && !secret_text(&config->heartbeat.url)))
        return NULL;
    struct heartbeat *heartbeat = MEMORY_NEW(struct heartbeat);
    settings_acquire(settings);
    heartbeat->settings = settings;
    heartbeat->evaluator = evaluator;
    heartbeat->snapshots = snapshots;
    heartbeat->metrics = metrics;
    heartbeat->told = told;
    heartbeat->client = http_client_create();
    metric_declare(metrics, &beats_total, METRIC_LABELS());
    metric_declare(metrics, &failed_total, METRIC_LABELS("notReady"));
    for (size_t i = 0; i < RECEIVER_REASON_COUNT; i++)
        metric_declare(metrics, &failed_total, METRIC_LABELS(receiver_reason_words[i]));
    heartbeat->beat_ms = clock_monotonic_ms() + config->heartbeat.interval_ms;
    heartbeat->worker = worker_start("heartbeat", tick, cancel, heartbeat, 0);
    return heartbeat;
}

void heartbeat_stop(struct heartbeat *heartbeat)
{
    if (!heartbeat)
        return;
    worker_stop(heartbeat->worker);
    http_client_destroy(heartbeat->client);
    settings_release(heartbeat->settings);
    free(heartbeat);
}
