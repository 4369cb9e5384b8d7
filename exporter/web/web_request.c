#include "exporter/web/web_request.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *word;
    unsigned method;
} methods[] = {
    { "GET", WEB_GET }, { "HEAD", WEB_GET },      { "POST", WEB_POST },
    { "PUT", WEB_PUT }, { "DELETE", WEB_DELETE },
};

unsigned web_request_method(const char *word)
{
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
        if (!strcmp(methods[i].word, word))
            return methods[i].method;
    return 0;
}

const char *web_request_methods(unsigned mask, struct arena *arena)
{
    char text[64] = "";
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
        if (methods[i].method & mask) {
            strcat(text, *text ? ", " : "");
            strcat(text, methods[i].word);
        }
    return arena_text(arena, text);
}

struct pairs {
    struct web_pair *pairs;
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

size_t web_request_queries(struct MHD_Connection *connection,
                           struct web_pair pairs[WEB_QUERIES_MAX])
{
    struct pairs list = { .pairs = pairs };
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect_query, &list);
    return list.count;
}

const char *web_request_query(const struct web_request *request, const char *name)
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

void web_request_header(const struct web_request *request, const char *name, struct buf *out)
{
    struct header_search search = { .name = name, .out = out };
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, join_header, &search);
}

bool web_request_announces(struct MHD_Connection *connection, size_t limit_bytes)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > limit_bytes;
}
