#pragma once
/* The web routes of what is known as data: /api/v1/findings and the like. */
#include "exporter/web/web_route.h"

/* Answers a table of view_table.h, else what alerts_routes_v1 does. context: struct
 * view_request_source. `filter`, `order`, `limit`, `after`; JSON a page at a time, or all rows as
 * `format` or Accept asks: ndjson, csv, markdown. */
void data_routes_v1(void *source, const struct web_request *request, struct web_response *response);
