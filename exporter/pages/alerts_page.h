#pragma once
/* Alerts as they are now, those of one place at a time, each with why it is there. Pure but for the
 * database. */
#include "exporter/pages/alert_row.h"
#include "exporter/pages/page_form.h"

/* The words of an address, ends with NULL. */
extern const char *const alerts_page_words[];

/* What is asked for. */
struct alerts_page {
    enum alert_row_place place;
    size_t from; /* the first that is shown */
    const struct match_list *filter;
    const char *trouble; /* why nothing can be decided now; "" = it can */
};

/* Append the whole page. False: the database failed, or ERROR_LIMIT. */
bool alerts_page(struct page *page, const struct page_forms *forms,
                 const struct alert_row_context *context, const struct alerts_page *asked,
                 struct error *error) MUST_USE;
