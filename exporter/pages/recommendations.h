#pragma once
/* Recommendations as the portal groups them, and one of them whole. Pure but for the database. */
#include "exporter/pages/told.h"

/* All of them, by level of risk. */
void recommendations_list(struct page *page, const struct view *view);

/* One, with what it says and the resources it concerns, worst first, from a place in that list on.
 * ERROR_NOT_FOUND: none of its findings is open; else the database failed. */
bool recommendations_one(struct page *page, const struct told_context *context,
                         const char *assessment_id, size_t from, struct error *error) MUST_USE;
