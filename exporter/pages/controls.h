#pragma once
/* The controls of the secure score: their points, what is at stake, and the recommendations behind
 * them. Pure. */
#include "alerts/view/view.h"
#include "exporter/pages/page.h"

/* All of them, most points at stake first; or that of an id alone, with where it stands how and
 * its recommendations. id: "" = all. False: there is none of this id. */
bool controls_page(struct page *page, const struct view *view, const char *id);

/* A table of at most so many that have points at stake; nothing where there is none. */
void controls_top(struct page *page, size_t most);
