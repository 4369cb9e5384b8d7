#include "collectors/run/path.h"

#include <string.h>

#include "core/http.h"

/* An id as part of an address: names of standards have blanks and brackets. */
static void put_id(struct buf *out, const char *id)
{
    CLEANUP(buf_finish) struct buf segment = { 0 };
    for (; *id; id += strcspn(id, "/")) {
        if (*id == '/')
            buf_char(out, *id++);
        buf_reset(&segment);
        buf_append(&segment, id, strcspn(id, "/"));
        http_escape(out, buf_cstr(&segment));
    }
}

void path_fill(const struct query *query, const struct collect_context *context, int version,
               struct buf *out)
{
    const char *placeholder = context->row_id ? "{row}" : "{subscription}";
    const char *at = strstr(query->path, placeholder);
    buf_reset(out);
    buf_append(out, query->path, at ? (size_t)(at - query->path) : strlen(query->path));
    if (at && context->row_id)
        put_id(out, context->row_id);
    else if (at)
        buf_text(out, context->subscription_id);
    buf_text(out, at ? at + strlen(placeholder) : "");
    const char *words = query->api_versions;
    if (!words)
        return;
    for (; version > 0; version--)
        words += strcspn(words, " ") + 1;
    buf_printf(out, "%sapi-version=%.*s", strchr(buf_cstr(out), '?') ? "&" : "?",
               (int)strcspn(words, " "), words);
}

int path_versions(const struct query *query)
{
    int count = 1;
    for (const char *c = query->api_versions ? query->api_versions : ""; *c; c++)
        count += *c == ' ';
    return count;
}
