#pragma once
/* The web routes of the pages for people. */
#include "exporter/view_request.h"

/* Handlers; context: struct view_request_source. */
void pages_routes_overview(void *pages, const struct web_request *request,
                           struct web_response *response);
void pages_routes_fix_first(void *pages, const struct web_request *request,
                            struct web_response *response);
void pages_routes_recommendations(void *pages, const struct web_request *request,
                                  struct web_response *response);
void pages_routes_recommendation(void *pages, const struct web_request *request,
                                 struct web_response *response);
void pages_routes_controls(void *pages, const struct web_request *request,
                           struct web_response *response);
void pages_routes_compliance(void *pages, const struct web_request *request,
                             struct web_response *response);
void pages_routes_baselines(void *pages, const struct web_request *request,
                            struct web_response *response);
void pages_routes_resources(void *pages, const struct web_request *request,
                            struct web_response *response);
void pages_routes_resource(void *pages, const struct web_request *request,
                           struct web_response *response);
void pages_routes_style(void *unused, const struct web_request *request,
                        struct web_response *response);

/* Answer with a page, which is empty after. */
void pages_routes_respond(struct web_response *response, int status, struct buf *body);
