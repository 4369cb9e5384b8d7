#pragma once
/* What a handler gives back, and how it is sent. Every answer carries Cache-Control: no-store and
 * nosniff. */
#include <stdbool.h>

#include "exporter/web/admission.h"
#include "exporter/web/stream.h"
#include "exporter/web/web_request.h"
#include "exporter/web/web_shared.h"

enum { WEB_HEADERS_MAX = 6 };

#define WEB_TEXT "text/plain; charset=utf-8"
#define WEB_HTML "text/html; charset=utf-8"

/* Zeroed when the handler is called. */
struct web_response {
    int status;                                   /* 0 = 200 */
    const char *type;                             /* Content-Type, static */
    struct web_pair headers[WEB_HEADERS_MAX + 1]; /* static, or in scratch */
    struct arena scratch;                         /* finished by the server */
    const void *bytes;                            /* count of them */
    size_t count;
    struct buf first;             /* with next: instead of the bytes */
    void (*release)(void *owner); /* called when the bytes have been sent; NULL = static bytes */
    void *owner;
    struct web_shared *shared; /* the owner, when others get the same bytes; else NULL */
    stream_next *next; /* more is made while the bytes are sent, by owner; NULL = they are all */
    bool bodyless;     /* it answers a HEAD; set by the server */
};

/* Answer with a copy of one line of text. */
void web_response_text(struct web_response *response, int status, const char *text);

/* Answer with the bytes of the buf; they are owned, the buf is empty after. type: static. */
void web_response_buf(struct web_response *response, int status, const char *type,
                      struct buf *body);

/* Answer with bytes that others get with the same headers, the type excepted; the reference is
 * owned. type: static. */
void web_response_shared(struct web_response *response, const char *type,
                         struct web_shared *shared);

/* Answer in pieces of which the first is in the buf, a text of ours that is empty after. The source
 * is owned. */
void web_response_pieces(struct web_response *response, const char *type, struct buf *first,
                         const struct stream_source *source);

/* Add a header; value: static, or in response->scratch. */
void web_response_header(struct web_response *response, const char *name, const char *value);

/* Release what is in a response that is not sent. */
void web_response_finish(struct web_response *response);

/* Hand it to the connection, which releases it; false = the connection cannot take it. pool: where
 * pieces are made, for this peer. admission: whose headers go with it, instead of ours of the same
 * name; NULL = none. */
bool web_response_send(struct web_response *response, struct MHD_Connection *connection,
                       struct pool *pool, uint64_t peer, struct admission *admission);
