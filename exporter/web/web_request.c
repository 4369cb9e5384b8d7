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

static const struct {
    const char *name;
    size_t length;
} fields[WEB_FIELDS] = {
#define FIELD(name)                                                                                \
    {                                                                                              \
        name, sizeof name - 1                                                                      \
    }
    [WEB_HOST] = FIELD("Host"),
    [WEB_CONTENT_LENGTH] = FIELD("Content-Length"),
    [WEB_TRANSFER_ENCODING] = FIELD("Transfer-Encoding"),
    [WEB_AUTHORIZATION] = FIELD("Authorization"),
    [WEB_ACCEPT] = FIELD("Accept"),
    [WEB_ACCEPT_ENCODING] = FIELD("Accept-Encoding"),
#undef FIELD
};

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_bytes, const char *value, size_t value_bytes)
{
    struct web_head *head = context;
    (void)kind;
    (void)value_bytes;
    if (memchr(name, ' ', name_bytes) || memchr(name, '\t', name_bytes))
        head->odd = true;
    for (size_t i = 0; i < WEB_FIELDS; i++) {
        if (fields[i].length != name_bytes || strncasecmp(name, fields[i].name, name_bytes) != 0)
            continue;
        if (!head->count[i]++)
            head->first[i] = value ? value : "";
        break;
    }
    return MHD_YES;
}

void web_request_read(struct MHD_Connection *connection, struct web_head *head)
{
    *head = (struct web_head){ 0 };
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, note_header, head);
}

const char *web_request_field(const struct web_request *request, enum web_field field,
                              struct buf *joined)
{
    const struct web_head *head = request->head;
    if (!head || !head->count[field])
        return "";
    if (head->count[field] == 1)
        return head->first[field];
    buf_reset(joined);
    web_request_header(request, fields[field].name, joined);
    return buf_cstr(joined);
}

static bool is_host(const char *text)
{
    for (; *text; text++) {
        char letter = *text | 0x20;
        if (!(letter >= 'a' && letter <= 'z') && !(*text >= '0' && *text <= '9') &&
            !strchr("-._~:[]%", *text))
            return false;
    }
    return true;
}

static size_t head_bytes_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

int web_request_check(struct MHD_Connection *connection, const struct web_head *head, bool old,
                      const struct target *target, size_t head_bytes, const char **reason)
{
    const char *host = head->first[WEB_HOST], *coding = head->first[WEB_TRANSFER_ENCODING];
    size_t codings = head->count[WEB_TRANSFER_ENCODING];
    bool hosts_ok = head->count[WEB_HOST] == 1 || (old && !head->count[WEB_HOST]);
    bool same = !target->authority || !host || !strcasecmp(target->authority, host);
    const struct {
        bool wrong;
        int status;
        const char *reason;
    } checks[] = {
        { target->status == 431, 431, "too many query parameters" },
        { target->status, 400, "malformed request target" },
        { head_bytes_of(connection) > head_bytes, 431, "request head too large" },
        { head->odd, 400, "malformed header name" },
        { !hosts_ok, 400, "exactly one Host header is needed" },
        { !same || (host && !is_host(host)), 400, "malformed Host header" },
        { head->count[WEB_CONTENT_LENGTH] + codings > 1 || (old && codings), 400,
          "ambiguous length of the request body" },
        { coding && strcasecmp(coding, "chunked") != 0, 501, "unknown transfer coding" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++)
        if (checks[i].wrong) {
            *reason = checks[i].reason;
            return checks[i].status;
        }
    return 0;
}

bool web_request_announces(const struct web_head *head, size_t limit_bytes)
{
    const char *length = head->first[WEB_CONTENT_LENGTH];
    return length && strtoull(length, NULL, 10) > limit_bytes;
}
