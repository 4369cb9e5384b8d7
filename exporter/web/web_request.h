#pragma once
/* What a handler gets: one request, checked and decoded. */
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"

struct MHD_Connection;

enum web_method { WEB_GET = 1, WEB_POST = 2, WEB_PUT = 4, WEB_DELETE = 8 };
enum { WEB_QUERIES_MAX = 64 };

struct web_pair {
    const char *name, *value; /* never NULL in a request; name NULL ends a response's headers */
};

/* Everything is borrowed until the handler returns. */
struct web_request {
    enum web_method method;         /* HEAD is WEB_GET */
    const char *path;               /* without the route prefix */
    const char *rest;               /* what the * of the route's path stands for */
    const struct web_pair *queries; /* query_count of them, decoded, in the order of the URL */
    size_t query_count;
    const char *body; /* body_bytes of it, NUL-terminated */
    size_t body_bytes;
    const char *user;                  /* who logged in; NULL = nobody */
    const char *peer;                  /* where it is from: "10.0.0.7", "unix socket" */
    struct MHD_Connection *connection; /* for web_request_header */
};

/* All values of a request header joined with ", ", appended to out. */
void web_request_header(const struct web_request *request, const char *name, struct buf *out);

/* The first value of a query parameter, or NULL. */
const char *web_request_query(const struct web_request *request, const char *name);

/* enum web_method of "GET"; 0 = one we do not know. */
unsigned web_request_method(const char *word);

/* "GET, HEAD, POST": the words of methods, or-ed. */
const char *web_request_methods(unsigned methods, struct arena *arena);

/* The query parameters of a request under way, at most WEB_QUERIES_MAX; how many they are. */
size_t web_request_queries(struct MHD_Connection *connection,
                           struct web_pair pairs[WEB_QUERIES_MAX]);

/* Whether the head announces a body of more than so many bytes. */
bool web_request_announces(struct MHD_Connection *connection, size_t limit_bytes);
