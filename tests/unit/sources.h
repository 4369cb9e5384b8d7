#pragma once
/* The built-in sources for tests. */
#include "collectors/collector.h"

static inline struct source_list *test_sources(void)
{
    static struct source_list *list;
    if (!list)
        list = source_list_of(collector_kinds);
    return list;
}

/* SOURCE(assessments): the source; INDEX(assessments): its place in parts and status. */
#define SOURCE(name) (source_list_find(test_sources(), #name))
#define INDEX(name) (SOURCE(name)->index)
