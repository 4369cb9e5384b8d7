#pragma once
/* Cutting text for receivers with limits: whole code points, an ellipsis that says so, never more
 * than asked. Pure. source: DELIVERY.md E. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* Append at most max_points code points of text; true when it was cut (the last one is then an
 * ellipsis). Bytes that are no UTF-8 become U+FFFD. */
bool text_cut(struct buf *out, const char *text, size_t max_points);

/* The same with a limit in UTF-8 bytes. */
bool text_cut_bytes(struct buf *out, const char *text, size_t max_bytes);

/* Number of code points. */
size_t text_points(const char *text);

/* Append "3 d 4 h" for people, two units at most. */
void text_age(struct buf *out, int64_t seconds);
