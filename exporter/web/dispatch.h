#pragma once
/* From a request head to the handler of its route and to the answer: checks of the head, limits,
 * the metrics of requests. Any thread of the server. */
#include <stdatomic.h>
#include <stddef.h>

#include "core/metric.h"
#include "exporter/web/connection.h"
#include "exporter/web/gate.h"
#include "exporter/web/web_route.h"

struct dispatch {
    struct metric_store *metrics;
    struct connections *connections;
    struct gate *gate;
    const char *prefix; /* "" or "/prefix" */
    const struct web_route *routes;
    atomic_uint *in_flight; /* of each route */
    size_t route_count;
    atomic_uint busy; /* requests under way */
};

/* A copy of prefix and routes, in the arena; the rest is borrowed. */
void dispatch_init(struct dispatch *dispatch, const char *prefix, const struct web_route *routes,
                   size_t route_count, struct metric_store *metrics,
                   struct connections *connections, struct gate *gate, struct arena *arena);

/* Called once with the head, once for each piece of the body, once at its end; *state is the
 * request's own, NULL at first. False = close the connection. */
bool dispatch_request(struct dispatch *dispatch, struct MHD_Connection *handle, const char *path,
                      const char *method, const char *version, const char *upload,
                      size_t *upload_bytes, void **state);

/* The request is over, answered or not. */
void dispatch_completed(struct MHD_Connection *handle, void **state);

extern const struct family *const dispatch_families[];
