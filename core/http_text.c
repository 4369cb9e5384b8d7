/* The parts of http.h that need no library. */
#include "core/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

void http_response_finish(struct http_response *response)
{
    buf_finish(&response->body);
    buf_finish(&response->headers);
}
