#pragma once
/* gzip members; the only file that names zlib. Members may be concatenated (RFC 1952). */
#include "core/buf.h"

/* Append one gzip member holding these bytes. level: 1 fast .. 9 small. */
void gzip_append(struct buf *out, const void *bytes, size_t count, int level);
