#pragma once
/* Delivery of due messages: one lane (lane.h) per receiver and target, so that a dead receiver
 * delays no other. Retry after 5 s, then twice as long each time, +-20 %, at most 15 min;
 * Retry-After wins, at most 1 h; a token bucket per lane. After a transient failure the whole lane
 * pauses until that message is due, then tries the oldest that is not blocked. */
#include "alerts/notify/outbox.h"
#include "alerts/notify/settings.h"
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

/* Lanes go on with the new settings, nothing in flight is cut off; those whose receiver or target
 * is gone stop, new ones start. Messages of receivers that are gone stay queued until they expire,
 * and are counted. Any thread. */
void delivery_configure(struct delivery *delivery, struct settings *settings);

/* Wake every lane: something may be due. Any thread. */
void delivery_wake(struct delivery *delivery);

/* One attempt of one message on the calling thread, without the database: what lanes,
 * `test receiver` and the heartbeat share; signing included. When it is refused and the file of a
 * secret has another content by now, there is a second try with that. notification->id: of the
 * message. */
struct delivery_attempt {
    struct receiver_verdict verdict;
    int status;            /* 0 = no answer */
    int64_t retry_after_s; /* 0 = the receiver named none */
    int64_t duration_ms;
    bool truncated;
    size_t left_out;      /* recipients that a mail had no place for */
    size_t refused_count; /* recipients of a mail that the relay refused ... */
    char refused[256];    /* ... and what it said of them */
    char later[2048];     /* of those, who may be accepted later: addresses, a line each */
    char text[256];       /* the receiver's answer, or the error; redacted, one line */
};
void delivery_send(struct http_client *client, const struct receivers_config *receiver,
                   const struct receiver_context *context, struct notification *notification,
                   struct delivery_attempt *attempt);

/* The same for a kind with threads: every request it takes, in this order. What may have been lost
 * is looked for; the first message of the thread is posted, or brought up to date and the news
 * posted below it; posted anew when somebody deleted it. begin: called before each post with the
 * thread that waits for it, and writes that; false, its error, nothing was posted. */
typedef bool delivery_begin(void *context, const struct receiver_thread *thread,
                            struct error *error);
bool delivery_converse(struct http_client *client, const struct receivers_config *receiver,
                       const struct receiver_context *context, struct notification *notification,
                       struct receiver_thread *thread, delivery_begin *begin, void *begin_context,
                       struct delivery_attempt *attempt, struct error *error) MUST_USE;

/* The verdict's reason as a word of notifications_failed_total; "" after an acceptance. */
const char *delivery_reason(const struct delivery_attempt *attempt);

/* Why it failed, for people: what the receiver answered, or what is known without that. */
const char *delivery_said(const struct delivery_attempt *attempt);

/* Work off everything due at `now` on the calling thread, lane after lane, and say when the next is
 * due (0 = nothing is queued): for tests with virtual time; never while started. */
void delivery_run(struct delivery *delivery, int64_t now, int64_t *next_at);

/* Append defender_exporter_outbox_*, in flight included: from memory, see outbox_figures.h. Any
 * thread. */
void delivery_emit(struct delivery *delivery, struct metric_set *set);
