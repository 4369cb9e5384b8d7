/* The parts of http.h that need no library. */
#include "core/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BODY_LIMIT_BYTES = 64 << 20, HEADERS_LIMIT_BYTES = 256 << 10 };

static const char *environment(const char *name, const char *other_name)
{
    const char *value = getenv(name);
    if (!value || !*value)
        value = getenv(other_name);
    return value && *value ? value : NULL;
}

const char *http_proxy(const struct http_request *request, const char *scheme)
{
    const char *proxy = request->no_proxy ? "" : request->proxy;
    if (!proxy)
        proxy = !strcmp(scheme, "https") ? environment("https_proxy", "HTTPS_PROXY")
                                         : environment("http_proxy", "http_proxy");
    if (!proxy)
        proxy = environment("all_proxy", "ALL_PROXY");
    return proxy ? proxy : "";
}

const char *http_no_proxy(void)
{
    const char *hosts = environment("no_proxy", "NO_PROXY");
    return hosts ? hosts : "";
}

bool http_header(const struct http_response *response, const char *name, char *out,
                 size_t out_bytes)
{
    size_t name_length = strlen(name);
    const char *line = buf_cstr(&response->headers);
    while (*line) {
        size_t length = strcspn(line, "\n");
        if (length > name_length && line[name_length] == ':' &&
            !strncasecmp(line, name, name_length)) {
            const char *value = line + name_length + 1;
            size_t value_length = length - name_length - 1;
            while (value_length && (*value == ' ' || *value == '\t')) {
                value++;
                value_length--;
            }
            const char *stray =
                memchr(value, '\r', value_length); /* of a proxy: no value has one */
            value_length = stray ? (size_t)(stray - value) : value_length;
            while (value_length &&
                   (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
                value_length--;
            snprintf(out, out_bytes, "%.*s", (int)value_length, value);
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

void http_escape(struct buf *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buf_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned char)*text);
    }
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void http_encode_url(struct buf *out, const char *url)
{
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789-._~:/?[]@!$&'()*+,;=";
    static const char blanks[] = " \t\r\n";
    url += strspn(url, blanks);
    size_t length = strlen(url);
    while (length && strchr(blanks, url[length - 1]))
        length--;
    for (const char *end = url + length; url < end; url++) {
        bool encoded = *url == '%' && is_hex(url[1]) && is_hex(url[2]);
        if (encoded || strchr(kept, *url))
            buf_char(out, *url);
        else
            buf_printf(out, "%%%02X", (unsigned char)*url);
    }
}

void http_response_reset(struct http_response *response, size_t limit_bytes)
{
    buf_reset(&response->body);
    buf_reset(&response->packed);
    buf_reset(&response->headers);
    buf_reset(&response->refused);
    buf_reset(&response->later);
    response->refused_count = 0;
    response->status = 0;
    response->body.limit_bytes = limit_bytes ? limit_bytes : BODY_LIMIT_BYTES;
    response->packed.limit_bytes = /* what does not shrink grows by less */
        response->body.limit_bytes + response->body.limit_bytes / 1024 + 1024;
    response->headers.limit_bytes = HEADERS_LIMIT_BYTES;
}

void http_response_finish(struct http_response *response)
{
    buf_finish(&response->body);
    buf_finish(&response->packed);
    buf_finish(&response->headers);
    buf_finish(&response->refused);
    buf_finish(&response->later);
}
