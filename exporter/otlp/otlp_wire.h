#pragma once
/* Pieces of protobuf messages: what is repeated a hundred thousand times is written piece by piece,
 * so that the whole never stands in memory as objects. Pure. */
#include <protobuf-c/protobuf-c.h>

#include "core/arena.h"
#include "core/buf.h"
#include "opentelemetry/proto/common/v1/common.pb-c.h"

/* Append a message: as it is (field 0), or as this field of another one. */
void otlp_wire_pack(struct buf *out, unsigned field, const ProtobufCMessage *message);

/* Append bytes that are a message as this field of another one. */
void otlp_wire_nest(struct buf *out, unsigned field, const struct buf *message);

/* The same when the bytes follow by other ways; and how many bytes that is, with those. */
void otlp_wire_head(struct buf *out, unsigned field, size_t length);
size_t otlp_wire_size(unsigned field, size_t length);

/* A name=value with a text, and the memory its parts need. Texts are borrowed. */
struct otlp_wire_text {
    Opentelemetry__Proto__Common__V1__KeyValue pair;
    Opentelemetry__Proto__Common__V1__AnyValue value;
};
void otlp_wire_text(struct otlp_wire_text *text, const char *name, const char *value);

/* The text itself, or a copy in the arena where bytes that are no UTF-8 are U+FFFD: receivers
 * refuse a whole request because of one. */
const char *otlp_wire_valid(const char *text, struct arena *arena);
