#pragma once
/* What a digest stands for as a table: how many of which recommendation in which subscription. */
#include "alerts/notify/group.h"

enum { GOVERNOR_TABLE_ROWS = 15 };

/* Read the table of what is folded for a receiver, firing before resolved, worst risk first, then
 * the most. Rows behind GOVERNOR_TABLE_ROWS are one row called "other", so that the counts add up
 * to all of it. An alert about no finding stands under the name of its rule. Texts go to the arena.
 */
bool governor_table(const struct group_context *context, const char *receiver, struct arena *arena,
                    const struct notification_count **rows, size_t *count,
                    struct error *error) MUST_USE;
