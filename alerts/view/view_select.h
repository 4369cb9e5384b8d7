#pragma once
/* A view of some of the findings of another. */
#include "alerts/view/view.h"

/* Those that satisfy the matchers, over the labels that alerts about findings have. It shares what
 * the view has, which must show all. tags: NULL = none. NULL and ERROR_LIMIT: a regular expression
 * has no answer, or asking them takes longer than the budget. */
struct view *view_select(struct view *view, const struct match_list *matches,
                         const struct tag_labels *tags, struct match_budget *budget,
                         struct error *error) MUST_USE;
