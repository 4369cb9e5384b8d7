#pragma once
/* What to fix first: the recommendations that gain most, and what several of them gain together.
 * Pure. */
#include "alerts/view/view.h"
#include "exporter/pages/page.h"

enum { FIX_FIRST_PICKS_MAX = 100 };

/* picks: the ids that were chosen, pick_count of them; those of which nothing is open count for
 * nothing. */
void fix_first_page(struct page *page, const struct view *view, const char *const *picks,
                    size_t pick_count);
