#pragma once
/* Making gzip members; the only file that names zlib. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/* Append one gzip member holding these bytes. level: 1 fast .. 9 small. */
void gzip_append(struct buf *out, const void *bytes, size_t count, int level);

/* Bytes compressed ahead of time, to be joined with others into one member. (A stream of several
 * members is legal, RFC 1952, but common readers, libcurl among them, refuse the second one.) */
struct gzip_piece {
    struct buf deflated; /* whole bytes, without a last block */
    uint32_t crc;
    size_t count; /* before compression */
};

/* Compress into the piece, zeroed or used before. */
void gzip_piece_fill(struct gzip_piece *piece, const void *bytes, size_t count, int level);

/* Append one gzip member holding the pieces one after the other. */
void gzip_join(struct buf *out, const struct gzip_piece *const *pieces, size_t count);

void gzip_piece_finish(struct gzip_piece *piece);
