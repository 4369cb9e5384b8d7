#include "exporter/data_format.h"

#include <string.h>

#include "core/http.h"

const char *const data_format_types[VIEW_FORMAT_COUNT] = {
    [VIEW_JSON] = "application/json; charset=utf-8",
    [VIEW_NDJSON] = "application/x-ndjson; charset=utf-8",
    [VIEW_CSV] = "text/csv; charset=utf-8; header=present",
    [VIEW_MARKDOWN] = "text/markdown; charset=utf-8",
};

int data_format_place(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], word))
            return i;
    return -1;
}

int data_format_of(const struct web_request *request)
{
    CLEANUP(buf_finish) struct buf accept = { 0 };
    const char *word = web_request_query(request, "format");
    if (word)
        return data_format_place(word, view_format_words);
    web_request_header(request, "Accept", &accept);
    for (int i = VIEW_NDJSON; i < VIEW_FORMAT_COUNT; i++) {
        size_t length = strcspn(data_format_types[i], ";");
        CLEANUP(buf_finish) struct buf type = { 0 };
        buf_append(&type, data_format_types[i], length);
        if (strstr(buf_cstr(&accept), buf_cstr(&type)))
            return i;
    }
    return VIEW_JSON;
}

void data_format_refuse(struct web_response *response, int status, const char *message)
{
    struct buf out = { 0 };
    struct json_writer writer = { .out = &out };
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "error", message);
    json_close(&writer, '}');
    if (status == 503 || status == 429)
        web_response_header(response, "Retry-After", "1");
    web_response_buf(response, status, data_format_types[VIEW_JSON], &out);
}

static void append_query(struct buf *out, bool *begun, const char *name, const char *value)
{
    buf_text(out, *begun ? "&" : "?");
    http_escape(out, name);
    buf_char(out, '=');
    http_escape(out, value);
    *begun = true;
}

void data_format_link(struct web_response *response, const struct web_request *request,
                      const char *prefix, const char *cursor)
{
    CLEANUP(buf_finish) struct buf link = { 0 };
    bool begun = false;
    buf_printf(&link, "<%s%s", prefix, request->path);
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->queries[i].name, "after") != 0)
            append_query(&link, &begun, request->queries[i].name, request->queries[i].value);
    append_query(&link, &begun, "after", cursor);
    buf_text(&link, ">; rel=\"next\"");
    web_response_header(response, "Link", arena_text(&response->scratch, buf_cstr(&link)));
}
