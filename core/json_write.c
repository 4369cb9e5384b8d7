/* Writing JSON: what json.h says of it. */
#include <math.h>
#include <string.h>

#include "core/json.h"
#include "core/memory.h"
#include "core/utf8.h"

static void quote_special(struct buf *out, unsigned char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *form = short_forms; *form; form += 2)
        if ((unsigned char)*form == c) {
            buf_char(out, '\\');
            buf_char(out, form[1]);
            return;
        }
    buf_printf(out, "\\u%04x", c);
}

/* Most texts are written as they are: at once, between these two. */
static bool quote_plain(struct buf *out, const char *before, const char *text, size_t length,
                        const char *behind)
{
    if (out->limit_bytes || utf8_plain_length(text, length) < length)
        return false;
    buf_reserve(out, length + 4);
    char *at = out->data + out->length;
    for (; *before; before++)
        *at++ = *before;
    *at++ = '"';
    memcpy(at, text, length);
    at += length;
    *at++ = '"';
    for (; *behind; behind++)
        *at++ = *behind;
    *at = 0;
    out->length = (size_t)(at - out->data);
    return true;
}

void json_quote(struct buf *out, const char *text, size_t length)
{
    if (quote_plain(out, "", text, length, ""))
        return;
    buf_char(out, '"');
    for (size_t i = 0; i < length;) {
        size_t plain = utf8_plain_length(text + i, length - i);
        if (plain) {
            buf_append(out, text + i, plain);
            i += plain;
            continue;
        }
        size_t sequence = utf8_length(text + i, length - i);
        if (sequence > 1)
            buf_append(out, text + i, sequence);
        else if (sequence == 1)
            quote_special(out, (unsigned char)text[i]);
        else
            buf_text(out, UTF8_REPLACEMENT);
        i += sequence ? sequence : 1;
    }
    buf_char(out, '"');
}

static void member_begin(struct json_writer *writer, const char *name)
{
    uint64_t bit = (uint64_t)1 << writer->depth;
    const char *comma = writer->has_members & bit ? "," : "";
    writer->has_members |= bit;
    if (name && quote_plain(writer->out, comma, name, strlen(name), ":"))
        return;
    buf_text(writer->out, comma);
    if (name) {
        json_quote(writer->out, name, strlen(name));
        buf_char(writer->out, ':');
    }
}

void json_open(struct json_writer *writer, const char *name, char bracket)
{
    if (writer->depth)
        member_begin(writer, name);
    buf_char(writer->out, bracket);
    if (++writer->depth == 64)
        memory_abort("JSON nested deeper than 64");
    writer->has_members &= ~((uint64_t)1 << writer->depth);
}

void json_close(struct json_writer *writer, char bracket)
{
    writer->depth--;
    buf_char(writer->out, bracket);
}

void json_add_text(struct json_writer *writer, const char *name, const char *text)
{
    member_begin(writer, name);
    if (text)
        json_quote(writer->out, text, strlen(text));
    else
        buf_text(writer->out, "null");
}

void json_add_integer(struct json_writer *writer, const char *name, int64_t value)
{
    member_begin(writer, name);
    buf_integer(writer->out, value);
}

void json_add_number(struct json_writer *writer, const char *name, double value)
{
    member_begin(writer, name);
    if (isfinite(value))
        buf_number(writer->out, value);
    else
        buf_text(writer->out, "null"); /* JSON has neither NaN nor infinity */
}

void json_add_bool(struct json_writer *writer, const char *name, bool value)
{
    member_begin(writer, name);
    buf_text(writer->out, value ? "true" : "false");
}

void json_add_raw(struct json_writer *writer, const char *name, const char *json)
{
    member_begin(writer, name);
    buf_text(writer->out, json);
}
