#include "alerts/text/template_escape.h"

#include <string.h>

#include "core/compiler.h"

const char *const template_escape_words[] = { "plain", "markdown", "html", NULL };

/* --- markup ----------------------------------------------------------------------------------- */
static void put_markdown(char c, struct buf *out)
{
    if (strchr("\\`*_~[]<>|#", c))
        buf_char(out, '\\');
    buf_char(out, c);
    if (c == '@') /* a zero width space: no mention */
        buf_text(out, "\xe2\x80\x8b");
}

static void put_html(char c, struct buf *out)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = { { '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
                     { '"', "&quot;" }, { '\'', "&#39;" }, { '\n', "<br>" } };
    for (size_t i = 0; i < ARRAY_COUNT(entities); i++)
        if (entities[i].c == c) {
            buf_text(out, entities[i].entity);
            return;
        }
    buf_char(out, c);
}

void template_escape_markup(enum template_escape markup, const char *text, struct buf *out)
{
    for (; *text; text++)
        if (markup == TEMPLATE_ESCAPE_MARKDOWN)
            put_markdown(*text, out);
        else if (markup == TEMPLATE_ESCAPE_HTML)
            put_html(*text, out);
        else
            buf_char(out, *text);
}

/* --- cutting ---------------------------------------------------------------------------------- */
/* The longest entity: "&quot;". */
enum { ENTITY_BYTES = 6 };

static bool is_surrogate(const char *at, size_t left)
{
    return left >= 6 && at[0] == '\\' && at[1] == 'u' && (at[2] == 'd' || at[2] == 'D') &&
           strchr("89abAB", at[3]);
}

/* Bytes of what is never split, and of the text that it is. */
static size_t unit(const char *at, size_t left, bool json, size_t *text)
{
    size_t length = 1;
    if (json && *at == '\\' && left > 1) {
        length = at[1] != 'u' ? 2 : is_surrogate(at, left) && left >= 12 ? 12 : 6;
        *text = length == 2 ? 1 : length == 6 ? 3 : 4;
        return length < left ? length : left;
    }
    if (*at == '&') {
        size_t entity = strcspn(at, ";") + 1;
        length = entity <= ENTITY_BYTES && entity <= left ? entity : 1;
    }
    while ((unsigned char)*at >= 0xc0 && length < left &&
           ((unsigned char)at[length] & 0xc0) == 0x80)
        length++;
    *text = length;
    return length;
}

void template_escape_cut(struct buf *out, size_t start, size_t most, bool json)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t text = 0, at = start, keep = start;
    buf_cstr(out);
    while (at < out->length) {
        size_t more;
        size_t length = unit(out->data + at, out->length - at, json, &more);
        at += length;
        text += more;
        if (text + sizeof ellipsis - 1 <= most)
            keep = at;
    }
    if (text <= most)
        return;
    out->length = keep;
    out->data[keep] = 0;
    buf_text(out, ellipsis);
}
