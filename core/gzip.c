#define ZLIB_CONST /* input is const */
#include "core/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/memory.h"

/* + 16: a gzip header and trailer, not zlib's; negative: none at all. source: zlib.h */
enum { WINDOW_GZIP = 15 + 16, WINDOW_RAW = -15, MEMORY_LEVEL = 8 };

/* last: Z_FINISH to end the stream, Z_SYNC_FLUSH to end on a byte and leave it open. */
static void compress_all(struct buf *out, const void *bytes, size_t count, int level, int window,
                         int last)
{
    z_stream stream = { 0 };
    if (deflateInit2(&stream, level, Z_DEFLATED, window, MEMORY_LEVEL, Z_DEFAULT_STRATEGY))
        memory_abort("out of memory: compression cannot begin");
    unsigned char chunk[16384];
    size_t left = count;
    int result = Z_OK;
    bool full = true; /* the last chunk was filled: more may wait inside */
    stream.next_in = bytes;
    while ((left || stream.avail_in || full) && result != Z_STREAM_END) {
        if (!stream.avail_in) {
            stream.avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
            left -= stream.avail_in;
        }
        stream.next_out = chunk;
        stream.avail_out = sizeof chunk;
        result = deflate(&stream, left ? Z_NO_FLUSH : last);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            memory_abort("compression failed: %d", result);
        full = !stream.avail_out;
        buf_append(out, chunk, sizeof chunk - stream.avail_out);
    }
    deflateEnd(&stream);
}

void gzip_append(struct buf *out, const void *bytes, size_t count, int level)
{
    compress_all(out, bytes, count, level, WINDOW_GZIP, Z_FINISH);
}

void gzip_piece_fill(struct gzip_piece *piece, const void *bytes, size_t count, int level)
{
    buf_reset(&piece->deflated);
    compress_all(&piece->deflated, bytes, count, level, WINDOW_RAW, Z_SYNC_FLUSH);
    piece->crc = (uint32_t)crc32_z(0, bytes, count);
    piece->count = count;
}

static void append_le32(struct buf *out, uint32_t value)
{
    for (int shift = 0; shift < 32; shift += 8)
        buf_char(out, (char)(value >> shift & 0xff));
}

void gzip_join(struct buf *out, const struct gzip_piece *const *pieces, size_t count)
{
    static const char head[] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3 }; /* RFC 1952 2.3 */
    static const char last_block[] = { 3, 0 };                               /* RFC 1951 3.2.6 */
    uLong crc = 0;
    size_t total = 0;
    buf_append(out, head, sizeof head);
    for (size_t i = 0; i < count; i++) {
        buf_append(out, pieces[i]->deflated.data, pieces[i]->deflated.length);
        crc = crc32_combine(crc, pieces[i]->crc, (z_off_t)pieces[i]->count);
        total += pieces[i]->count;
    }
    buf_append(out, last_block, sizeof last_block);
    append_le32(out, (uint32_t)crc);
    append_le32(out, (uint32_t)total);
}

void gzip_piece_finish(struct gzip_piece *piece)
{
    buf_finish(&piece->deflated);
    *piece = (struct gzip_piece){ 0 };
}
