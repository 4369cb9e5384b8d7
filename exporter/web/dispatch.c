#include "exporter/web/dispatch.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/memory.h"

enum { SCRAPE_THREADS = 2, WORK_THREADS = 4, WORK_MAX = 64, WORK_NICENESS = 5 };
enum { ARENA_KEPT_BYTES = 1024 }; /* of one block, the smallest */

static const struct family_2 requests_total = {
    .name = "defender_exporter_http_requests_total",
    .type = METRIC_COUNTER,
    .help = "HTTP requests answered, by route and status code.",
    LABELS("handler", "code"),
};
static const struct family_0 requests_in_flight = {
    .name = "defender_exporter_http_requests_in_flight",
    .type = METRIC_GAUGE,
    .help = "HTTP requests whose answer is being made; sending it does not count.",
};
const struct family *const dispatch_families[] = { &requests_total.family,
                                                   &requests_in_flight.family, NULL };

/* How far a request has come. */
enum stage {
    STAGE_LINE,
    STAGE_LOGIN, /* who it is from is being checked */
    STAGE_KNOWN, /* that is known */
    STAGE_BODY,
    STAGE_WORK,
    STAGE_ANSWERED,
};

/* Who asks over a connection, and the request under way. It belongs to the thread of its
 * connection, in STAGE_LOGIN to the one that checks passwords, and in STAGE_WORK to the one that
 * answers it. */
struct exchange {
    struct dispatch *dispatch;
    struct MHD_Connection *handle;
    struct connection *connection;
    const char *peer; /* what it is called, in peer_text; NULL = nobody has asked */
    char peer_text[GATE_PEER_BYTES];
    struct arena arena; /* of a request; what is small stays for the next one */
    enum stage stage;   /* from here on: zeroed for each request */
    struct target target;
    struct web_head head;
    const struct web_route *route; /* NULL = none of them */
    unsigned method;               /* enum web_method; 0 = one we do not know */
    bool bodyless;                 /* it is a HEAD */
    bool old;                      /* HTTP/1.0 */
    struct login_ask ask;          /* what login.user stands in */
    struct gate_login login;
    const char *path, *rest;
    struct buf body;
    struct pool_job job;
    struct web_response response;
};

static const char *peer_of(struct exchange *exchange)
{
    if (!exchange->peer)
        exchange->peer = gate_peer(exchange->handle, exchange->peer_text);
    return exchange->peer;
}

static void mark(const struct exchange *exchange, enum connection_state state)
{
    connection_mark(exchange->dispatch->connections, exchange->connection, state);
}

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
        if (route->lane != WEB_AT_ONCE)
            metric_declare(metrics, &requests_total, METRIC_LABELS(route->name, "503"));
    }
}

void dispatch_start(struct dispatch *dispatch, const struct web_config *config,
                    const struct web_route *routes, size_t route_count, struct arena *arena)
{
    size_t bytes = route_count * sizeof *routes;
    struct web_route *copies = memcpy(arena_alloc(arena, bytes), routes, bytes);
    for (size_t i = 0; i < route_count; i++) {
        copies[i].path = arena_text(arena, routes[i].path);
        copies[i].name = arena_text(arena, routes[i].name);
    }
    dispatch->prefix = arena_text(arena, config->route_prefix);
    dispatch->health_is_free = config->health_without_login;
    dispatch->head_bytes = (size_t)config->max_header_bytes;
    dispatch->routes = copies;
    dispatch->route_count = route_count;
    dispatch->lanes[WEB_SCRAPE] = (struct dispatch_lane){
        pool_start("scrape", SCRAPE_THREADS, 0),
        config->max_requests ? (size_t)config->max_requests : SIZE_MAX,
        "too many requests in flight, limit --web.max-requests",
    };
    dispatch->lanes[WEB_WORK] = (struct dispatch_lane){
        pool_start("answer", WORK_THREADS, WORK_NICENESS),
        WORK_MAX,
        "too many requests in flight",
    };
    atomic_init(&dispatch->busy, 0);
    declare_metrics(dispatch);
}

void dispatch_stop(struct dispatch *dispatch)
{
    for (size_t i = 0; i < WEB_LANES; i++)
        pool_stop(dispatch->lanes[i].pool);
}

void dispatch_finish(struct dispatch *dispatch)
{
    for (size_t i = 0; i < WEB_LANES; i++)
        pool_destroy(dispatch->lanes[i].pool);
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

static const struct web_route *find_route(const struct dispatch *dispatch, const char *path,
                                          const char **rest)
{
    for (size_t i = 0; i < dispatch->route_count; i++)
        if (matches(dispatch->routes[i].path, path, rest))
            return &dispatch->routes[i];
    return NULL;
}

/* --- the head ------------------------------------------------------------------------------- */

/* Find the route of a request. */
static void locate(struct exchange *exchange)
{
    const struct dispatch *dispatch = exchange->dispatch;
    size_t prefix_bytes = strlen(dispatch->prefix);
    bool inside = !strncmp(exchange->path, dispatch->prefix, prefix_bytes);
    exchange->path += inside ? prefix_bytes : 0;
    exchange->route = inside ? find_route(dispatch, exchange->path, &exchange->rest) : NULL;
}

/* Lead from "/" to the prefix. True when that is the answer. */
static bool redirect(const struct exchange *exchange, struct web_response *response)
{
    const char *prefix = exchange->dispatch->prefix, *path = exchange->target.path;
    size_t prefix_bytes = strlen(prefix);
    if (!prefix_bytes || (strcmp(path, "/") != 0 && strcmp(path, prefix) != 0))
        return false;
    char *location = arena_alloc(&response->scratch, prefix_bytes + 2);
    memcpy(location, prefix, prefix_bytes);
    memcpy(location + prefix_bytes, "/", 2);
    web_response_header(response, "Location", location);
    web_response_text(response, 302, "see the route prefix");
    return true;
}

/* True when there is no route for it and that is the answer. */
static bool lose(const struct exchange *exchange, struct web_response *response)
{
    if (!exchange->route) {
        web_response_text(response, 404, "404 page not found");
        return true;
    }
    if (exchange->method & exchange->route->methods)
        return false;
    const char *words = web_request_methods(exchange->route->methods, &response->scratch);
    char *hint = arena_alloc(&response->scratch, 128);
    snprintf(hint, 128, "method not allowed: use %s", words);
    web_response_header(response, "Allow", words);
    web_response_text(response, 405, hint);
    return true;
}

/* False after the answer that says why not. */
static bool may_write(struct exchange *exchange, struct web_response *response)
{
    const struct web_route *route = exchange->route;
    bool json_only = route->json_only && exchange->method != WEB_DELETE;
    enum permit permit = gate_ask(exchange->dispatch->gate, exchange->handle, &exchange->login,
                                  exchange->old, json_only);
    if (permit == PERMIT_ALLOWED)
        return true;
    log_warn(MSG("a write was refused"), TEXT("handler", route->name),
             TEXT("peer", peer_of(exchange)),
             TEXT("user", exchange->login.user ? exchange->login.user : ""),
             TEXT("err", permit_text(permit)));
    web_response_text(response, permit_status(permit), permit_text(permit));
    return false;
}

/* A head that is not understood. True when that is the answer. */
static bool misread(struct exchange *exchange, struct web_response *response)
{
    const char *reason;
    web_request_read(exchange->handle, &exchange->head);
    int status = web_request_check(exchange->handle, &exchange->head, exchange->old,
                                   &exchange->target, exchange->dispatch->head_bytes, &reason);
    if (!status)
        return false;
    web_response_header(response, "Connection", "close"); /* nor is what follows */
    web_response_text(response, status, reason);
    return true;
}

/* Decide from the request head alone. True when the response is already known. */
static bool refuse(struct exchange *exchange)
{
    struct web_response *response = &exchange->response;
    if (redirect(exchange, response) || lose(exchange, response))
        return true;
    if (exchange->method != WEB_GET && !may_write(exchange, response))
        return true;
    if (!web_request_announces(&exchange->head, exchange->route->body_limit))
        return false;
    web_response_text(response, 413, "request body too large");
    return true;
}

/* --- the answer ----------------------------------------------------------------------------- */

static bool send_response(struct exchange *exchange)
{
    struct dispatch *dispatch = exchange->dispatch;
    struct web_response *response = &exchange->response;
    int status = response->status ? response->status : 200;
    response->bodyless = exchange->bodyless;
    char code[4] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10),
                     (char)('0' + status % 10), 0 };
    const char *name = exchange->route ? exchange->route->name : "other";
    metric_count(dispatch->metrics, &requests_total, 1, METRIC_LABELS(name, code));
    connection_send(dispatch->connections, exchange->connection, response->owner,
                    response->owner ? response->count : 0);
    return web_response_send(response, exchange->handle, dispatch->lanes[WEB_WORK].pool,
                             connection_peer(exchange->connection), dispatch->admission);
}

/* Why whoever asks may not write; NULL = he may, or nobody wants to know. */
static const char *denied(const struct exchange *exchange)
{
    if (!exchange->route->forms)
        return NULL;
    enum permit permit =
        gate_would(exchange->dispatch->gate, exchange->handle, &exchange->login, exchange->old);
    return permit == PERMIT_ALLOWED ? NULL : permit_text(permit);
}

/* False when there is no answer: it was to be had at once and cannot. */
static bool answer(struct exchange *exchange, bool at_once)
{
    const struct web_route *route = exchange->route;
    const struct web_request request = {
        .method = exchange->method,
        .path = exchange->path,
        .rest = exchange->rest,
        .queries = exchange->target.queries,
        .query_count = exchange->target.query_count,
        .body = buf_cstr(&exchange->body),
        .body_bytes = exchange->body.length,
        .user = exchange->login.user,
        .peer = peer_of(exchange),
        .denied = denied(exchange),
        .head = &exchange->head,
        .connection = exchange->handle,
    };
    if (at_once && route->lane != WEB_AT_ONCE)
        return route->at_once && route->at_once(route->context, &request, &exchange->response);
    route->handle(route->context, &request, &exchange->response);
    return true;
}

static void answer_full(struct exchange *exchange)
{
    web_response_header(&exchange->response, "Retry-After", "1");
    web_response_text(&exchange->response, 503,
                      exchange->dispatch->lanes[exchange->route->lane].refusal);
}

/* The response is there: let the connection go on. The exchange is not ours after that. The place
 * among those that are answered is free by then: who has its answer may ask again at once. */
static void work_done(void *context)
{
    struct exchange *exchange = context;
    metric_count(exchange->dispatch->metrics, &requests_in_flight, -1, METRIC_LABELS());
    exchange->stage = STAGE_ANSWERED;
    MHD_resume_connection(exchange->handle);
}

static void work(void *context, bool refused)
{
    struct exchange *exchange = context;
    if (refused)
        answer_full(exchange);
    else
        answer(exchange, false);
}

/* The request is complete: have it answered. */
static bool submit(struct exchange *exchange)
{
    struct dispatch *dispatch = exchange->dispatch;
    const struct dispatch_lane *lane = &dispatch->lanes[exchange->route->lane];
    if (answer(exchange, true))
        return send_response(exchange);
    exchange->stage = STAGE_WORK;
    exchange->job = (struct pool_job){
        .run = work,
        .done = work_done,
        .context = exchange,
        .peer = connection_peer(exchange->connection),
    };
    mark(exchange, CONNECTION_WORKING);
    metric_count(dispatch->metrics, &requests_in_flight, 1, METRIC_LABELS());
    MHD_suspend_connection(exchange->handle);
    if (!pool_add(lane->pool, &exchange->job, lane->limit)) {
        answer_full(exchange);
        work_done(exchange);
    }
    return true;
}

/* --- who it is from ------------------------------------------------------------------------- */

/* It may come in: go on with its head. */
static bool let_in(struct exchange *exchange)
{
    exchange->stage = STAGE_BODY;
    return !refuse(exchange) || send_response(exchange);
}

static bool let_in_user(struct exchange *exchange)
{
    exchange->login = (struct gate_login){ true, buf_cstr(&exchange->ask.user) };
    return let_in(exchange);
}

static void refuse_login(struct exchange *exchange)
{
    web_response_header(&exchange->response, "WWW-Authenticate",
                        "Basic realm=\"defender_exporter\", charset=\"UTF-8\"");
    web_response_text(&exchange->response, 401, "401 Unauthorized: log in");
}

static void refuse_for_now(struct exchange *exchange, int status, const char *text)
{
    web_response_header(&exchange->response, "Retry-After", "1");
    web_response_text(&exchange->response, status, text);
}

/* On the thread that checks passwords; the exchange is not ours after that. */
static void login_done(void *context, struct login_ask *ask)
{
    struct exchange *exchange = context;
    (void)ask;
    exchange->stage = STAGE_KNOWN;
    MHD_resume_connection(exchange->handle);
}

static bool know(struct exchange *exchange)
{
    mark(exchange, CONNECTION_READING);
    if (exchange->ask.right)
        return let_in_user(exchange);
    log_warn(MSG("a login was refused"), TEXT("peer", peer_of(exchange)));
    refuse_login(exchange);
    return send_response(exchange);
}

/* The connection waits until the credentials were checked. */
static bool wait_for_login(struct exchange *exchange)
{
    exchange->stage = STAGE_LOGIN;
    mark(exchange, CONNECTION_WORKING);
    MHD_suspend_connection(exchange->handle);
    if (!admission_wait(exchange->dispatch->admission, &exchange->ask)) {
        refuse_for_now(exchange, 503, "too many logins are being checked");
        exchange->stage = STAGE_ANSWERED;
        MHD_resume_connection(exchange->handle);
    }
    return true;
}

static bool admit(struct exchange *exchange)
{
    struct admission *admission = exchange->dispatch->admission;
    bool health = exchange->route && exchange->route->health;
    if (!admission || (health && exchange->dispatch->health_is_free))
        return let_in(exchange);
    const char *authorization = exchange->head.first[WEB_AUTHORIZATION];
    exchange->ask.peer = connection_peer(exchange->connection);
    exchange->ask.done = login_done;
    exchange->ask.context = exchange;
    switch (admission_admit(admission, authorization, &exchange->ask)) {
    case ADMISSION_OPEN:
        return let_in(exchange);
    case ADMISSION_USER:
        return let_in_user(exchange);
    case ADMISSION_UNKNOWN:
        return wait_for_login(exchange);
    case ADMISSION_LOGIN:
        refuse_login(exchange);
        break;
    case ADMISSION_LIMITED:
        refuse_for_now(exchange, 429, "too many requests, see rate_limit");
        break;
    }
    return send_response(exchange);
}

/* --- a request ------------------------------------------------------------------------------ */

struct exchange *dispatch_open(struct dispatch *dispatch, struct MHD_Connection *handle)
{
    struct exchange *exchange = MEMORY_NEW(struct exchange);
    exchange->dispatch = dispatch;
    exchange->handle = handle;
    exchange->connection = connection_open(dispatch->connections, handle);
    return exchange;
}

void dispatch_close(struct exchange *exchange)
{
    connection_close(exchange->dispatch->connections, exchange->connection);
    arena_finish(&exchange->arena);
    free(exchange);
}

void dispatch_begin(struct exchange *exchange, const char *target)
{
    exchange->rest = "";
    target_read(target, &exchange->arena, &exchange->target);
    exchange->path = exchange->target.path;
    mark(exchange, CONNECTION_READING);
}

static bool receive(struct exchange *exchange, const char *upload, size_t *upload_bytes)
{
    struct buf *body = &exchange->body;
    body->limit_bytes = exchange->route->body_limit;
    if (*upload_bytes > body->limit_bytes - body->length)
        return false; /* more than the head announced: close */
    buf_append(body, upload, *upload_bytes);
    *upload_bytes = 0;
    return true;
}

bool dispatch_request(struct exchange *exchange, const char *method, const char *version,
                      const char *upload, size_t *upload_bytes)
{
    switch (exchange->stage) {
    case STAGE_LINE:
        exchange->stage = STAGE_BODY;
        exchange->method = web_request_method(method);
        exchange->bodyless = !strcmp(method, "HEAD");
        exchange->old = strcmp(version, "HTTP/1.1") != 0;
        atomic_fetch_add(&exchange->dispatch->busy, 1);
        locate(exchange);
        return misread(exchange, &exchange->response) ? send_response(exchange) : admit(exchange);
    case STAGE_KNOWN:
        return know(exchange);
    case STAGE_BODY:
        return *upload_bytes ? receive(exchange, upload, upload_bytes) : submit(exchange);
    case STAGE_ANSWERED:
        return send_response(exchange);
    case STAGE_LOGIN:
    case STAGE_WORK:
        break;
    }
    return false;
}

void dispatch_end(struct exchange *exchange)
{
    const size_t start = offsetof(struct exchange, stage);
    if (exchange->stage != STAGE_LINE)
        atomic_fetch_sub(&exchange->dispatch->busy, 1);
    mark(exchange, CONNECTION_WAITING);
    web_response_finish(&exchange->response);
    login_ask_finish(&exchange->ask);
    buf_finish(&exchange->body);
    if (exchange->arena.used_bytes > ARENA_KEPT_BYTES)
        arena_finish(&exchange->arena);
    arena_reset(&exchange->arena);
    memset((char *)exchange + start, 0, sizeof *exchange - start);
}
