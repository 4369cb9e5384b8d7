#pragma once
/* Growable bytes with a limit. A zeroed struct buf is ready to use and unlimited.
 * Appending never fails loudly: past limit_bytes nothing more is kept and `overflowed` stays
 * set, so the writer checks once at the end. Out of memory aborts.
 * data is NUL-terminated whenever it is not NULL (the NUL is not counted in length). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

struct buf {
    char *data;
    size_t length, capacity;
    size_t limit_bytes; /* 0 = none */
    bool overflowed;
};

void buf_append(struct buf *buf, const void *bytes, size_t count);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Decimal digits of an integer, without printf. */
void buf_integer(struct buf *buf, int64_t value);

/* The shortest decimal that reads back as the same double; NaN, +Inf, -Inf; no locale. */
void buf_number(struct buf *buf, double value);

/* Room for at least `bytes` more, so that what follows does not move. */
void buf_reserve(struct buf *buf, size_t bytes);

/* The text, "" when nothing was appended. Valid until the next append. */
const char *buf_cstr(const struct buf *buf);

/* Forget the contents, keep the memory and the limit. */
void buf_reset(struct buf *buf);

/* Give the memory back; the struct is zeroed. Takes a zeroed buf. */
void buf_finish(struct buf *buf);
