#pragma once
/* The query texts the stand-in knows; it answers to no other. */
#include "rows.h"

enum { QUERY_COLUMNS_MAX = 40 };

struct query {
    const struct rows *rows;
    char *text; /* without comments, white space collapsed; may hold {{placeholders}} */
    const struct field *columns[QUERY_COLUMNS_MAX]; /* as projected */
    size_t column_count, expand_limit;
    bool failing_only, every_score; /* as struct view has them */
};

struct queries {
    struct query *list;
    size_t count;
};

/* Those of the project, embedded at build. */
void queries_embedded(struct queries *queries);

/* Every .kql file of a folder; false when it cannot be read. */
bool queries_folder(struct queries *queries, const char *folder);

/* The query whose text this is, NULL when nobody knows it. view: gets what stands for {{since}},
 * {{partition}} and {{partitions}}, else 0; ids is the caller's to free. */
const struct query *queries_match(const struct queries *queries, const char *text,
                                  struct view *view);
void queries_finish(struct queries *queries);

/* One row as JSON, the projected columns only. */
void query_write(const struct query *query, const void *row, struct json_writer *writer);
