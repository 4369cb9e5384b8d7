#pragma once
/* The web route of the page of alerts. */
#include "exporter/web/web_route.h"

/* Handler; context: struct acting_source. `state`, `filter` and `from`. */
void alerts_page_routes_list(void *source, const struct web_request *request,
                             struct web_response *response);
