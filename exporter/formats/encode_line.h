#pragma once
/* What the text formats have in common: lines of samples. Pure; any thread. Bytes in label values
 * that are not UTF-8 become U+FFFD, for one of them would make Prometheus refuse the whole scrape.
 * source: Prometheus documentation, Exposition formats; OpenMetrics 1.0.0, Text Format. */
#include "core/buf.h"
#include "core/metric.h"

/* Append a text with a backslash before each character in `special`, and \n for line breaks. */
void encode_line_escaped(struct buf *out, const char *text, const char *special);

/* A line of a sample: what it is called, and which bucket it is. */
struct encode_line {
    const struct sample *sample;
    size_t name_bytes;  /* of the family's name that are used */
    const char *suffix; /* "" = none */
    const char *le;     /* NULL except for buckets */
};

/* name{a="b",le="1.0"} 5 - without the end of the line. */
void encode_line(const struct encode_line *line, double value, struct buf *out);

/* Append an exemplar to the line of its bucket; it has a text. */
typedef void encode_line_exemplar(const struct metric_exemplar *exemplar, struct buf *out);

/* The lines of a classic histogram. exemplar: NULL = the format has none. */
void encode_line_histogram(const struct sample *sample, encode_line_exemplar *exemplar,
                           struct buf *out);
