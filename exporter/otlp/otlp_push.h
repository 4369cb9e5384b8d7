#pragma once
/* Pushing one signal: what was sent is counted, and when to send next follows from the answers.
 * Its own thread only. */
#include "core/metric.h"
#include "exporter/otlp/otlp_send.h"

struct otlp_push {
    enum otlp_signal signal;
    struct otlp_reach reach;
    struct http_client *client; /* borrowed, as metrics */
    struct metric_store *metrics;
    int64_t due_ms; /* not before; on whatever clock the caller has */
    int attempts;   /* that failed, one after the other */
    bool failing;   /* it was said so */
    bool rejecting;
};

/* Make the series of this signal, all at 0. */
void otlp_push_declare(const struct otlp_push *push);

/* Send a packet and note how it went. After OTLP_LATER and OTLP_STRANGER nothing is due before
 * push->due_ms, and the packet is to be kept. now_s: Unix time. */
enum otlp_outcome otlp_push_send(struct otlp_push *push, const struct otlp_packet *packet,
                                 int64_t now_ms, int64_t now_s);

/* Count items that are given up. */
void otlp_push_reject(const struct otlp_push *push, size_t items);

/* defender_exporter_otlp_exports_total _export_failures ... (signal, reason). */
extern const struct family *const otlp_push_families[];
