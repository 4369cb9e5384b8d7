#pragma once
/* A struct that a table of record.h describes as a row of values: for formats that know cells
 * alone. Lists are left out; labels are one text. Pure. */
#include "alerts/text/record.h"
#include "alerts/view/view_table.h"

/* The columns of these fields, as many as there is room for; ends with one without a name. */
void view_record_columns(const struct record_field *fields,
                         struct view_column columns[VIEW_COLUMNS_MAX]);

/* Their values. values: zeroed. Texts are borrowed, or in the arena. */
void view_record_values(const struct record_field *fields, const void *data, struct arena *arena,
                        struct view_value values[VIEW_COLUMNS_MAX]);
