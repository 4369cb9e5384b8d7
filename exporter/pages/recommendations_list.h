#pragma once
/* What is open, by recommendation: grouped, put in order, some at a time. Pure. */
#include "alerts/view/view_groups.h"
#include "exporter/pages/page.h"

/* What is asked for; "" = what it is otherwise. */
struct recommendations_asked {
    const char *by;                /* a word of view_groups.h; risk */
    const char *order;             /* a word of view_sort_words; risk */
    const char *group;             /* the key of one of the groups; all */
    size_t from;                   /* the first row */
    const struct tag_labels *tags; /* NULL = none */
};

/* False: nothing is grouped, or put in order, by such a word. */
bool recommendations_list(struct page *page, const struct view *view,
                          const struct recommendations_asked *asked);
