#pragma once
/* The formats of an exposition and which one a client wants. Pure; any thread.
 * source: RFC 9110 section 12.5; Prometheus, Exposition formats. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/metric.h"

/* A format: everything that is known of it. A body is what begins it, its families and what ends
 * it; it is made in parts at different times, so that a family depends on no other. */
struct encoding {
    const char *media, *version;       /* "text/plain", "0.0.4": what Accept has to name */
    const char *content_type;          /* exactly what is sent */
    const char *begin, *between, *end; /* texts around and between families; NULL = nothing */
    /* Append a family with its samples, count of them, one or more. */
    void (*family)(const struct sample *samples, size_t count, struct buf *out);
};

/* The program's formats; the last row is what anybody gets who asks for nothing we know. */
extern const struct encoding encodings[];
extern const size_t encoding_count;

/* The row a client prefers: highest q, then the client's order. A missing version means the last
 * row of that media type. Never fails: the last row answers whatever cannot be read. */
const struct encoding *encoding_choose(const struct encoding *rows, size_t count,
                                       const char *accept);

/* Begin a body, append families of a sorted set to it, end it. first: no family is in it yet. */
void encoding_begin(const struct encoding *encoding, struct buf *out);
void encoding_append(const struct encoding *encoding, const struct metric_set *set, bool first,
                     struct buf *out);
void encoding_end(const struct encoding *encoding, struct buf *out);

/* Whether Accept-Encoding allows gzip. */
bool encoding_gzip(const char *accept_encoding);
