#pragma once
/* What a handler gets: one request, checked and decoded. */
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"
#include "exporter/web/target.h"

struct MHD_Connection;

enum web_method { WEB_GET = 1, WEB_POST = 2, WEB_PUT = 4, WEB_DELETE = 8 };
enum { WEB_QUERIES_MAX = TARGET_QUERIES_MAX };

/* Headers that are looked at of every request. */
enum web_field {
    WEB_HOST,
    WEB_CONTENT_LENGTH,
    WEB_TRANSFER_ENCODING,
    WEB_AUTHORIZATION,
    WEB_ACCEPT,
    WEB_ACCEPT_ENCODING,
    WEB_FIELDS,
};

/* What one walk through the headers finds; borrowed from the connection. */
struct web_head {
    const char *first[WEB_FIELDS]; /* NULL = it was not sent */
    size_t count[WEB_FIELDS];      /* how often it was */
    bool odd;                      /* some name has a space in it */
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
    const char *denied;                /* why whoever asks may not write; NULL = he may */
    const struct web_head *head;       /* for web_request_field; NULL = there are no headers */
    struct MHD_Connection *connection; /* for web_request_header */
};

/* Who asks, for the audit: the user who logged in, else where the request is from. */
const char *web_request_by(const struct web_request *request);

/* All values of a request header joined with ", ", appended to out. */
void web_request_header(const struct web_request *request, const char *name, struct buf *out);

/* The same of a header that was looked at anyway; "" when it was not sent. joined: where several
 * values are put. */
const char *web_request_field(const struct web_request *request, enum web_field field,
                              struct buf *joined);

/* The first value of a query parameter, or NULL. */
const char *web_request_query(const struct web_request *request, const char *name);

/* enum web_method of "GET"; 0 = one we do not know. */
unsigned web_request_method(const char *word);

/* "GET, HEAD, POST": the words of methods, or-ed. */
const char *web_request_methods(unsigned methods, struct arena *arena);

/* Walk through the headers of a request. */
void web_request_read(struct MHD_Connection *connection, struct web_head *head);

/* What is wrong with the headers of a request, as a status, and why in words; 0 = nothing is.
 * 400: none or several Hosts or another one than in the target, a name that ends in a space, a body
 * whose length is told in two ways. 431: they are too long. 501: a body coded in an unknown way.
 * old: it is HTTP/1.0. source: RFC 9112, sections 3.2, 5.1, 6.1 and 6.3. */
int web_request_check(struct MHD_Connection *connection, const struct web_head *head, bool old,
                      const struct target *target, size_t head_bytes, const char **reason);

/* Whether the head announces a body of more than so many bytes. */
bool web_request_announces(const struct web_head *head, size_t limit_bytes);
