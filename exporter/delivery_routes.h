#pragma once
/* The web routes of the pages about delivery: the receivers and their messages, one message. */
#include "exporter/web/web_route.h"

/* Handlers; context: struct acting_source. `state`, `receiver` and `before` of the list. */
void delivery_routes_list(void *source, const struct web_request *request,
                          struct web_response *response);
/* GET and POST of /delivery/<id>: do=retry or drop. */
void delivery_routes_one(void *source, const struct web_request *request,
                         struct web_response *response);
