#pragma once
/* OS security baselines: what fails by system and level, the rules behind it, and machines that
 * nobody assesses. Pure. */
#include "alerts/view/view.h"
#include "exporter/pages/page.h"

/* What is asked for. */
struct baselines_asked {
    const char *os;    /* "windows", "linux": its rules; "" = the matrix of both */
    const char *level; /* of these rules, "critical"; "" = any */
    size_t from;       /* the first row of the list */
};

/* False: nobody knows such a system or level. */
bool baselines_page(struct page *page, const struct view *view,
                    const struct baselines_asked *asked);
