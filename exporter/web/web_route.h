#pragma once
/* A row of the table of routes: which requests a handler gets. */
#include "exporter/web/web_request.h"
#include "exporter/web/web_response.h"

/* Who answers: scrapes and everything that takes time have threads of their own, so that neither
 * waits for the other. */
enum web_lane {
    WEB_AT_ONCE, /* the thread that serves all connections: nothing that waits for anybody */
    WEB_SCRAPE,
    WEB_WORK,
    WEB_LANES,
};

/* Called for several requests at once. */
typedef void web_handler(void *context, const struct web_request *request,
                         struct web_response *response);

/* The same for what can be answered without work; false = that is for the handler. */
typedef bool web_try(void *context, const struct web_request *request,
                     struct web_response *response);

struct web_route {
    const char *path;  /* exact, or ending in * */
    const char *name;  /* the `handler` label of its metrics */
    unsigned methods;  /* enum web_method, or-ed; HEAD works wherever GET does */
    size_t body_limit; /* bytes of a request body; 0 = none is expected */
    enum web_lane lane;
    web_handler *handle;
    void *context;
    bool health;      /* of a probe, which may have no password */
    bool json_only;   /* what is sent to it is JSON: anything else is refused */
    bool forms;       /* its pages have forms for those who may write: web_request.denied is told */
    web_try *at_once; /* asked first, on the thread that serves all connections; NULL = nothing */
};
