#pragma once
/* The page of one finding, open or over: what it is, its alerts, its life as a line of time and
 * what was said of it last. Pure but for the database. */
#include "exporter/pages/alert_row.h"
#include "exporter/pages/page_form.h"
#include "exporter/pages/told.h"

/* finding_id: 16 or 32 hex digits. ERROR_NOT_FOUND: nobody has seen it; else the database failed.
 * context->database: not NULL. */
bool finding_page(struct page *page, const struct page_forms *forms,
                  const struct told_context *context, const struct alert_row_context *rows,
                  const char *finding_id, struct error *error) MUST_USE;
