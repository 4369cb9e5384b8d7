#include "exporter/web/web_request.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"

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

const char *web_request_by(const struct web_request *request)
{
    return request->user ? request->user : request->peer;
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

/* --- the head as a whole -------------------------------------------------------------------- */

/* What the headers say that must not be said twice. */
struct headers {
    size_t hosts, lengths, codings;
    const char *host, *coding;
    bool odd;
};

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct headers *headers = context;
    const char *text = value ? value : "";
    (void)kind;
    if (name[strcspn(name, " \t")])
        headers->odd = true;
    if (!strcasecmp(name, "Host")) {
        headers->hosts++;
        headers->host = text;
    } else if (!strcasecmp(name, "Transfer-Encoding")) {
        headers->codings++;
        headers->coding = text;
    } else if (!strcasecmp(name, "Content-Length")) {
        headers->lengths++;
    }
    return MHD_YES;
}

static bool is_host(const char *text)
{
    return !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "-._~:[]%")];
}

static size_t head_bytes_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

int web_request_check(struct MHD_Connection *connection, bool old, const struct target *target,
                      size_t head_bytes, const char **reason)
{
    struct headers headers = { 0 };
    MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, &headers);
    bool hosts_ok = headers.hosts == 1 || (old && !headers.hosts);
    bool same = !target->authority || !headers.host || !strcasecmp(target->authority, headers.host);
    const struct {
        bool wrong;
        int status;
        const char *reason;
    } checks[] = {
        { target->status == 431, 431, "too many query parameters" },
        { target->status, 400, "malformed request target" },
        { head_bytes_of(connection) > head_bytes, 431, "request head too large" },
        { headers.odd, 400, "malformed header name" },
        { !hosts_ok, 400, "exactly one Host header is needed" },
        { !same || (headers.host && !is_host(headers.host)), 400, "malformed Host header" },
        { headers.lengths + headers.codings > 1 || (old && headers.codings), 400,
          "ambiguous length of the request body" },
        { headers.coding && strcasecmp(headers.coding, "chunked") != 0, 501,
          "unknown transfer coding" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++)
        if (checks[i].wrong) {
            *reason = checks[i].reason;
            return checks[i].status;
        }
    return 0;
}

bool web_request_announces(struct MHD_Connection *connection, size_t limit_bytes)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > limit_bytes;
}
