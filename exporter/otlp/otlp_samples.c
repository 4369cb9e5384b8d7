#include "exporter/otlp/otlp_samples.h"

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
    samples->metrics.at = now_s;
    samples->read(samples->source, take, samples);
    otlp_metrics_end(&samples->metrics);
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
        enum otlp_outcome outcome = otlp_push_send(&samples->push, packet, now_ms, now_s);
        if (outcome == OTLP_LATER || outcome == OTLP_STRANGER)
            return;
        if (outcome == OTLP_TOO_LARGE)
            otlp_push_reject(&samples->push, packet->items);
        samples->sent++;
    }
    otlp_metrics_reset(metrics);
    samples->sent = 0;
}
