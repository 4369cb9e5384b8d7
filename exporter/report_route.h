#pragma once
/* /api/v1/report: what happened since, to be read by people. */
#include "alerts/api/api_own.h"
#include "exporter/view_request.h"

/* `since`: how far back, 7d without it; `by`; `format`. */
void report_route(struct view_request_source *source, const struct web_request *request,
                  struct web_response *response);

extern const struct api_parameter *const report_route_parameters[]; /* NULL-terminated */
extern const char *const report_route_types[];                      /* by enum report_format */
