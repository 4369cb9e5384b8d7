#include "alerts/view/view_numbers.h"

#include <stdlib.h>

#include "core/memory.h"

static void finish(void *owner)
{
    struct view_numbers *numbers = owner;
    free(numbers->list);
    free(numbers);
}

static struct view_numbers *build(const struct view *view, const bool *wanted)
{
    struct view_numbers *numbers = MEMORY_NEW(struct view_numbers);
    const uint32_t *order = view_order(view, VIEW_BY_RISK);
    size_t count = 0;
    for (size_t i = 0; i < view->count; i++)
        count += wanted[view->findings[order[i]].source];
    numbers->list = MEMORY_ARRAY(uint32_t, count + 1);
    for (size_t i = 0; i < view->count; i++)
        if (wanted[view->findings[order[i]].source])
            numbers->list[numbers->count++] = order[i];
    return numbers;
}

const struct view_numbers *view_numbers_of(const struct view *view, const char *name,
                                           view_numbers_source *wants)
{
    const struct snapshot *snapshot = view->snapshot;
    const void *known = view_made_find(view->made, name);
    if (known)
        return known;
    bool *wanted = MEMORY_ARRAY(bool, snapshot->sources->count + 1);
    for (size_t i = 0; i < snapshot->sources->count; i++)
        wanted[i] = snapshot->parts[i] && wants(&snapshot->sources->sources[i], snapshot->parts[i]);
    struct view_numbers *numbers = build(view, wanted);
    free(wanted);
    return view_made_keep(view->made, name, numbers, finish);
}
