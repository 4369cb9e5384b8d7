#pragma once
/* What is not known of what a page lists: of a source that is off, refused, failing, old or not yet
 * asked, an empty list says nothing. Pure. */
#include "exporter/pages/page.h"

/* Say it of every source of a built-in collector: each in a line, and how old its data are. Returns
 * whether there is anything to list. */
bool known_say(struct page *page, const char *collector);

/* Say only what is not known. */
void known_warn(struct page *page, const char *collector);
