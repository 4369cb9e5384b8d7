#pragma once
/* The HTTP server: addresses, a table of routes, limits; the only file that names libmicrohttpd.
 * Every answer carries Cache-Control: no-store and nosniff; HEAD works wherever GET does. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/metric.h"
#include "exporter/web_config.h"

enum web_method { WEB_GET = 1, WEB_POST = 2, WEB_PUT = 4, WEB_DELETE = 8 };
enum { WEB_QUERIES_MAX = 64, WEB_HEADERS_MAX = 6 };

#define WEB_TEXT "text/plain; charset=utf-8"
#define WEB_HTML "text/html; charset=utf-8"

struct web_pair {
    const char *name, *value; /* never NULL in a request; name NULL ends a response's headers */
};

/* What a handler gets; everything is borrowed until it returns. */
struct web_request {
    enum web_method method;         /* HEAD is WEB_GET */
    const char *path;               /* without the route prefix */
    const char *rest;               /* what the * of the route's path stands for */
    const struct web_pair *queries; /* query_count of them, decoded, in the order of the URL */
    size_t query_count;
    const char *body; /* body_bytes of it, NUL-terminated */
    size_t body_bytes;
    void *connection; /* for web_header */
};

/* What a handler gives back; zeroed when it is called. */
struct web_response {
    int status;                                   /* 0 = 200 */
    const char *type;                             /* Content-Type, static */
    struct web_pair headers[WEB_HEADERS_MAX + 1]; /* static, or in scratch */
    struct arena scratch;                         /* finished by the server */
    const void *bytes;                            /* count of them */
    size_t count;
    void (*release)(void *owner); /* called when the bytes have been sent; NULL = static bytes */
    void *owner;
};

/* Called on a thread of the server, for several requests at once. */
typedef void web_handler(void *context, const struct web_request *request,
                         struct web_response *response);

struct web_route {
    const char *path;   /* exact, or ending in * */
    const char *name;   /* the `handler` label of its metrics */
    unsigned methods;   /* enum web_method, or-ed */
    size_t body_limit;  /* bytes of a request body; 0 = none is expected */
    unsigned in_flight; /* at most so many at once, 503 above; 0 = any number */
    web_handler *handle;
    void *context;
};

struct web;

/* Bind every address and serve. Everything is copied but the metrics, which outlive the server.
 * ERROR_IO names the address that cannot be bound; NULL then. */
struct web *web_start(const struct web_config *config, const struct web_route *routes,
                      size_t route_count, struct metric_store *metrics,
                      struct error *error) MUST_USE;

/* Accept no more, let requests in flight finish for at most grace_ms, close. NULL is fine. */
void web_stop(struct web *web, int64_t grace_ms);

/* Where it really listens: "127.0.0.1:43210". */
const char *web_bound(const struct web *web, size_t index);

/* All values of a request header joined with ", ", appended to out. */
void web_header(const struct web_request *request, const char *name, struct buf *out);

/* The first value of a query parameter, or NULL. */
const char *web_query(const struct web_request *request, const char *name);

/* Answer with a copy of one line of text. */
void web_respond_text(struct web_response *response, int status, const char *text);

/* Answer with the bytes of the buf; they are owned, the buf is empty after. type: static. */
void web_respond_buf(struct web_response *response, int status, const char *type, struct buf *body);

/* Add a header; value: static, or in response->scratch. */
void web_respond_header(struct web_response *response, const char *name, const char *value);

extern const struct family *const web_families[];
