#pragma once
/* The first page: how things stand, and what to do first. Pure but for the database. */
#include "alerts/store/database.h"
#include "alerts/view/view.h"
#include "exporter/pages/page.h"

/* database: NULL = nothing of before is shown. */
void overview_page(struct page *page, const struct view *view, struct database *database);
