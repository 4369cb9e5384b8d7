#pragma once
/* Resources with open findings, each once, whatever sources tell of it. */
#include "alerts/view/view.h"

struct view_resource {
    uint32_t first, count; /* its findings are resources.grouped[first ...], in the order of risk */
    uint32_t by_risk[RISK_COUNT], overdue;
    uint32_t oldest_at; /* Unix seconds */
};

struct view_resources {
    struct view_resource *list; /* that with most of the worst level first */
    size_t count, capacity;
    uint32_t *grouped; /* numbers of findings */
};

/* Those of a view; as long as the view. */
const struct view_resources *view_resources_of(const struct view *view);

/* The resource of this id (lower case), or NULL: nothing of it is open. */
const struct view_resource *view_resources_find(const struct view *view, const char *resource_id);
