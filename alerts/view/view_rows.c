#include "alerts/view/view_rows.h"

#include <stdlib.h>

#include "core/memory.h"

void view_rows_add(struct view_rows *rows, const struct part *part, const void *row)
{
    MEMORY_GROW(rows->list, rows->count, rows->capacity);
    rows->list[rows->count++] = (struct view_row){ part, row };
}

static void finish(void *thing)
{
    struct view_rows *rows = thing;
    free(rows->list);
    free(rows);
}

const struct view_rows *view_rows_of(const struct view *view, const char *name, view_rows_part *add)
{
    const void *known = view_made_find(view->made, name);
    if (known)
        return known;
    struct view_rows *rows = MEMORY_NEW(struct view_rows);
    for (size_t i = 0; i < view->snapshot->sources->count; i++)
        if (view->snapshot->parts[i])
            add(rows, view->snapshot->parts[i]);
    return view_made_keep(view->made, name, rows, finish);
}
