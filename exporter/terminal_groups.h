#pragma once
/* Rows of a table counted by the values of some of its columns. Pure. */
#include "alerts/view/view_write.h"
#include "core/json.h"

/* by: "risk_level,subscription_name"; rows: lines of JSON, as the API writes them. Fills columns
 * with those and `rows`, and appends lines of JSON with them, the most rows first. ERROR_CONFIG: no
 * such column; ERROR_PARSE. */
bool terminal_groups(const struct view_table *table, const char *by, const char *rows,
                     struct view_column columns[VIEW_COLUMNS_MAX], struct buf *out,
                     struct error *error) MUST_USE;

/* Write such lines in another format. */
bool terminal_groups_write(const struct view_column *columns, const char *lines,
                           enum view_format format, struct buf *out, struct error *error) MUST_USE;
