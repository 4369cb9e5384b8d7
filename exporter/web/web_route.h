#pragma once
/* A row of the table of routes: which requests a handler gets. */
#include "exporter/web/web_request.h"
#include "exporter/web/web_response.h"

/* Called on a thread of the server, for several requests at once. */
typedef void web_handler(void *context, const struct web_request *request,
                         struct web_response *response);

struct web_route {
    const char *path;   /* exact, or ending in * */
    const char *name;   /* the `handler` label of its metrics */
    unsigned methods;   /* enum web_method, or-ed; HEAD works wherever GET does */
    size_t body_limit;  /* bytes of a request body; 0 = none is expected */
    unsigned in_flight; /* at most so many at once, 503 above; 0 = any number */
    web_handler *handle;
    void *context;
    bool json_only; /* what is sent to it is JSON: anything else is refused */
};
