#pragma once
/* From a request head to the handler of its route and to the answer: checks of the head, lanes,
 * the metrics of requests. */
#include <stdatomic.h>
#include <stddef.h>

#include "core/metric.h"
#include "exporter/web/admission.h"
#include "exporter/web/connection.h"
#include "exporter/web/gate.h"
#include "exporter/web/pool.h"
#include "exporter/web/web_route.h"

/* Threads, and how many requests may wait for them or have them. */
struct dispatch_lane {
    struct pool *pool;
    size_t limit;
    const char *refusal; /* what the others are told */
};

struct dispatch {
    struct metric_store *metrics; /* these four are the caller's, set before the start */
    struct connections *connections;
    struct gate *gate;
    struct admission *admission; /* NULL = everybody comes in */
    const char *prefix;          /* "" or "/prefix" */
    bool health_is_free;         /* of admission */
    size_t head_bytes;
    const struct web_route *routes;
    size_t route_count;
    struct dispatch_lane lanes[WEB_LANES];
    atomic_uint busy; /* requests from their head to the end of their answer */
};

/* Copies of prefix and routes are in the arena. */
void dispatch_start(struct dispatch *dispatch, const struct web_config *config,
                    const struct web_route *routes, size_t route_count, struct arena *arena);

/* Refuse what waits for a thread, end the threads. Then all connections can be closed. */
void dispatch_stop(struct dispatch *dispatch);

/* When no connection is left. */
void dispatch_finish(struct dispatch *dispatch);

/* A connection has come and goes: who asks over it, one request after the other. */
struct exchange;
struct exchange *dispatch_open(struct dispatch *dispatch, struct MHD_Connection *handle);
void dispatch_close(struct exchange *exchange);

/* A request begins with this target. */
void dispatch_begin(struct exchange *exchange, const char *target);

/* Called once with the head, once for each piece of the body, once at its end, and again when an
 * answer is ready. False = close the connection. */
bool dispatch_request(struct exchange *exchange, const char *method, const char *version,
                      const char *upload, size_t *upload_bytes);

/* The request is over, answered or not. */
void dispatch_end(struct exchange *exchange);

extern const struct family *const dispatch_families[];
