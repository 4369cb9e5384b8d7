#pragma once
/* A request as the handlers see it and what they answer. */
#include <stdio.h>

#include "fake.h"

enum { REPLY_HEADERS_MAX = 12, REQUEST_CAPTURES = 4 };

struct reply {
    int status;
    const char *type;
    struct buf body;
    FILE *file; /* sent instead of the body when not NULL */
    struct {
        char name[64], value[1200];
    } headers[REPLY_HEADERS_MAX];
    size_t header_count;
};

struct request {
    struct fake *fake;
    void *connection;
    const char *method;
    const char *path;    /* as sent, without the query */
    char origin[200];    /* "http://127.0.0.1:4242", as the client calls us */
    const char *version; /* api-version; "" when the route has none */
    char captures[REQUEST_CAPTURES][200];
    char principal[64];
    struct buf body;
    long page;       /* from 1 */
    char token[400]; /* the skip token that came with it, as sent */
    bool shift;      /* serve rows that have moved between pages */
};

/* Query parameter or header; NULL when there is none. Whoever brings the request knows (web.c). */
const char *request_parameter(const struct request *request, const char *name);
const char *request_header(const struct request *request, const char *name);

void reply_header(struct reply *reply, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

/* {"error":{"code","message"}}: Azure Resource Manager's error body. */
void reply_error(struct reply *reply, int status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* 403, with the action that the path stands for. source: Microsoft Learn, Troubleshoot Azure RBAC;
 * what is no path of Resource Manager has no actions: Microsoft Graph, Get access. */
void reply_unauthorised(const struct request *request, struct reply *reply, const char *scope);

/* Ready-made JSON. */
void reply_text(struct reply *reply, int status, const char *json);

/* A page of rows: those at positions that are present, from `position` on, at most `limit`. */
struct page {
    const struct view *view;
    size_t (*count)(const struct view *view);
    bool (*present)(const struct view *view, size_t position);
    void (*write)(const struct page *page, size_t position, struct json_writer *writer);
    const void *context;
    size_t position, limit;
    struct arena *scratch; /* emptied after every row */
    size_t rows;           /* written */
    bool more;             /* position is that of the next row then */
};
void page_write(struct page *page, struct json_writer *writer, bool shift);
size_t page_total(const struct page *page);

/* What a request may see: every subscription it can read.
 * in_scope: subscription_count elements. */
struct view request_view(const struct request *request, bool *in_scope);

/* Index of a subscription by its id, or -1. */
ptrdiff_t request_subscription(const struct request *request, const char *id);
