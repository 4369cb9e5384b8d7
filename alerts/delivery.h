#pragma once
/* Takes due messages to their receivers: one thread, connection and HTTP client per lane, so that a
 * dead receiver delays no other. Retry as DELIVERY.md E: 5 s x 2, +-20 %, at most 15 min;
 * Retry-After wins, at most 1 h; a token bucket per lane. After a transient failure the whole lane
 * pauses until that message is due, then tries the oldest that is not blocked. */
#include "alerts/outbox.h"
#include "alerts/settings.h"
#include "core/metric.h"

struct delivery;

struct delivery_config {
    const char *database_path;
    struct metric_store *metrics; /* outlives it */
};

/* settings: acquired. */
struct delivery *delivery_create(const struct delivery_config *config,
                                 struct settings *settings) MUST_USE;
void delivery_destroy(struct delivery *delivery);

/* Start a thread per lane. */
void delivery_start(struct delivery *delivery);

/* Cancel what is in flight, join; under two seconds. A cancelled attempt stays queued. */
void delivery_stop(struct delivery *delivery);

/* Lanes of receivers that did not change go on; others stop, start or are rebuilt. Messages of
 * receivers that are gone stay queued until they expire, and are counted. Any thread. */
void delivery_configure(struct delivery *delivery, struct settings *settings);

/* Something may be due. Any thread. */
void delivery_wake(struct delivery *delivery);

/* One attempt of one message on the calling thread, without the database: what lanes,
 * `test receiver` and the heartbeat share; signing included. error: why there was no answer. */
struct delivery_attempt {
    struct receiver_verdict verdict;
    int status;            /* 0 = no answer */
    int64_t retry_after_s; /* 0 = not told */
    char text[256];        /* what the receiver said, redacted, one line */
};
void delivery_send(struct http_client *client, const struct receivers_config *receiver,
                   const struct receiver_context *context, struct page *page,
                   struct delivery_attempt *attempt, struct error *error);

/* Work off everything due at `now` on the calling thread, lane after lane, and say when the next is
 * due: for tests with virtual time; never while started. */
bool delivery_run(struct delivery *delivery, int64_t now, int64_t *next_at,
                  struct error *error) MUST_USE;

/* Append defender_exporter_outbox_*, in flight included. Any thread. */
void delivery_emit(struct delivery *delivery, struct metric_set *set);

/* Live in the metric store, declared for every receiver: defender_exporter_notifications_total
 * (receiver, integration), _notifications_failed_total (.., reason), _notification_latency_seconds,
 * _notification_age_seconds (integration), _notification_last_success_timestamp_seconds. */
extern const struct family *const delivery_families[];
