#include "exporter/otlp/otlp_push.h"

#include "core/clock.h"
#include "core/log.h"

/* Nobody who takes nothing for want of credentials, or is no receiver, is asked again sooner. */
enum { BACKOFF_S = 1, BACKOFF_MAX_S = 60, JITTER_PERCENT = 20, STRANGER_S = 900 };

/* clang-format off */
static const struct family_1 exports_total = {
    .name = "defender_exporter_otlp_exports_total", .type = METRIC_COUNTER,
    .help = "Requests to a receiver of OTLP.", LABELS("signal") };
static const struct family_2 failed_total = {
    .name = "defender_exporter_otlp_failed_total", .type = METRIC_COUNTER,
    .help = "Those that were not accepted.", LABELS("signal", "reason") };
static const struct family_1 rejected_total = {
    .name = "defender_exporter_otlp_rejected_items_total", .type = METRIC_COUNTER,
    .help = "Data points or log records that a receiver refused for good.", LABELS("signal") };
static const struct family_1 last_success = {
    .name = "defender_exporter_otlp_last_success_timestamp_seconds", .type = METRIC_GAUGE,
    .unit = "seconds", .help = "When a request was last accepted; 0 means not yet.",
    LABELS("signal") };
/* clang-format on */

const struct family *const otlp_push_families[] = { &exports_total.family, &failed_total.family,
                                                    &rejected_total.family, &last_success.family,
                                                    NULL };

void otlp_push_declare(const struct otlp_push *push)
{
    const char *signal = otlp_signal_words[push->signal];
    metric_declare(push->metrics, &exports_total, METRIC_LABELS(signal));
    metric_declare(push->metrics, &rejected_total, METRIC_LABELS(signal));
    metric_declare(push->metrics, &last_success, METRIC_LABELS(signal));
    for (const char *const *reason = otlp_answer_reasons; *reason; reason++)
        metric_declare(push->metrics, &failed_total, METRIC_LABELS(signal, *reason));
}

static const char *host_of(const struct otlp_push *push, char out[300])
{
    return http_origin(push->reach.url, out) ? out : "";
}

/* Logged on change and on recovery. */
static void say(struct otlp_push *push, const struct otlp_answer *answer)
{
    char host[300];
    bool failed = *answer->reason, rejects = !failed && answer->rejected;
    if (failed && !push->failing)
        log_warn(MSG(answer->status == 404 ? "OTLP receiver has no such path: an endpoint of a "
                                             "signal is used as it stands"
                                           : "OTLP receiver does not take what is pushed"),
                 TEXT("signal", otlp_signal_words[push->signal]), TEXT("url", host_of(push, host)),
                 INT("status", answer->status), TEXT("reason", answer->reason),
                 TEXT("err", answer->text));
    if (rejects && !push->rejecting)
        log_warn(MSG("OTLP receiver rejects a part of what is pushed"),
                 TEXT("signal", otlp_signal_words[push->signal]),
                 INT("items", (int64_t)answer->rejected), TEXT("err", answer->text));
    if (!failed && push->failing)
        log_info(MSG("OTLP receiver takes what is pushed again"),
                 TEXT("signal", otlp_signal_words[push->signal]));
    push->failing = failed;
    push->rejecting = failed ? push->rejecting : rejects;
}

void otlp_push_reject(const struct otlp_push *push, size_t items)
{
    metric_count(push->metrics, &rejected_total, (double)items,
                 METRIC_LABELS(otlp_signal_words[push->signal]));
}

static void count(const struct otlp_push *push, const struct otlp_packet *packet,
                  const struct otlp_answer *answer, int64_t now_s)
{
    const char *signal = otlp_signal_words[push->signal];
    metric_count(push->metrics, &exports_total, 1, METRIC_LABELS(signal));
    if (*answer->reason)
        metric_count(push->metrics, &failed_total, 1, METRIC_LABELS(signal, answer->reason));
    else
        metric_put(push->metrics, &last_success, (double)now_s, METRIC_LABELS(signal));
    otlp_push_reject(push, answer->outcome == OTLP_REFUSED ? packet->items : answer->rejected);
}

/* source: OTLP specification, OTLP/HTTP Throttling: Retry-After, else exponential with jitter. */
static int64_t pause_ms(const struct otlp_push *push, const struct otlp_answer *answer)
{
    if (answer->retry_after_s)
        return answer->retry_after_s * 1000;
    if (answer->outcome == OTLP_STRANGER)
        return STRANGER_S * 1000;
    return clock_jitter(clock_backoff_s(push->attempts, BACKOFF_S, BACKOFF_MAX_S) * 1000,
                        JITTER_PERCENT);
}

enum otlp_outcome otlp_push_send(struct otlp_push *push, const struct otlp_packet *packet,
                                 int64_t now_ms, int64_t now_s)
{
    struct otlp_answer answer;
    otlp_send(push->client, &push->reach, push->signal, packet, now_s, &answer);
    if (answer.cancelled)
        return OTLP_LATER; /* we stop */
    count(push, packet, &answer, now_s);
    say(push, &answer);
    bool waits = answer.outcome == OTLP_LATER || answer.outcome == OTLP_STRANGER;
    push->attempts = waits ? push->attempts + 1 : 0;
    if (waits)
        push->due_ms = now_ms + pause_ms(push, &answer);
    return answer.outcome;
}
