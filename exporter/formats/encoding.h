#pragma once
/* The formats of an exposition and which one a client wants. Pure; any thread.
 * source: RFC 9110 section 12.5; Prometheus, Exposition formats and Content negotiation. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/metric.h"

/* How names that an older Prometheus does not know are to be written. Ours are plain, so that each
 * leaves them as they are; the answer says all the same which one was asked for. */
enum encoding_escaping {
    ENCODING_NOT_ASKED,
    ENCODING_ALLOW_UTF_8,
    ENCODING_UNDERSCORES, /* also what is asked for by a word nobody knows */
    ENCODING_DOTS,
    ENCODING_VALUES,
    ENCODING_ESCAPINGS,
};

/* What an operator chooses of formats. */
struct encoding_options {
    bool created_lines; /* OpenMetrics: since when counters and histograms count, in a line each */
};

enum { ENCODING_PARAMETERS_MAX = 2, ENCODINGS_MAX = 8 };

/* A format: everything that is known of it. A body is what begins it, its families and what ends
 * it; it is made in parts at different times, so that a family depends on no other. */
struct encoding {
    const char *name;  /* of metrics: "openmetrics 1.0.0" */
    const char *media; /* "text/plain": what Accept has to name */
    struct encoding_parameter {
        const char *name, *value;
    } parameters[ENCODING_PARAMETERS_MAX + 1]; /* { "version", "0.0.4" }: what Accept may leave out
                                                  but has to say right; ends with NULL */
    const char *content_types[ENCODING_ESCAPINGS]; /* exactly what is sent */
    const char *begin, *between, *end; /* texts around and between families; NULL = nothing */
    /* Append a family with its samples, count of them, one or more. */
    void (*family)(const struct sample *samples, size_t count,
                   const struct encoding_options *options, struct buf *out);
};

/* The program's formats; the last row is what anybody gets who asks for nothing we know. */
extern const struct encoding encodings[];
extern const size_t encoding_count;

/* What a client gets. */
struct encoding_choice {
    const struct encoding *encoding;
    const char *content_type; /* static */
};

/* What a client prefers: highest q, then the client's order, then the later row; of what it says of
 * a row the most exact counts, and q=0 excludes. What it leaves out (*, a version) means any row
 * that fits. Never fails: the last row answers whatever cannot be read. count: at most
 * ENCODINGS_MAX. */
struct encoding_choice encoding_choose(const struct encoding *rows, size_t count,
                                       const char *accept);

/* Begin a body, append families of a sorted set to it, end it. first: no family is in it yet. */
void encoding_begin(const struct encoding *encoding, struct buf *out);
void encoding_append(const struct encoding *encoding, const struct encoding_options *options,
                     const struct metric_set *set, bool first, struct buf *out);
void encoding_end(const struct encoding *encoding, struct buf *out);

/* Whether Accept-Encoding allows gzip. */
bool encoding_gzip(const char *accept_encoding);
