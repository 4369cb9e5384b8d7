#pragma once
/* Pieces of protobuf messages: what is repeated a hundred thousand times is written piece by piece,
 * so that the whole never stands in memory as objects. Pure. */
#include <protobuf-c/protobuf-c.h>

#include "core/arena.h"
#include "core/buf.h"

/* Append a number as its varint. */
void protobuf_varint(struct buf *out, uint64_t value);

/* Append a message: as it is (field 0), or as this field of another one. */
void protobuf_pack(struct buf *out, unsigned field, const ProtobufCMessage *message);

/* Append bytes that are a message as this field of another one. */
void protobuf_nest(struct buf *out, unsigned field, const struct buf *message);

/* The same when the bytes follow by other ways; and how many bytes that is, with those. */
void protobuf_head(struct buf *out, unsigned field, size_t length);
size_t protobuf_size(unsigned field, size_t length);

/* The text itself, or a copy in the arena where bytes that are no UTF-8 are U+FFFD: who reads
 * messages refuses the whole because of one. */
const char *protobuf_valid(const char *text, struct arena *arena);
