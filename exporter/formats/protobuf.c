#include "exporter/formats/protobuf.h"

#include <string.h>

#include "core/utf8.h"

enum { WIRE_LENGTH_DELIMITED = 2 }; /* source: Protocol Buffers, Encoding */

void protobuf_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_char(out, (char)(value | 0x80));
    buf_char(out, (char)value);
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

void protobuf_head(struct buf *out, unsigned field, size_t length)
{
    protobuf_varint(out, (uint64_t)field << 3 | WIRE_LENGTH_DELIMITED);
    protobuf_varint(out, length);
}

size_t protobuf_size(unsigned field, size_t length)
{
    return varint_size((uint64_t)field << 3) + varint_size(length) + length;
}

void protobuf_pack(struct buf *out, unsigned field, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    if (field)
        protobuf_head(out, field, length);
    buf_reserve(out, length);
    protobuf_c_message_pack(message, (uint8_t *)out->data + out->length);
    out->length += length;
    if (out->data)
        out->data[out->length] = 0;
}

void protobuf_nest(struct buf *out, unsigned field, const struct buf *message)
{
    protobuf_head(out, field, message->length);
    buf_append(out, message->data, message->length);
}

/* How much of a text is valid from its beginning on. */
static size_t valid_length(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t step = (unsigned char)text[at] < 0x80 ? 1 : utf8_length(text + at, length - at);
        if (!step)
            break;
        at += step;
    }
    return at;
}

const char *protobuf_valid(const char *text, struct arena *arena)
{
    size_t length = strlen(text), good = valid_length(text, length);
    if (good == length)
        return text;
    CLEANUP(buf_finish) struct buf mended = { 0 };
    for (size_t at = 0;; at++) {
        good = valid_length(text + at, length - at);
        buf_append(&mended, text + at, good);
        at += good;
        if (at >= length)
            break;
        buf_text(&mended, UTF8_REPLACEMENT);
    }
    return arena_text(arena, buf_cstr(&mended));
}
