#pragma once
/* An answer that is made piece by piece as its reader takes them, on threads of a pool: a long one
 * needs no more memory than a short one, and a slow reader occupies no thread. */
#include <stdbool.h>

#include "core/buf.h"
#include "exporter/web/pool.h"

struct MHD_Connection;
struct MHD_Response;

/* Append the next piece; *more false after the last one. False: the answer cannot be completed, and
 * the connection is closed so that it does not look whole. One thread at a time. */
typedef bool stream_next(void *owner, struct buf *out, bool *more);

struct stream_source {
    stream_next *next;
    void (*release)(void *owner);
    void *owner;
};

/* An answer that begins with the bytes of the buf, which is empty after. It owns the source. pool
 * outlives it; peer: whom the work is for. */
struct MHD_Response *stream_create(struct MHD_Connection *connection, struct pool *pool,
                                   uint64_t peer, struct buf *first,
                                   const struct stream_source *source);
