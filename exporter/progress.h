#pragma once
/* One line on standard error that says how far work is, while it is long: drawn again and again,
 * and taken away at the end. Nothing where standard error is no terminal. */
#include <stddef.h>

struct progress;

/* of: collectors that are to be run. NULL = nobody would see it. */
struct progress *progress_start(size_t of);

/* So many are done, and brought so many rows. The line is gone until it is drawn again: what is
 * printed now stands alone. NULL is fine. */
void progress_note(struct progress *progress, size_t done, size_t rows);

/* Take it away. NULL is fine. */
void progress_stop(struct progress *progress);
