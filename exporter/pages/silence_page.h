#pragma once
/* One silence: what is typed, what that would mute, and what is wrong with it. Pure but for the
 * database. */
#include "exporter/pages/alert_row.h"
#include "exporter/pages/page_form.h"
#include "exporter/pages/silence_draft.h"

/* What a form is answered with. */
struct silence_page {
    const struct silence_draft *draft;
    const struct silence *before;      /* that it changes; NULL = a new one */
    const struct match_list *matchers; /* as they were read; NULL = they could not be */
    const char *wrong;                 /* why nothing was made; "" = nothing is wrong */
};

/* Append the whole page. False: the database failed, or ERROR_LIMIT. */
bool silence_page(struct page *page, const struct page_forms *forms,
                  const struct alert_row_context *context, const struct silence_page *shown,
                  struct error *error) MUST_USE;
