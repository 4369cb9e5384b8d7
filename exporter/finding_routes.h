#pragma once
/* The web route of the page of one finding. */
#include "exporter/web/web_route.h"

/* Handler of /f/<id>, and of /f/<id>/portal as alerts_routes_finding; context: struct
 * acting_source. */
void finding_routes_one(void *source, const struct web_request *request,
                        struct web_response *response);
