#pragma once
/* The Prometheus text format 0.0.4. Pure; any thread. source: Prometheus documentation,
 * Exposition formats. */
#include "core/buf.h"
#include "core/metric.h"

/* Append a family with its samples, as struct encoding has it. Bytes in label values that are not
 * UTF-8 become U+FFFD, for one of them would make Prometheus refuse the whole scrape. */
void encode_text_family(const struct sample *samples, size_t count, struct buf *out);
