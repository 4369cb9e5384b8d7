#pragma once
/* Queries as operators write them: a part of the language of Azure Resource Graph, over the table
 * `resources`. where, extend, project, summarize, order by, top, limit; paths, texts, numbers,
 * tostring() and the like. What it does not know it refuses as Azure refuses what it cannot parse.
 */
#include "rows.h"

/* Where a text could not be understood. */
struct own_fault {
    int line, position; /* line from 1, character in it from 0 */
    char token[64];     /* "<EOF>" = the end */
    char expected[64];
};

/* The rows of a query, each a JSON text. */
struct own_result {
    char **rows;
    size_t count;
};

/* Answer a query. False and *fault when it is not understood. */
bool own_run(const struct view *view, const char *text, struct own_result *result,
             struct own_fault *fault);
void own_finish(struct own_result *result);
