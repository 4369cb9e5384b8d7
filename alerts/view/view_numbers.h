#pragma once
/* The findings of some sources, in the order of risk. Put together when somebody asks first, and
 * kept as long as the view. Any thread. */
#include "alerts/view/view.h"

/* Numbers of findings. */
struct view_numbers {
    uint32_t *list;
    size_t count;
};

/* Those of the sources that `wants` wants. name: under which they are kept. */
typedef bool view_numbers_source(const struct source *source, const struct part *part);
const struct view_numbers *view_numbers_of(const struct view *view, const char *name,
                                           view_numbers_source *wants);
