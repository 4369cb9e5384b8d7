#pragma once
/* The formats of an exposition and which one a client wants. Pure; any thread.
 * source: RFC 9110 section 12.5; Prometheus, Exposition formats. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/metric.h"

struct encoding {
    const char *media, *version; /* "text/plain", "0.0.4": what Accept has to name */
    const char *content_type;    /* exactly what is sent */
    void (*write)(const struct metric_set *set, struct buf *out);
};

/* The table; the last row is what anybody gets who asks for nothing we know. */
extern const struct encoding encodings[];
extern const size_t encoding_count;

/* The row a client prefers: highest q, then the client's order. A missing version means the last
 * row of that media type. Never fails: the last row answers whatever cannot be read. */
const struct encoding *encoding_choose(const struct encoding *rows, size_t count,
                                       const char *accept);

/* Whether Accept-Encoding allows gzip. */
bool encoding_gzip(const char *accept_encoding);
