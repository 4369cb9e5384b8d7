#include "core/inflate.h"

#include <endian.h>
#include <libdeflate.h>
#include <stdint.h>
#include <string.h>

#include "core/memory.h"

/* A byte holds no more than so many, and a guess of less is not worth one. source: zlib, technical
 * details: 1032 to 1. */
enum { RATIO_MAX = 1032, ROOM_MIN = 4096 };

struct source {
    const char *bytes;
    size_t count;
    struct libdeflate_decompressor *decompressor;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What may still be appended. */
static size_t left(const struct buf *out)
{
    return out->limit_bytes ? out->limit_bytes - out->length : SIZE_MAX / 2 - out->length;
}

/* Room for what the end of the bytes says is in them: right when they are one member. */
static size_t first_room(const struct source *source, const struct buf *out)
{
    uint32_t said = 0;
    if (source->count >= sizeof said)
        memcpy(&said, source->bytes + source->count - sizeof said, sizeof said);
    size_t room = source->count < SIZE_MAX / RATIO_MAX
                      ? least(le32toh(said), source->count * RATIO_MAX)
                      : le32toh(said);
    return least(room < ROOM_MIN ? ROOM_MIN : room, left(out));
}

static enum libdeflate_result unpack(const struct source *source, struct buf *out, size_t room,
                                     size_t *used, size_t *made)
{
    bool is_gzip = source->count > 1 && !memcmp(source->bytes, "\x1f\x8b", 2);
    buf_reserve(out, room);
    return (is_gzip ? libdeflate_gzip_decompress_ex : libdeflate_zlib_decompress_ex)(
        source->decompressor, source->bytes, source->count, out->data + out->length, room, used,
        made);
}

/* The member at the beginning, whose size nobody is to be believed. */
static bool append_member(struct source *source, struct buf *out)
{
    size_t used = 0, made = 0, most = left(out), room = first_room(source, out);
    enum libdeflate_result result = unpack(source, out, room, &used, &made);
    while (result == LIBDEFLATE_INSUFFICIENT_SPACE && room < most) {
        room = least(room * 2, most);
        result = unpack(source, out, room, &used, &made);
    }
    out->overflowed = result == LIBDEFLATE_INSUFFICIENT_SPACE;
    if (result == LIBDEFLATE_SUCCESS)
        out->length += made;
    out->data[out->length] = 0;
    source->bytes += used;
    source->count -= used;
    return result == LIBDEFLATE_SUCCESS;
}

bool inflate_append(struct buf *out, const void *bytes, size_t count)
{
    if (!count || out->overflowed)
        return !count;
    struct source source = { bytes, count, memory_checked(libdeflate_alloc_decompressor()) };
    bool ok = true;
    while (ok && source.count) {
        ok = append_member(&source, out);
        while (ok && source.count && !*source.bytes) /* padding */
            source.bytes++, source.count--;
    }
    libdeflate_free_decompressor(source.decompressor);
    return ok;
}
