#pragma once
/* Rows that parts keep, those of all parts one behind the other, so that each is found by its
 * number. Put together when somebody asks first, and kept as long as the view. Any thread. */
#include "alerts/view/view.h"

struct view_row {
    const struct part *part;
    const void *row; /* the part's */
};
struct view_rows {
    struct view_row *list;
    size_t count, capacity;
};

/* The rows that `add` adds of each part. name: under which they are kept. */
typedef void view_rows_part(struct view_rows *rows, const struct part *part);
const struct view_rows *view_rows_of(const struct view *view, const char *name,
                                     view_rows_part *add);

void view_rows_add(struct view_rows *rows, const struct part *part, const void *row);
