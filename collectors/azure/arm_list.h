#pragma once
/* Lists, page by page. */
#include "collectors/azure/arm.h"

/* A list with nextLink or @odata.nextLink: every page's rows are handed on, row by row. */
struct arm_list {
    enum arm_api api;
    const char *path; /* without host, with its api-version */
    bool post;        /* the first page is asked for with POST; links are followed with GET */
    const char *body; /* of that; NULL = none */
};

struct arm_progress {
    size_t rows, pages;
};

/* ERROR_INCOMPLETE for a link that repeats or leaves the configured origin. */
bool arm_list(struct arm_session *session, const struct arm_list *list, json_row *row,
              void *context, struct arm_progress *progress, struct error *error) MUST_USE;
