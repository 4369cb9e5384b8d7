#pragma once
/* Resources with something open, and all that is wrong with one. Pure. */
#include "alerts/view/view.h"
#include "exporter/pages/page.h"

/* Those with most of the worst level first, from one on. */
void resources_list(struct page *page, const struct view *view, size_t from);

/* One, by its id in any case. False, and nothing is written: nothing is known of it. */
bool resources_one(struct page *page, const struct view *view, const char *resource_id);
