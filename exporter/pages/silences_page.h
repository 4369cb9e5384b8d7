#pragma once
/* All silences, those of one state at a time. Pure. */
#include "alerts/notify/silence.h"
#include "exporter/pages/page_form.h"

/* What is asked for. */
struct silences_page {
    const struct silence_list *list;
    enum silence_state state;
    size_t from;      /* the first that is shown */
    const char *done; /* what was just done; "" = nothing */
};

void silences_page(struct page *page, const struct page_forms *forms,
                   const struct silences_page *shown);
