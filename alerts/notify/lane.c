#include "alerts/notify/lane.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/delivery.h"
#include "alerts/notify/lane_log.h"
#include "alerts/notify/outbox_figures.h"
#include "alerts/notify/outbox_told.h"
#include "alerts/notify/refresh.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

/* How long a lane waits before it tries again. */
enum { BACKOFF_S = 5, BACKOFF_MAX_S = 900, JITTER_PERCENT = 20, RETRY_AFTER_MAX_S = 3600 };

enum {
    DATABASE_BUSY_MS = 1000, /* stopping waits for it */
    DATABASE_RETRY_S = 5,
    PARTLY_S = 3600,     /* a mail's recipients who are put off are tried again so long */
    REST_MIN_MS = 100,   /* between two steps that found nothing to do ... */
    REST_MAX_MS = 15000, /* ... and for what another process queued */
};

static const double latency_bounds[] = { 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15 };
static const double age_bounds[] = { 1, 5, 15, 60, 300, 900, 3600, 14400, 86400 };

/* clang-format off */
static const struct family_2 notifications_total = {
    .name = "defender_exporter_notifications_total", .type = METRIC_COUNTER,
    .help = "Attempts to deliver a message.", LABELS("receiver", "integration") };
static const struct family_3 failed_total = {
    .name = "defender_exporter_notifications_failed_total", .type = METRIC_COUNTER,
    .help = "Attempts that were not accepted, and messages that expired.",
    LABELS("receiver", "integration", "reason") };
static const struct family_1 refused_total = {
    .name = "defender_exporter_notification_recipients_refused_total", .type = METRIC_COUNTER,
    .help = "Recipients of a mail that the relay refused, at each attempt.", LABELS("receiver") };
static const struct family_1 latency = {
    .name = "defender_exporter_notification_latency_seconds", .type = METRIC_HISTOGRAM,
    .unit = "seconds", .help = "Duration of an attempt.", LABELS("integration"),
    .buckets = latency_bounds, .bucket_count = ARRAY_COUNT(latency_bounds) };
static const struct family_1 age = {
    .name = "defender_exporter_notification_age_seconds", .type = METRIC_HISTOGRAM,
    .unit = "seconds", .help = "From the event to its acceptance by a receiver.",
    LABELS("integration"),
    .buckets = age_bounds, .bucket_count = ARRAY_COUNT(age_bounds) };
static const struct family_1 last_success = {
    .name = "defender_exporter_notification_last_success_timestamp_seconds", .type = METRIC_GAUGE,
    .unit = "seconds", .help = "When a receiver last accepted a message; 0 means not yet.",
    LABELS("receiver") };
/* clang-format on */

const struct family *const lane_families[] = { &notifications_total.family,
                                               &failed_total.family,
                                               &refused_total.family,
                                               &latency.family,
                                               &age.family,
                                               &last_success.family,
                                               NULL };

/* What became of an attempt, until the database knows. */
struct result {
    char id[OUTBOX_ID_BYTES]; /* "" = nothing is pending */
    enum receiver_outcome outcome;
    int status;
    const char *reason;
    char text[256];
    int64_t at; /* accepted, dead or due */
    bool has_thread;
    struct outbox_thread thread;
    char recipients[2048]; /* not "": sent, but for these */
};

struct lane {
    const char *database_path, *receiver;
    int target;
    struct metric_store *metrics;
    struct outbox_figures *figures;
    struct worker *worker;
    struct http_client *client;
    pthread_mutex_t lock; /* settings, changed, other */
    struct settings *settings;
    bool changed, other; /* configured since the last step, with other settings */
    atomic_bool stopping;
    /* the rest is the thread's own */
    struct database *database;
    struct result result;
    bool disabled, failing, unreadable;
    int64_t paused_until;
    struct refresh_round round;
    double tokens;
    int64_t filled_at;
    struct arena arena;
};

/* What one step works with. */
struct step {
    struct lane *lane;
    struct settings *settings;
    const struct receivers_config *receiver;
    const struct receiver_kind *kind;
    int64_t now;
};

/* --- life ----------------------------------------------------------------------------------- */

struct lane *lane_create(const struct lane_config *config)
{
    struct lane *lane = MEMORY_NEW(struct lane);
    pthread_mutex_init(&lane->lock, NULL);
    lane->database_path = arena_text(&lane->arena, config->database_path);
    lane->receiver = arena_text(&lane->arena, config->receiver);
    lane->target = config->target;
    lane->metrics = config->metrics;
    lane->figures = config->figures;
    lane->client = http_client_create();
    return lane;
}

static bool settle(struct lane *lane, struct error *error) MUST_USE;

void lane_destroy(struct lane *lane)
{
    struct error error;
    if (!lane)
        return;
    assert(!lane->worker);
    if (lane->database && !settle(lane, &error))
        log_warn(MSG("a message may be delivered twice"), TEXT("receiver", lane->receiver),
                 TEXT("message", lane->result.id), ERR(&error));
    database_close(lane->database);
    http_client_destroy(lane->client);
    settings_release(lane->settings);
    pthread_mutex_destroy(&lane->lock);
    arena_finish(&lane->arena);
    free(lane);
}

const char *lane_receiver(const struct lane *lane)
{
    return lane->receiver;
}

int lane_target(const struct lane *lane)
{
    return lane->target;
}

static void declare_metrics(struct lane *lane, const char *integration)
{
    metric_declare(lane->metrics, &notifications_total, METRIC_LABELS(lane->receiver, integration));
    for (size_t i = 0; i < RECEIVER_REASON_COUNT; i++)
        metric_declare(lane->metrics, &failed_total,
                       METRIC_LABELS(lane->receiver, integration, receiver_reason_words[i]));
    metric_declare(lane->metrics, &refused_total, METRIC_LABELS(lane->receiver));
    metric_declare(lane->metrics, &latency, METRIC_LABELS(integration));
    metric_declare(lane->metrics, &age, METRIC_LABELS(integration));
    metric_declare(lane->metrics, &last_success, METRIC_LABELS(lane->receiver));
}

void lane_configure(struct lane *lane, struct settings *settings)
{
    const void *unused;
    const struct receivers_config *receiver = settings_receiver(settings, lane->receiver);
    declare_metrics(lane, receivers_kind(receiver, &unused)->name);
    settings_acquire(settings);
    pthread_mutex_lock(&lane->lock);
    struct settings *older = lane->settings;
    lane->settings = settings;
    lane->changed = true;
    lane->other = lane->other || settings != older;
    pthread_mutex_unlock(&lane->lock);
    settings_release(older);
}

static int64_t tick(void *context)
{
    struct lane *lane = context;
    while (!atomic_load(&lane->stopping)) {
        int64_t now = clock_now_s(), next_at;
        if (lane_step(lane, now, &next_at))
            continue;
        int64_t rest_ms = next_at ? (next_at - now) * 1000 : REST_MAX_MS;
        return rest_ms < REST_MIN_MS ? REST_MIN_MS : rest_ms > REST_MAX_MS ? REST_MAX_MS : rest_ms;
    }
    return -1;
}

static void cancel(void *context)
{
    struct lane *lane = context;
    http_client_cancel(lane->client);
}

void lane_start(struct lane *lane)
{
    atomic_store(&lane->stopping, false);
    http_client_resume(lane->client);
    lane->worker = worker_start("lane", tick, cancel, lane, 0);
}

void lane_wake(struct lane *lane)
{
    worker_wake(lane->worker);
}

void lane_quit(struct lane *lane)
{
    atomic_store(&lane->stopping, true);
}

void lane_stop(struct lane *lane, int64_t deadline_ms)
{
    lane_quit(lane);
    worker_stop_by(lane->worker, deadline_ms);
    lane->worker = NULL;
}

/* --- results -------------------------------------------------------------------------------- */

/* Write what is pending; nothing else is sent before. */
static bool settle(struct lane *lane, struct error *error)
{
    const struct result *result = &lane->result;
    bool ok = true;
    if (!*result->id)
        return true;
    if (result->has_thread && result->outcome != RECEIVER_SENT &&
        !outbox_thread_save(lane->database, &result->thread, error))
        return false;
    switch (result->outcome) {
    case RECEIVER_SENT:
        ok = *result->recipients ? outbox_mark_partly(lane->database, result->id, result->status,
                                                      result->recipients, result->at, error)
             : result->has_thread
                 ? outbox_mark_posted(lane->database, result->id, result->status, &result->thread,
                                      result->at, error)
                 : outbox_mark_sent(lane->database, result->id, result->status, result->at, error);
        break;
    case RECEIVER_RETRY:
    case RECEIVER_DISABLED:
        ok = outbox_mark_retry(lane->database, result->id, result->status, result->reason,
                               result->text, result->at, error);
        break;
    case RECEIVER_REFUSED:
        ok = outbox_mark_dead(lane->database, result->id, result->status, result->reason,
                              result->text, result->at, error);
        break;
    }
    if (!ok)
        return false;
    lane->result.id[0] = 0;
    outbox_figures_wake(lane->figures);
    return true;
}

static void count_attempt(const struct step *step, const struct delivery_attempt *attempt,
                          const struct notification *notification)
{
    struct metric_store *metrics = step->lane->metrics;
    const char *receiver = step->lane->receiver, *integration = step->kind->name;
    metric_count(metrics, &notifications_total, 1, METRIC_LABELS(receiver, integration));
    metric_count(metrics, &refused_total, (double)attempt->refused_count, METRIC_LABELS(receiver));
    metric_observe(metrics, &latency, (double)attempt->duration_ms / 1000,
                   METRIC_LABELS(integration));
    if (attempt->verdict.outcome != RECEIVER_SENT) {
        metric_count(metrics, &failed_total, 1,
                     METRIC_LABELS(receiver, integration, delivery_reason(attempt)));
        return;
    }
    int64_t old = notification->event_at && notification->event_at < step->now
                      ? step->now - notification->event_at
                      : 0;
    metric_observe(metrics, &age, (double)old, METRIC_LABELS(integration));
    metric_put(metrics, &last_success, (double)step->now, METRIC_LABELS(receiver));
}

/* Seconds until the next attempt. */
static int64_t delay_of(const struct outbox_message *message,
                        const struct delivery_attempt *attempt)
{
    if (attempt->verdict.outcome == RECEIVER_DISABLED)
        return BACKOFF_MAX_S;
    if (attempt->retry_after_s > 0)
        return attempt->retry_after_s < RETRY_AFTER_MAX_S ? attempt->retry_after_s
                                                          : RETRY_AFTER_MAX_S;
    return clock_jitter(clock_backoff_s(message->attempts + 1, BACKOFF_S, BACKOFF_MAX_S),
                        JITTER_PERCENT);
}

/* A mail that some have taken is sent. Who was to come later is tried alone for an hour, in which
 * only what is about the same waits; then it is left at that. */
static void keep_partly(const struct step *step, const struct outbox_message *message,
                        const struct delivery_attempt *attempt)
{
    struct result *result = &step->lane->result;
    bool refused = attempt->verdict.outcome == RECEIVER_RETRY;
    const char *left = refused ? message->recipients : attempt->later;
    result->outcome = RECEIVER_SENT;
    if (attempt->verdict.outcome == RECEIVER_REFUSED || step->now >= message->created_at + PARTLY_S)
        return;
    snprintf(result->recipients, sizeof result->recipients, "%s", left);
    if (*left)
        result->at += delay_of(message, attempt);
}

/* Keep an attempt's result until the database has it. */
static void keep_result(const struct step *step, const struct outbox_message *message,
                        const struct delivery_attempt *attempt)
{
    struct lane *lane = step->lane;
    struct result *result = &lane->result;
    result->outcome = attempt->verdict.outcome;
    result->status = attempt->status;
    result->reason = delivery_reason(attempt);
    result->at = step->now;
    memcpy(result->id, message->id, sizeof result->id);
    snprintf(result->text, sizeof result->text, "%s", delivery_said(attempt));
    if (*message->recipients || (*attempt->later && result->outcome == RECEIVER_SENT))
        keep_partly(step, message, attempt);
    else if (result->outcome == RECEIVER_RETRY || result->outcome == RECEIVER_DISABLED) {
        result->at += delay_of(message, attempt);
        lane->paused_until = result->at;
    }
    lane->disabled = result->outcome == RECEIVER_DISABLED;
}

/* --- one message ---------------------------------------------------------------------------- */

static struct receiver_context context_of(const struct step *step)
{
    return (struct receiver_context){
        .target = step->lane->target,
        .now = step->now,
        .ends_at = step->kind->refresh_s ? step->now + 4 * step->kind->refresh_s : 0,
        .name = step->lane->receiver,
    };
}

/* Resolved alerts that nobody is to be told of here. */
static bool drop_unfired(struct lane *lane, struct arena *arena, struct notification *notification,
                         struct error *error)
{
    struct alert *kept = arena_alloc(arena, (notification->alert_count + 1) * sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < notification->alert_count; i++) {
        const struct alert *alert = &notification->alerts[i];
        bool accepted = true;
        if (alert->state == ALERT_RESOLVED &&
            !outbox_told(lane->database, lane->receiver, lane->target, alert, &accepted, error))
            return false;
        if (accepted)
            kept[count++] = *alert;
        else
            notification->resolved_count--;
    }
    notification->alerts = kept;
    notification->alert_count = count;
    return true;
}

static bool begin_post(void *context, const struct receiver_thread *thread, struct error *error)
{
    const struct lane *lane = context;
    struct outbox_thread begun = lane->result.thread;
    begun.is = *thread;
    return outbox_thread_save(lane->database, &begun, error);
}

/* One attempt, by however many requests. */
static bool attempt_message(const struct step *step, const char *recipients,
                            struct notification *notification, struct delivery_attempt *attempt,
                            struct error *error)
{
    struct lane *lane = step->lane;
    struct receiver_context context = context_of(step);
    bool has_thread = receivers_threads(step->receiver), ok = true;
    context.recipients = recipients;
    lane->result = (struct result){ .has_thread = has_thread };
    if (has_thread && !outbox_thread_find(lane->database, lane->receiver, lane->target,
                                          notification->dedup_key, &lane->result.thread, error))
        return false;
    outbox_figures_inflight(lane->figures, lane->receiver, 1);
    if (has_thread)
        ok = delivery_converse(lane->client, step->receiver, &context, notification,
                               &lane->result.thread.is, begin_post, lane, attempt, error);
    else
        delivery_send(lane->client, step->receiver, &context, notification, attempt);
    outbox_figures_inflight(lane->figures, lane->receiver, -1);
    return ok;
}

/* Send one message; false when the database failed before. */
static bool deliver(const struct step *step, const struct outbox_message *message,
                    struct arena *arena, struct error *error)
{
    struct lane *lane = step->lane;
    struct delivery_attempt attempt = { .verdict = { RECEIVER_REFUSED, RECEIVER_OTHER, "" } };
    struct notification notification;
    if (!notification_read(message->notification, message->notification_bytes, arena, &notification,
                           error)) {
        snprintf(attempt.text, sizeof attempt.text, "%.255s", error->message);
        lane->result = (struct result){ 0 };
        lane_log(lane->receiver, message->id, &attempt, &lane->failing);
        keep_result(step, message, &attempt);
        return true;
    }
    if (!drop_unfired(lane, arena, &notification, error))
        return false;
    notification.id = message->id;
    if (!attempt_message(step, message->recipients, &notification, &attempt, error))
        return false;
    if (attempt.verdict.outcome == RECEIVER_RETRY && atomic_load(&lane->stopping))
        return true; /* as if it had not been tried */
    count_attempt(step, &attempt, &notification);
    lane_log(lane->receiver, message->id, &attempt, &lane->failing);
    if (attempt.truncated && !message->attempts)
        log_warn(MSG("a message was cut to the receiver's limits"),
                 TEXT("receiver", lane->receiver), TEXT("message", message->id));
    if (attempt.left_out && !message->attempts)
        log_warn(MSG("a mail has more recipients than a relay takes: the rest do not get it"),
                 TEXT("receiver", lane->receiver), TEXT("message", message->id),
                 INT("left_out", (int64_t)attempt.left_out));
    keep_result(step, message, &attempt);
    return true;
}

static void on_dead(void *context, const struct outbox_message *message)
{
    const struct step *step = context;
    bool expired = !strcmp(message->last_reason, "expired");
    outbox_figures_wake(step->lane->figures);
    if (expired)
        metric_count(step->lane->metrics, &failed_total, 1,
                     METRIC_LABELS(step->lane->receiver, step->kind->name,
                                   receiver_reason_words[RECEIVER_DEADLINE]));
    log_at(expired ? LOG_ERROR : LOG_WARN, MSG("a message was given up"),
           TEXT("receiver", message->receiver), TEXT("message", message->id),
           TEXT("event", message->event), TEXT("reason", message->last_reason),
           INT("attempts", message->attempts));
}

/* The token bucket. True when one more may go now; else when. */
static bool admit(const struct step *step, int64_t *next_at)
{
    struct lane *lane = step->lane;
    double rate = step->receiver->rate > 0 ? step->receiver->rate : step->kind->rate;
    double burst = step->receiver->burst > 0 ? step->receiver->burst : step->kind->burst;
    burst = burst < 1 ? 1 : burst;
    if (rate <= 0)
        return true;
    if (!lane->filled_at)
        lane->tokens = burst;
    else if (step->now > lane->filled_at)
        lane->tokens = fmin(burst, lane->tokens + rate * (double)(step->now - lane->filled_at));
    lane->filled_at = step->now;
    if (lane->tokens >= 1) {
        lane->tokens--;
        return true;
    }
    *next_at = step->now + (int64_t)ceil((1 - lane->tokens) / rate);
    return false;
}

/* Send the next message. done: false = nothing may go now. */
static bool work(const struct step *step, int64_t *next_at, bool *done, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct lane *lane = step->lane;
    struct outbox_message message;
    bool found;
    struct step copy = *step;
    *done = false;
    if (!outbox_next(lane->database, lane->receiver, lane->target, step->now, &arena, &message,
                     &found, on_dead, &copy, error))
        return false;
    if (!found)
        return outbox_next_at(lane->database, lane->receiver, lane->target, next_at, error);
    if (!admit(step, next_at))
        return true;
    *done = true;
    return deliver(step, &message, &arena, error) && settle(lane, error);
}

/* --- refreshing ----------------------------------------------------------------------------- */

static bool send_again(void *context, struct notification *notification, struct error *error)
{
    const struct step *step = context;
    struct receiver_context receiver = context_of(step);
    struct delivery_attempt attempt;
    delivery_send(step->lane->client, step->receiver, &receiver, notification, &attempt);
    if (attempt.verdict.outcome == RECEIVER_SENT)
        return true;
    error_set(error, attempt.verdict.outcome == RECEIVER_REFUSED ? ERROR_REQUEST : ERROR_NETWORK,
              "%s", delivery_said(&attempt));
    error->retry_after_s = attempt.retry_after_s;
    return false;
}

static void refresh(const struct step *step)
{
    struct lane *lane = step->lane;
    struct step copy = *step;
    const struct refresh_lane of = { lane->database, lane->receiver, lane->target,
                                     step->kind->refresh_s };
    if (of.refresh_s)
        refresh_run(&of, &lane->round, step->now, send_again, &copy);
}

/* --- one step ------------------------------------------------------------------------------- */

static bool open_database(struct lane *lane, struct error *error)
{
    const struct database_config config = {
        .path = lane->database_path,
        .migrations = schema_migrations,
        .busy_ms = DATABASE_BUSY_MS,
    };
    if (!lane->database)
        lane->database = database_open(&config, error);
    return lane->database != NULL;
}

/* Everything of a step that can fail for the database's sake. */
static bool try_step(const struct step *step, int64_t *next_at, bool *done, struct error *error)
{
    struct lane *lane = step->lane;
    *done = false;
    if (!open_database(lane, error) || !settle(lane, error))
        return false;
    if (lane->disabled)
        return true;
    refresh(step);
    bool paused =
        lane->paused_until > step->now && lane->paused_until <= step->now + RETRY_AFTER_MAX_S;
    if (paused)
        *next_at = lane->paused_until;
    else if (!work(step, next_at, done, error))
        return false;
    if (step->kind->refresh_s && (!*next_at || *next_at > lane->round.due_at))
        *next_at = lane->round.due_at;
    return true;
}

bool lane_step(struct lane *lane, int64_t now, int64_t *next_at)
{
    struct step step = { .lane = lane, .now = now };
    struct error error;
    const void *unused;
    bool done;
    pthread_mutex_lock(&lane->lock);
    step.settings = lane->settings;
    settings_acquire(step.settings);
    bool changed = lane->other || (lane->changed && lane->disabled);
    lane->changed = lane->other = false;
    pthread_mutex_unlock(&lane->lock);
    if (changed) {
        lane->disabled = false;
        lane->paused_until = 0;
    }
    step.receiver = settings_receiver(step.settings, lane->receiver);
    step.kind = receivers_kind(step.receiver, &unused);
    *next_at = 0;
    bool ok = try_step(&step, next_at, &done, &error);
    settings_release(step.settings);
    if (!ok) {
        if (!lane->unreadable)
            log_warn(MSG("cannot work on the outbox, trying again"),
                     TEXT("receiver", lane->receiver), ERR(&error));
        *next_at = now + (error.code == ERROR_TIMEOUT ? 1 : DATABASE_RETRY_S);
    }
    lane->unreadable = !ok;
    return ok && done;
}
