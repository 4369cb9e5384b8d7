#pragma once
/* One recommendation whole. Pure but for the database. */
#include "exporter/pages/told.h"

/* What is asked for. */
struct recommendations_one_asked {
    const char *assessment_id;
    const char *order; /* of its resources: a word of view_order_words; "" = risk */
    size_t from;       /* the first of them */
};

/* What it says, and the resources it concerns. ERROR_NOT_FOUND: none of its findings is open, or
 * there is no such order; else the database failed. */
bool recommendations_one(struct page *page, const struct told_context *context,
                         const struct recommendations_one_asked *asked,
                         struct error *error) MUST_USE;
