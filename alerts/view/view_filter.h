#pragma once
/* The rows of a table that matchers let through, where the table is not of findings: over its
 * columns of text, which are called as in rules where those have the same. Pure. */
#include "alerts/view/view_table.h"

/* Numbers of rows. Zeroed is none. */
struct view_filter {
    uint32_t *rows;
    size_t count;
};

/* Whether the table has what every matcher names. ERROR_CONFIG says which names there are. */
bool view_filter_knows(const struct view_table *table, const struct match_list *matches,
                       struct error *error) MUST_USE;

/* Fill in those that satisfy the matchers. reading: of all rows. False and ERROR_LIMIT as
 * view_select. */
bool view_filter_rows(const struct view_table *table, const struct view_reading *reading,
                      const struct match_list *matches, struct match_budget *budget,
                      struct view_filter *filter, struct error *error) MUST_USE;
void view_filter_finish(struct view_filter *filter);
