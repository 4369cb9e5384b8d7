#pragma once
/* Unpacking what has come whole; the only file that names libdeflate. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/compiler.h"

/* Append what gzip members or zlib streams hold, any number of them one after the other (RFC 1952
 * 2.2), zeros behind each. False when the bytes are none, when one is cut or its check sum wrong,
 * and when it is more than the limit of `out`, which has then overflowed. */
bool inflate_append(struct buf *out, const void *bytes, size_t count) MUST_USE;
