#include "exporter/otlp/otlp_samples.h"

#include "exporter/otlp/otlp_halve.h"

enum { UNFIT_MAX = 10 };

void otlp_samples_open(struct otlp_samples *samples)
{
    otlp_push_declare(&samples->push);
}

void otlp_samples_finish(struct otlp_samples *samples)
{
    otlp_metrics_finish(&samples->metrics);
}

static void take(void *context, const struct metric_set *set)
{
    struct otlp_samples *samples = context;
    otlp_metrics_add(&samples->metrics, set);
}

static void read_anew(struct otlp_samples *samples, int64_t now_ms, int64_t now_s)
{
    int64_t missed = (now_ms - samples->next_ms) / samples->interval_ms;
    samples->next_ms = samples->next_ms ? samples->next_ms + (missed + 1) * samples->interval_ms
                                        : now_ms + samples->interval_ms;
    otlp_metrics_reset(&samples->metrics);
    samples->sent = 0;
    samples->unfit = 0;
    samples->metrics.at = now_s;
    samples->read(samples->source, take, samples);
    otlp_metrics_end(&samples->metrics);
}

/* Give a single point up that is too large. For whom many are, all are: the others of this push
 * are not tried one by one. */
static void refuse(struct otlp_samples *samples)
{
    const struct otlp_metrics *metrics = &samples->metrics;
    size_t end = ++samples->unfit < UNFIT_MAX ? samples->sent + 1 : metrics->count;
    for (; samples->sent < end; samples->sent++)
        otlp_push_reject(&samples->push, metrics->packets[samples->sent].items);
}

void otlp_samples_run(struct otlp_samples *samples, int64_t now_ms, int64_t now_s)
{
    struct otlp_metrics *metrics = &samples->metrics;
    if (now_ms < samples->push.due_ms)
        return;
    if (now_ms >= samples->next_ms)
        read_anew(samples, now_ms, now_s);
    while (samples->sent < metrics->count) {
        const struct otlp_packet *packet = &metrics->packets[samples->sent];
        switch (otlp_push_send(&samples->push, packet, now_ms, now_s)) {
        case OTLP_LATER:
        case OTLP_STRANGER:
            return;
        case OTLP_TOO_LARGE:
            if (!otlp_halve(metrics, samples->sent))
                refuse(samples);
            break;
        case OTLP_TAKEN:
            samples->unfit = 0;
            samples->sent++;
            break;
        case OTLP_REFUSED:
            samples->sent++;
        }
    }
    otlp_metrics_reset(metrics);
    samples->sent = 0;
}
