#pragma once
/* Which sources a scrape asks for: collect[]=a&collect[]=b, or exclude[]=a. Pure. */
#include "collectors/snapshot/source.h"
#include "core/error.h"
#include "core/metric.h"
#include "exporter/web/web_request.h"

struct selection {
    bool narrow; /* false: everything */
    const struct source_list *sources;
    bool *wanted; /* one a source */
};

/* sources: borrowed; the rest is in the arena. ERROR_REQUEST names the unknown collector, or says
 * that both kinds cannot be mixed. */
bool selection_read(const struct web_request *request, const struct source_list *sources,
                    struct arena *arena, struct selection *selection, struct error *error) MUST_USE;

/* Remove the families that only other sources have, and what the status families say of them. */
void selection_apply(const struct selection *selection, struct metric_set *set);
