#pragma once
/* The first page: how things stand, and what to do first. Pure. */
#include "alerts/view/view.h"
#include "exporter/pages/page.h"

void overview_page(struct page *page, const struct view *view);
