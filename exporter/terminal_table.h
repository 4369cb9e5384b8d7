#pragma once
/* Rows of a table for a terminal: columns as wide as they need, the longest cut when the terminal
 * is narrow, risk in colour where that is wanted. Pure. */
#include "alerts/view/view_table.h"
#include "core/json.h"

struct terminal_table {
    const struct view_table *table;
    size_t columns; /* of the terminal; 0 = as many as it takes */
    bool colour;
};

/* Append a heading and the rows: lines of JSON, as the API writes them. ERROR_PARSE. */
bool terminal_table_write(const struct terminal_table *wanted, const char *lines, struct buf *out,
                          struct error *error) MUST_USE;
