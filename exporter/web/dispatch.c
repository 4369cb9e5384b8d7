#include "exporter/web/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/memory.h"

static const struct family_2 requests_total = {
    .name = "defender_exporter_http_requests_total",
    .type = METRIC_COUNTER,
    .help = "HTTP requests answered, by route and status code.",
    LABELS("handler", "code"),
};
static const struct family_0 requests_in_flight = {
    .name = "defender_exporter_http_requests_in_flight",
    .type = METRIC_GAUGE,
    .help = "HTTP requests being answered.",
};
const struct family *const dispatch_families[] = { &requests_total.family,
                                                   &requests_in_flight.family, NULL };

/* A request under way. */
struct exchange {
    struct dispatch *dispatch;
    struct MHD_Connection *connection;
    size_t route;    /* index; route_count = none of them */
    bool counted;    /* in in_flight of the route */
    unsigned method; /* enum web_method; 0 = one we do not know */
    bool old;        /* HTTP/1.0 */
    struct gate_login login;
    const char *path, *rest;
    struct buf body;
};

/* --- routes --------------------------------------------------------------------------------- */

/* Counters exist from the first scrape. */
static void declare_metrics(const struct dispatch *dispatch)
{
    struct metric_store *metrics = dispatch->metrics;
    metric_declare(metrics, &requests_in_flight, METRIC_LABELS());
    metric_declare(metrics, &requests_total, METRIC_LABELS("other", "404"));
    for (size_t i = 0; i < dispatch->route_count; i++) {
        const struct web_route *route = &dispatch->routes[i];
        metric_declare(metrics, &requests_total, METRIC_LABELS(route->name, "200"));
        if (route->in_flight)
            metric_declare(metrics, &requests_total, METRIC_LABELS(route->name, "503"));
    }
}

void dispatch_init(struct dispatch *dispatch, const char *prefix, const struct web_route *routes,
                   size_t route_count, struct metric_store *metrics,
                   struct connections *connections, struct gate *gate, struct arena *arena)
{
    size_t bytes = route_count * sizeof *routes;
    struct web_route *copies = memcpy(arena_alloc(arena, bytes), routes, bytes);
    for (size_t i = 0; i < route_count; i++) {
        copies[i].path = arena_text(arena, routes[i].path);
        copies[i].name = arena_text(arena, routes[i].name);
    }
    dispatch->metrics = metrics;
    dispatch->connections = connections;
    dispatch->gate = gate;
    dispatch->prefix = arena_text(arena, prefix);
    dispatch->routes = copies;
    dispatch->route_count = route_count;
    dispatch->in_flight = arena_zalloc(arena, route_count * sizeof *dispatch->in_flight);
    atomic_init(&dispatch->busy, 0);
    declare_metrics(dispatch);
}

/* Whether the route's path matches; what its * stands for is in *rest. */
static bool matches(const char *pattern, const char *path, const char **rest)
{
    size_t length = strlen(pattern);
    *rest = "";
    if (length && pattern[length - 1] == '*') {
        *rest = path + length - 1;
        return !strncmp(pattern, path, length - 1);
    }
    return !strcmp(pattern, path);
}

static size_t find_route(const struct dispatch *dispatch, const char *path, const char **rest)
{
    for (size_t i = 0; i < dispatch->route_count; i++)
        if (matches(dispatch->routes[i].path, path, rest))
            return i;
    return dispatch->route_count;
}

/* --- the head ------------------------------------------------------------------------------- */

/* Occupy a place among the route's requests; false when none is free. */
static bool enter(struct exchange *exchange)
{
    struct dispatch *dispatch = exchange->dispatch;
    unsigned limit = dispatch->routes[exchange->route].in_flight;
    unsigned before = atomic_fetch_add(&dispatch->in_flight[exchange->route], 1);
    exchange->counted = true;
    return !limit || before < limit;
}

/* False after the answer that says why not. */
static bool may_write(struct exchange *exchange, struct web_response *response)
{
    const struct web_route *route = &exchange->dispatch->routes[exchange->route];
    bool json_only = route->json_only && exchange->method != WEB_DELETE;
    enum permit permit = gate_ask(exchange->dispatch->gate, exchange->connection, &exchange->login,
                                  exchange->old, json_only);
    char peer[GATE_PEER_BYTES];
    if (permit == PERMIT_ALLOWED)
        return true;
    log_warn(MSG("a write was refused"), TEXT("handler", route->name),
             TEXT("peer", gate_peer(exchange->connection, peer)),
             TEXT("user", exchange->login.user ? exchange->login.user : ""),
             TEXT("err", permit_text(permit)));
    web_response_text(response, permit_status(permit), permit_text(permit));
    return false;
}

/* Decide from the request head alone. True when the response is already known. */
static bool refuse(struct exchange *exchange, struct web_response *response)
{
    struct dispatch *dispatch = exchange->dispatch;
    const char *prefix = dispatch->prefix;
    size_t prefix_bytes = strlen(prefix);
    if (prefix_bytes && (!strcmp(exchange->path, "/") || !strcmp(exchange->path, prefix))) {
        char *location = arena_alloc(&response->scratch, prefix_bytes + 2);
        memcpy(location, prefix, prefix_bytes);
        memcpy(location + prefix_bytes, "/", 2);
        web_response_header(response, "Location", location);
        web_response_text(response, 302, "see the route prefix");
        return true;
    }
    bool inside = !strncmp(exchange->path, prefix, prefix_bytes);
    exchange->path += inside ? prefix_bytes : 0;
    exchange->route =
        inside ? find_route(dispatch, exchange->path, &exchange->rest) : dispatch->route_count;
    if (exchange->route == dispatch->route_count) {
        web_response_text(response, 404, "404 page not found");
        return true;
    }
    const struct web_route *route = &dispatch->routes[exchange->route];
    if (!(exchange->method & route->methods)) {
        const char *words = web_request_methods(route->methods, &response->scratch);
        char *hint = arena_alloc(&response->scratch, 128);
        snprintf(hint, 128, "method not allowed: use %s", words);
        web_response_header(response, "Allow", words);
        web_response_text(response, 405, hint);
        return true;
    }
    if (exchange->method != WEB_GET && !may_write(exchange, response))
        return true;
    if (web_request_announces(exchange->connection, route->body_limit)) {
        web_response_text(response, 413, "request body too large");
        return true;
    }
    if (!enter(exchange)) {
        web_response_header(response, "Retry-After", "1");
        web_response_text(response, 503, "too many requests in flight, limit --web.max-requests");
        return true;
    }
    return false;
}

/* --- the answer ----------------------------------------------------------------------------- */

static void count_request(const struct exchange *exchange, int status)
{
    const struct dispatch *dispatch = exchange->dispatch;
    char code[4] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10),
                     (char)('0' + status % 10), 0 };
    const char *name =
        exchange->route < dispatch->route_count ? dispatch->routes[exchange->route].name : "other";
    metric_count(dispatch->metrics, &requests_total, 1, METRIC_LABELS(name, code));
}

static bool send(struct exchange *exchange, struct web_response *response)
{
    count_request(exchange, response->status ? response->status : 200);
    return web_response_send(response, exchange->connection);
}

static void answer(struct exchange *exchange, struct web_response *response)
{
    const struct web_route *route = &exchange->dispatch->routes[exchange->route];
    struct web_pair queries[WEB_QUERIES_MAX];
    char peer[GATE_PEER_BYTES];
    struct web_request request = {
        .method = exchange->method,
        .path = exchange->path,
        .rest = exchange->rest,
        .queries = queries,
        .query_count = web_request_queries(exchange->connection, queries),
        .body = buf_cstr(&exchange->body),
        .body_bytes = exchange->body.length,
        .user = exchange->login.user,
        .peer = gate_peer(exchange->connection, peer),
        .connection = exchange->connection,
    };
    route->handle(route->context, &request, response);
}

static struct exchange *begin(struct dispatch *dispatch, struct MHD_Connection *handle,
                              const char *path, const char *method, const char *version)
{
    struct exchange *exchange = MEMORY_NEW(struct exchange);
    *exchange = (struct exchange){ .dispatch = dispatch,
                                   .connection = handle,
                                   .path = path,
                                   .rest = "",
                                   .route = dispatch->route_count,
                                   .method = web_request_method(method),
                                   .old = strcmp(version, "HTTP/1.1") != 0 };
    connection_mark(dispatch->connections, handle, true);
    atomic_fetch_add(&dispatch->busy, 1);
    metric_count(dispatch->metrics, &requests_in_flight, 1, METRIC_LABELS());
    return exchange;
}

bool dispatch_request(struct dispatch *dispatch, struct MHD_Connection *handle, const char *path,
                      const char *method, const char *version, const char *upload,
                      size_t *upload_bytes, void **state)
{
    struct exchange *exchange = *state;
    if (!exchange) {
        *state = exchange = begin(dispatch, handle, path, method, version);
        struct web_response response = { 0 };
        return !refuse(exchange, &response) || send(exchange, &response);
    }
    if (*upload_bytes) {
        exchange->body.limit_bytes = dispatch->routes[exchange->route].body_limit;
        if (*upload_bytes > exchange->body.limit_bytes - exchange->body.length)
            return false; /* more than the head announced: close */
        buf_append(&exchange->body, upload, *upload_bytes);
        *upload_bytes = 0;
        return true;
    }
    struct web_response response = { 0 };
    answer(exchange, &response);
    return send(exchange, &response);
}

void dispatch_completed(struct MHD_Connection *handle, void **state)
{
    struct exchange *exchange = *state;
    if (!exchange)
        return;
    struct dispatch *dispatch = exchange->dispatch;
    if (exchange->counted)
        atomic_fetch_sub(&dispatch->in_flight[exchange->route], 1);
    metric_count(dispatch->metrics, &requests_in_flight, -1, METRIC_LABELS());
    atomic_fetch_sub(&dispatch->busy, 1);
    connection_mark(dispatch->connections, handle, false);
    buf_finish(&exchange->body);
    free(exchange);
    *state = NULL;
}
