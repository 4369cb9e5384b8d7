#pragma once
/* Prometheus' protobuf format: each family one message, its length before it. Pure; any thread.
 * source: Prometheus documentation, Exposition formats; prometheus/client_model, metrics.proto. */
#include "core/buf.h"
#include "core/metric.h"

struct encoding_options;

/* Append a family with its samples, as struct encoding has it. Histograms have both kinds of
 * buckets, so that who reads one of them finds it; infos are gauges, as in the text format. */
void encode_protobuf_family(const struct sample *samples, size_t count,
                            const struct encoding_options *options, struct buf *out);
