#pragma once
/* Which collectors a scrape asks for: collect[]=a&collect[]=b, or exclude[]=a. Pure. */
#include "collectors/list.h"
#include "core/metric.h"
#include "exporter/web.h"

struct selection {
    bool narrow; /* false: everything */
    bool wanted[COLLECTOR_COUNT];
};

/* ERROR_REQUEST names the unknown collector, or says that both kinds cannot be mixed. */
bool selection_read(const struct web_request *request, struct selection *selection,
                    struct error *error) MUST_USE;

/* Take out the families of the other collectors, and what the status families say of them. */
void selection_apply(const struct selection *selection, struct metric_set *set);
