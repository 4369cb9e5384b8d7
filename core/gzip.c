#define ZLIB_CONST /* input is const */
#include "core/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 }; /* + 16: a gzip header, not a zlib one */

void gzip_append(struct buf *out, const void *bytes, size_t count, int level)
{
    z_stream stream = { 0 };
    if (deflateInit2(&stream, level, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY))
        abort();
    unsigned char chunk[16384];
    size_t left = count;
    int result = Z_OK;
    stream.next_in = bytes;
    while (result == Z_OK || result == Z_BUF_ERROR) {
        if (!stream.avail_in) {
            stream.avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
            left -= stream.avail_in;
        }
        stream.next_out = chunk;
        stream.avail_out = sizeof chunk;
        result = deflate(&stream, left ? Z_NO_FLUSH : Z_FINISH);
        buf_append(out, chunk, sizeof chunk - stream.avail_out);
    }
    if (result != Z_STREAM_END)
        abort();
    deflateEnd(&stream);
}
