#include "exporter/web.h"

#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"
#include "exporter/web_address.h"

enum {
    CONNECTIONS_MAX = 512,      /* over all addresses */
    CONNECTIONS_CROWDED = 384,  /* from here on waiting is short */
    REQUEST_HEAD_BYTES = 16384, /* request line and headers */
    INACTIVE_S = 75,            /* a peer that neither sends nor reads */
    WAITING_MS = 75000,         /* for a complete request head: longer than a scrape interval */
    WAITING_CROWDED_MS = 5000,
    EXCHANGE_MS = 120000, /* from the request head to the last byte of the answer */
    SWEEP_MS = 1000,
};

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
const struct family *const web_families[] = { &requests_total.family, &requests_in_flight.family,
                                              NULL };

/* A TCP connection, known to the sweeper so that slow peers cannot occupy the server. */
struct connection {
    struct connection *next, **link;
    int socket;
    bool busy;        /* a request head is complete and its answer is not sent yet */
    int64_t since_ms; /* of the current state, monotonic */
};

struct listener {
    struct web *web;
    struct MHD_Daemon *daemon;
    int socket;
    char address[WEB_ADDRESS_BYTES];
};

struct web {
    struct metric_store *metrics;
    const char *prefix;
    struct web_route *routes;
    atomic_uint *in_flight; /* of each route */
    size_t route_count;
    atomic_uint busy;
    struct listener *listeners;
    size_t listener_count;
    struct worker *sweeper;
    pthread_mutex_t lock; /* connections and their members */
    struct connection *connections;
    size_t connection_count;
    struct arena arena;
};

/* A request under way. */
struct exchange {
    struct web *web;
    struct MHD_Connection *connection;
    size_t route;    /* index; route_count = none of them */
    bool counted;    /* in in_flight of the route */
    unsigned method; /* enum web_method; 0 = one we do not know */
    const char *path, *rest;
    struct buf body;
};

/* --- connections ---------------------------------------------------------------------------- */

static struct connection *connection_of(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void connection_opened(struct web *web, struct MHD_Connection *handle, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info)
        memory_abort("a connection without a socket");
    struct connection *connection = MEMORY_NEW(struct connection);
    connection->socket = info->connect_fd;
    connection->since_ms = clock_monotonic_ms();
    *context = connection;
    pthread_mutex_lock(&web->lock);
    connection->next = web->connections;
    connection->link = &web->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    web->connections = connection;
    web->connection_count++;
    pthread_mutex_unlock(&web->lock);
}

static void connection_closed(struct web *web, void **context)
{
    struct connection *connection = *context;
    pthread_mutex_lock(&web->lock);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    web->connection_count--;
    pthread_mutex_unlock(&web->lock);
    free(connection);
    *context = NULL;
}

static void on_connection(void *context, struct MHD_Connection *handle, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct listener *listener = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_opened(listener->web, handle, socket_context);
    else
        connection_closed(listener->web, socket_context);
}

static void connection_mark(struct web *web, struct MHD_Connection *handle, bool busy)
{
    struct connection *connection = connection_of(handle);
    if (!connection)
        return;
    pthread_mutex_lock(&web->lock);
    connection->busy = busy;
    connection->since_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&web->lock);
}

/* Shut what takes too long; libmicrohttpd notices and closes. A socket in the list is open, since
 * connection_closed comes first. */
static int64_t sweep(void *context)
{
    struct web *web = context;
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&web->lock);
    bool crowded = web->connection_count > CONNECTIONS_CROWDED;
    int64_t waiting_ms = crowded ? WAITING_CROWDED_MS : WAITING_MS;
    for (struct connection *one = web->connections; one; one = one->next)
        if (now - one->since_ms > (one->busy ? EXCHANGE_MS : waiting_ms))
            shutdown(one->socket, SHUT_RDWR);
    pthread_mutex_unlock(&web->lock);
    return SWEEP_MS;
}

/* --- requests ------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    unsigned method;
} methods[] = {
    { "GET", WEB_GET }, { "HEAD", WEB_GET },      { "POST", WEB_POST },
    { "PUT", WEB_PUT }, { "DELETE", WEB_DELETE },
};

static unsigned method_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
        if (!strcmp(methods[i].word, word))
            return methods[i].method;
    return 0;
}

/* "GET, HEAD, POST": for the Allow header. */
static const char *allowed(unsigned mask, struct arena *arena)
{
    char text[64] = "";
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
        if (methods[i].method & mask) {
            strcat(text, *text ? ", " : "");
            strcat(text, methods[i].word);
        }
    return arena_text(arena, text);
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

static size_t find_route(const struct web *web, const char *path, const char **rest)
{
    for (size_t i = 0; i < web->route_count; i++)
        if (matches(web->routes[i].path, path, rest))
            return i;
    return web->route_count;
}

struct pairs {
    struct web_pair pairs[WEB_QUERIES_MAX];
    size_t count;
};

static enum MHD_Result collect_query(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct pairs *list = context;
    (void)kind;
    if (list->count < WEB_QUERIES_MAX)
        list->pairs[list->count++] = (struct web_pair){ name, value ? value : "" };
    return MHD_YES;
}

const char *web_query(const struct web_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (!strcmp(request->queries[i].name, name))
            return request->queries[i].value;
    return NULL;
}

struct header_search {
    const char *name;
    struct buf *out;
    bool found;
};

static enum MHD_Result join_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct header_search *search = context;
    (void)kind;
    if (strcasecmp(name, search->name) || !value)
        return MHD_YES;
    if (search->found)
        buf_text(search->out, ", ");
    buf_text(search->out, value);
    search->found = true;
    return MHD_YES;
}

void web_header(const struct web_request *request, const char *name, struct buf *out)
{
    struct header_search search = { .name = name, .out = out };
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, join_header, &search);
}

/* --- responses ------------------------------------------------------------------------------ */

void web_respond_header(struct web_response *response, const char *name, const char *value)
{
    for (size_t i = 0; i < WEB_HEADERS_MAX; i++)
        if (!response->headers[i].name) {
            response->headers[i] = (struct web_pair){ name, value };
            return;
        }
    memory_abort("more than %d headers of an answer", WEB_HEADERS_MAX);
}

void web_respond_buf(struct web_response *response, int status, const char *type, struct buf *body)
{
    response->status = status;
    response->type = type;
    response->bytes = response->owner = body->data;
    response->count = body->length;
    response->release = free;
    *body = (struct buf){ 0 };
}

void web_respond_text(struct web_response *response, int status, const char *text)
{
    struct buf body = { 0 };
    buf_text(&body, text);
    buf_char(&body, '\n');
    web_respond_buf(response, status, WEB_TEXT, &body);
}

static void nothing_to_release(void *owner)
{
    (void)owner;
}

static void count_request(struct exchange *exchange, int status)
{
    struct web *web = exchange->web;
    char code[4] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10),
                     (char)('0' + status % 10), 0 };
    const char *name =
        exchange->route < web->route_count ? web->routes[exchange->route].name : "other";
    metric_count(web->metrics, &requests_total, 1, METRIC_LABELS(name, code));
}

static enum MHD_Result send_response(struct exchange *exchange, struct web_response *response)
{
    int status = response->status ? response->status : 200;
    void *bytes = (void *)(uintptr_t)response->bytes; /* the library only reads it */
    struct MHD_Response *handle =
        memory_checked(MHD_create_response_from_buffer_with_free_callback_cls(
            response->count, bytes, response->release ? response->release : nothing_to_release,
            response->owner));
    if (response->type)
        MHD_add_response_header(handle, "Content-Type", response->type);
    MHD_add_response_header(handle, "Cache-Control", "no-store");
    MHD_add_response_header(handle, "X-Content-Type-Options", "nosniff");
    for (const struct web_pair *header = response->headers; header->name; header++)
        MHD_add_response_header(handle, header->name, header->value);
    count_request(exchange, status);
    enum MHD_Result result = MHD_queue_response(exchange->connection, (unsigned)status, handle);
    MHD_destroy_response(handle);
    arena_finish(&response->scratch);
    return result;
}

/* --- dispatch ------------------------------------------------------------------------------- */

/* Occupy a place among the route's requests; false when none is free. */
static bool enter(struct exchange *exchange)
{
    struct web *web = exchange->web;
    unsigned limit = web->routes[exchange->route].in_flight;
    unsigned before = atomic_fetch_add(&web->in_flight[exchange->route], 1);
    exchange->counted = true;
    return !limit || before < limit;
}

static bool body_is_too_large(struct exchange *exchange, size_t limit)
{
    const char *length =
        MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > limit;
}

/* Decide from the request head alone. True when the response is already known. */
static bool refuse(struct exchange *exchange, struct web_response *response)
{
    struct web *web = exchange->web;
    size_t prefix_bytes = strlen(web->prefix);
    if (prefix_bytes && (!strcmp(exchange->path, "/") || !strcmp(exchange->path, web->prefix))) {
        char *location = arena_alloc(&response->scratch, prefix_bytes + 2);
        memcpy(location, web->prefix, prefix_bytes);
        memcpy(location + prefix_bytes, "/", 2);
        web_respond_header(response, "Location", location);
        web_respond_text(response, 302, "see the route prefix");
        return true;
    }
    bool inside = !strncmp(exchange->path, web->prefix, prefix_bytes);
    exchange->path += inside ? prefix_bytes : 0;
    exchange->route = inside ? find_route(web, exchange->path, &exchange->rest) : web->route_count;
    if (exchange->route == web->route_count) {
        web_respond_text(response, 404, "404 page not found");
        return true;
    }
    const struct web_route *route = &web->routes[exchange->route];
    if (!(exchange->method & route->methods)) {
        const char *words = allowed(route->methods, &response->scratch);
        char *hint = arena_alloc(&response->scratch, 128);
        snprintf(hint, 128, "method not allowed: use %s", words);
        web_respond_header(response, "Allow", words);
        web_respond_text(response, 405, hint);
        return true;
    }
    if (body_is_too_large(exchange, route->body_limit)) {
        web_respond_text(response, 413, "request body too large");
        return true;
    }
    if (!enter(exchange)) {
        web_respond_header(response, "Retry-After", "1");
        web_respond_text(response, 503, "too many requests in flight, limit --web.max-requests");
        return true;
    }
    return false;
}

static void answer(struct exchange *exchange, struct web_response *response)
{
    const struct web_route *route = &exchange->web->routes[exchange->route];
    struct pairs queries = { .count = 0 };
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, collect_query, &queries);
    struct web_request request = {
        .method = exchange->method,
        .path = exchange->path,
        .rest = exchange->rest,
        .queries = queries.pairs,
        .query_count = queries.count,
        .body = buf_cstr(&exchange->body),
        .body_bytes = exchange->body.length,
        .connection = exchange->connection,
    };
    route->handle(route->context, &request, response);
}

static struct exchange *begin(struct web *web, struct MHD_Connection *handle, const char *path,
                              const char *method)
{
    struct exchange *exchange = MEMORY_NEW(struct exchange);
    *exchange = (struct exchange){ .web = web,
                                   .connection = handle,
                                   .path = path,
                                   .rest = "",
                                   .route = web->route_count,
                                   .method = method_of(method) };
    connection_mark(web, handle, true);
    atomic_fetch_add(&web->busy, 1);
    metric_count(web->metrics, &requests_in_flight, 1, METRIC_LABELS());
    return exchange;
}

/* Called once with the head, once for each piece of the body, once at its end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *handle, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **state)
{
    struct listener *listener = context;
    struct exchange *exchange = *state;
    (void)version;
    if (!exchange) {
        *state = exchange = begin(listener->web, handle, path, method);
        struct web_response response = { 0 };
        return refuse(exchange, &response) ? send_response(exchange, &response) : MHD_YES;
    }
    if (*upload_bytes) {
        exchange->body.limit_bytes = listener->web->routes[exchange->route].body_limit;
        if (*upload_bytes > exchange->body.limit_bytes - exchange->body.length)
            return MHD_NO; /* more than the head announced: close */
        buf_append(&exchange->body, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    struct web_response response = { 0 };
    answer(exchange, &response);
    return send_response(exchange, &response);
}

static void on_completed(void *context, struct MHD_Connection *handle, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *state;
    (void)context;
    (void)code;
    if (!exchange)
        return;
    struct web *web = exchange->web;
    if (exchange->counted)
        atomic_fetch_sub(&web->in_flight[exchange->route], 1);
    metric_count(web->metrics, &requests_in_flight, -1, METRIC_LABELS());
    atomic_fetch_sub(&web->busy, 1);
    connection_mark(web, handle, false);
    buf_finish(&exchange->body);
    free(exchange);
    *state = NULL;
}

/* --- start and stop ------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void on_log(void *context, const char *format,
                                                         va_list arguments)
{
    char text[256];
    (void)context;
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = 0;
    log_debug(MSG("http server"), TEXT("err", text));
}

static bool listener_start(struct listener *listener, const char *address, size_t listeners,
                           struct error *error)
{
    listener->socket = web_address_listen(address, listener->address, error);
    if (listener->socket < 0)
        return false;
    /* clang-format off */
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_USE_ITC, 0, NULL, NULL,
        on_request, listener,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listener->socket,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(CONNECTIONS_MAX / listeners),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_HEAD_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)INACTIVE_S,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_END);
    /* clang-format on */
    if (!listener->daemon)
        return error_set(error, ERROR_IO, "cannot serve on %s", address);
    log_info(MSG("listening"), TEXT("address", listener->address));
    return true;
}

/* Counters exist from the first scrape. */
static void declare_metrics(const struct web *web)
{
    metric_declare(web->metrics, &requests_in_flight, METRIC_LABELS());
    metric_declare(web->metrics, &requests_total, METRIC_LABELS("other", "404"));
    for (size_t i = 0; i < web->route_count; i++) {
        metric_declare(web->metrics, &requests_total, METRIC_LABELS(web->routes[i].name, "200"));
        if (web->routes[i].in_flight)
            metric_declare(web->metrics, &requests_total,
                           METRIC_LABELS(web->routes[i].name, "503"));
    }
}

struct web *web_start(const struct web_config *config, const struct web_route *routes,
                      size_t route_count, struct metric_store *metrics, struct error *error)
{
    struct web *web = MEMORY_NEW(struct web);
    pthread_mutex_init(&web->lock, NULL);
    web->metrics = metrics;
    web->prefix = arena_text(&web->arena, config->route_prefix);
    web->route_count = route_count;
    size_t bytes = route_count * sizeof *routes, addresses = config->addresses.count;
    web->routes = memcpy(arena_alloc(&web->arena, bytes), routes, bytes);
    for (size_t i = 0; i < route_count; i++) {
        web->routes[i].path = arena_text(&web->arena, routes[i].path);
        web->routes[i].name = arena_text(&web->arena, routes[i].name);
    }
    web->in_flight = arena_zalloc(&web->arena, route_count * sizeof *web->in_flight);
    web->listeners = arena_zalloc(&web->arena, addresses * sizeof *web->listeners);
    declare_metrics(web);
    for (size_t i = 0; i < addresses; i++) {
        struct listener *listener = &web->listeners[web->listener_count++];
        listener->web = web;
        if (!listener_start(listener, config->addresses.texts[i], addresses, error)) {
            web_stop(web, 0);
            return NULL;
        }
    }
    web->sweeper = worker_start("web", sweep, NULL, web, SWEEP_MS);
    return web;
}

void web_stop(struct web *web, int64_t grace_ms)
{
    if (!web)
        return;
    int64_t deadline = clock_monotonic_ms() + grace_ms;
    for (size_t i = 0; i < web->listener_count; i++)
        if (web->listeners[i].daemon)
            MHD_quiesce_daemon(web->listeners[i].daemon);
    while (atomic_load(&web->busy) && clock_monotonic_ms() < deadline)
        clock_sleep_ms(10);
    worker_stop(web->sweeper);
    for (size_t i = 0; i < web->listener_count; i++) {
        if (web->listeners[i].daemon)
            MHD_stop_daemon(web->listeners[i].daemon);
        if (web->listeners[i].socket >= 0)
            close(web->listeners[i].socket);
    }
    pthread_mutex_destroy(&web->lock);
    arena_finish(&web->arena);
    free(web);
}

const char *web_bound(const struct web *web, size_t index)
{
    return web->listeners[index].address;
}
