#pragma once
/* The web routes of the alerts floor: Alertmanager's API, ours, and /f/<finding_id>. */
#include "exporter/web/web_route.h"

struct alerting;

/* Handlers; context: struct alerting, NULL = there is none (503). */
void alerts_routes_v2(void *alerting, const struct web_request *request,
                      struct web_response *response);

/* The same with what stands before every path of ours. */
void alerts_routes_v1(struct alerting *alerting, const char *prefix,
                      const struct web_request *request, struct web_response *response);
void alerts_routes_finding(void *alerting, const struct web_request *request,
                           struct web_response *response);
