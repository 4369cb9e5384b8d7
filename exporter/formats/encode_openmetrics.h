#pragma once
/* OpenMetrics 0.0.1 and 1.0.0, which differ in nothing that is written here. Pure; any thread.
 * source: OpenMetrics 1.0.0, Text Format. */
#include "core/buf.h"
#include "core/metric.h"

struct encoding_options;

/* Append a family with its samples, as struct encoding has it. */
void encode_openmetrics_family(const struct sample *samples, size_t count,
                               const struct encoding_options *options, struct buf *out);
