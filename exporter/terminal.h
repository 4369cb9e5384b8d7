#pragma once
/* Rows on standard output, in the format that is asked for: a table that fits the terminal, or one
 * of those of the API. */
#include "alerts/view/view_table.h"
#include "core/buf.h"
#include "core/error.h"

/* Whether there is such a format: "table", "json", "ndjson", "csv", "markdown". ERROR_CONFIG. */
bool terminal_knows(const char *format, struct error *error) MUST_USE;

/* Append the rows. lines: of JSON, as the API writes them. ERROR_CONFIG, ERROR_PARSE. */
bool terminal_rows(const struct view_table *table, const char *format, const char *lines,
                   struct buf *out, struct error *error) MUST_USE;
