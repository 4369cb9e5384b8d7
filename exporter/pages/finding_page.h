#pragma once
/* The page of one finding, open or over: what it is, and its life as a line of time. Pure but for
 * the database. */
#include "exporter/pages/told.h"

/* finding_id: 16 or 32 hex digits. ERROR_NOT_FOUND: nobody has seen it; else the database failed.
 * context->database: not NULL. */
bool finding_page(struct page *page, const struct told_context *context, const char *finding_id,
                  struct error *error) MUST_USE;
