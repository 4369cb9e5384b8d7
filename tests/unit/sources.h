#pragma once
/* The built-in sources for tests. The list is made of the collectors in an order that
 * TEST_ORDER chooses (0, 1 or 2): nothing may depend on it. */
#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"

static inline struct source_list *test_sources(void)
{
    static struct source_list *list;
    const struct collector *kinds[64] = { 0 };
    const char *order = getenv("TEST_ORDER");
    size_t count = 0, turn = order ? (size_t)atoi(order) : 0;
    if (list)
        return list;
    while (collector_kinds[count])
        count++;
    for (size_t i = 0; i < count; i++)
        kinds[turn == 1 ? count - 1 - i : (i + 2 * turn) % count] = collector_kinds[i];
    list = source_list_of(kinds);
    return list;
}

/* SOURCE(assessments): the source; INDEX(assessments): its place in parts and status. */
#define SOURCE(name) (source_list_find(test_sources(), #name))
#define INDEX(name) (SOURCE(name)->index)
