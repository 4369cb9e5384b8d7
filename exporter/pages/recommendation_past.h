#pragma once
/* What is remembered of a recommendation: exempted findings, what opened and what was fixed week by
 * week, who was told. Pure but for the database. */
#include "exporter/pages/told.h"

struct recommendation_past;

/* Read it; NULL and *error: the database failed. In the page's arena. */
struct recommendation_past *recommendation_past_read(struct page *page,
                                                     const struct told_context *context,
                                                     const char *assessment_id,
                                                     struct error *error) MUST_USE;

/* Whether there is anything to show. */
bool recommendation_past_is_known(const struct recommendation_past *past);

void recommendation_past_append(const struct recommendation_past *past);
