#pragma once
/* Rows of a table as text: JSON, one JSON object a line, CSV and Markdown. Pure. */
#include "alerts/view/view_table.h"
#include "core/json.h"

enum view_format { VIEW_JSON, VIEW_NDJSON, VIEW_CSV, VIEW_MARKDOWN, VIEW_FORMAT_COUNT };
extern const char *const view_format_words[]; /* "json", "ndjson", "csv", "markdown" */

/* What stands before the rows and behind them; of JSON that is an array. */
void view_write_begin(const struct view_column *columns, enum view_format format, struct buf *out);
void view_write_end(enum view_format format, struct buf *out);

/* One row. first: of all. Instants are RFC 3339, what is absent is null or empty. A text of CSV
 * that a spreadsheet would take for a formula is led by an apostrophe. */
void view_write_row(const struct view_column *columns, enum view_format format,
                    const struct view_value *values, bool first, struct buf *out);

/* The members of a row as JSON, into an object that is open. */
void view_write_members(const struct view_column *columns, const struct view_value *values,
                        struct json_writer *writer);
