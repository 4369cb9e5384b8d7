#pragma once
/* The web routes of the pages about silences: the list, a new one, one that is there. */
#include "exporter/web/web_route.h"

/* Handlers; context: struct acting_source. `state` and `from` of the list; `matchers` or `like` of
 * a new one. */
void silences_routes_list(void *source, const struct web_request *request,
                          struct web_response *response);
/* GET and POST of /silences/new and /silences/<id>: do=preview, keep or expire. */
void silences_routes_one(void *source, const struct web_request *request,
                         struct web_response *response);
