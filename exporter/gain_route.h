#pragma once
/* /api/v1/fix_first/gain: what some recommendations gain together. */
#include "alerts/api/api_own.h"
#include "exporter/view_request.h"

/* `pick`: the key of a recommendation, as often as there are some. */
void gain_route(struct view_request_source *source, const struct web_request *request,
                struct web_response *response);

extern const struct api_parameter *const gain_route_parameters[]; /* NULL-terminated */
extern const struct view_column gain_route_columns[];             /* ends with name NULL */
