#pragma once
/* The Prometheus text formats 0.0.4 and 1.0.0, which are one and the same for names without
 * quotes, as ours are. Pure; any thread. source: Prometheus documentation, Exposition formats. */
#include "core/buf.h"
#include "core/metric.h"

struct encoding_options;

/* Append a family with its samples, as struct encoding has it. */
void encode_text_family(const struct sample *samples, size_t count,
                        const struct encoding_options *options, struct buf *out);
