#include "alerts/text/html.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "alerts/text/html_write.h"
#include "alerts/text/text.h"
#include "core/compiler.h"

enum {
    HTML_BYTES_MAX = 256 * 1024,
    TAG_BYTES_MAX = 2048, /* what does not end within is text: keeps hostile input linear */
    NAME_BYTES = 16,      /* no tag or entity we know is longer */
};

enum tag_kind {
    TAG_UNKNOWN,
    TAG_SKIPPED,
    TAG_BREAK,
    TAG_BLOCK,
    TAG_PARAGRAPH,
    TAG_HEADING,
    TAG_LIST,
    TAG_ORDERED,
    TAG_ITEM,
    TAG_BOLD,
    TAG_ITALIC,
    TAG_CODE,
    TAG_PRE,
    TAG_LINK,
    TAG_IMAGE,
    TAG_CELL,
};

/* clang-format off */
static const struct {
    const char *name;
    enum tag_kind kind;
} tags[] = {
    { "script", TAG_SKIPPED },   { "style", TAG_SKIPPED },     { "title", TAG_SKIPPED },
    { "textarea", TAG_SKIPPED }, { "iframe", TAG_SKIPPED },    { "template", TAG_SKIPPED },
    { "svg", TAG_SKIPPED },      { "object", TAG_SKIPPED },    { "select", TAG_SKIPPED },
    { "br", TAG_BREAK },         { "hr", TAG_PARAGRAPH },      { "p", TAG_PARAGRAPH },
    { "div", TAG_BLOCK },        { "section", TAG_BLOCK },     { "article", TAG_BLOCK },
    { "tr", TAG_BLOCK },         { "dt", TAG_BLOCK },          { "dd", TAG_BLOCK },
    { "table", TAG_PARAGRAPH },  { "blockquote", TAG_PARAGRAPH }, { "dl", TAG_PARAGRAPH },
    { "h1", TAG_HEADING },       { "h2", TAG_HEADING },        { "h3", TAG_HEADING },
    { "h4", TAG_HEADING },       { "h5", TAG_HEADING },        { "h6", TAG_HEADING },
    { "ul", TAG_LIST },          { "menu", TAG_LIST },         { "ol", TAG_ORDERED },
    { "li", TAG_ITEM },          { "b", TAG_BOLD },            { "strong", TAG_BOLD },
    { "i", TAG_ITALIC },         { "em", TAG_ITALIC },         { "code", TAG_CODE },
    { "kbd", TAG_CODE },         { "samp", TAG_CODE },         { "tt", TAG_CODE },
    { "pre", TAG_PRE },          { "a", TAG_LINK },            { "img", TAG_IMAGE },
    { "td", TAG_CELL },          { "th", TAG_CELL },
};

static const struct {
    const char *name;
    uint32_t point;
} entities[] = {
    { "amp", '&' },        { "lt", '<' },         { "gt", '>' },         { "quot", '"' },
    { "apos", '\'' },      { "nbsp", ' ' },       { "ensp", ' ' },       { "emsp", ' ' },
    { "thinsp", ' ' },     { "shy", 0xad },       { "copy", 0xa9 },      { "reg", 0xae },
    { "trade", 0x2122 },   { "deg", 0xb0 },       { "sect", 0xa7 },      { "para", 0xb6 },
    { "middot", 0xb7 },    { "laquo", 0xab },     { "raquo", 0xbb },     { "times", 0xd7 },
    { "divide", 0xf7 },    { "plusmn", 0xb1 },    { "frac12", 0xbd },    { "euro", 0x20ac },
    { "pound", 0xa3 },     { "yen", 0xa5 },       { "cent", 0xa2 },      { "szlig", 0xdf },
    { "auml", 0xe4 },      { "ouml", 0xf6 },      { "uuml", 0xfc },      { "eacute", 0xe9 },
    { "ndash", 0x2013 },   { "mdash", 0x2014 },   { "lsquo", 0x2018 },   { "rsquo", 0x2019 },
    { "sbquo", 0x201a },   { "ldquo", 0x201c },   { "rdquo", 0x201d },   { "bdquo", 0x201e },
    { "bull", 0x2022 },    { "hellip", 0x2026 },  { "lsaquo", 0x2039 },  { "rsaquo", 0x203a },
    { "larr", 0x2190 },    { "uarr", 0x2191 },    { "rarr", 0x2192 },    { "darr", 0x2193 },
    { "rArr", 0x21d2 },    { "le", 0x2264 },      { "ge", 0x2265 },      { "ne", 0x2260 },
    { "check", 0x2713 },   { "lbrace", '{' },     { "rbrace", '}' },     { "lbrack", '[' },
    { "rbrack", ']' },     { "lpar", '(' },       { "rpar", ')' },       { "sol", '/' },
    { "colon", ':' },      { "comma", ',' },      { "period", '.' },     { "lowbar", '_' },
};
/* clang-format on */

/* Where reading stands. */
struct reader {
    const char *at, *end;
    struct html_writer writer;
    struct buf address; /* of the link being read */
};

/* --- reading ---------------------------------------------------------------------------------- */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint32_t numeric_entity(const char *digits)
{
    bool hex = *digits == 'x' || *digits == 'X';
    uint32_t point = 0;
    for (digits += hex; *digits; digits++) {
        char lower = (char)(*digits | 0x20);
        bool letter = hex && lower >= 'a' && lower <= 'f';
        if (!letter && !is_digit(*digits))
            return 0;
        point = point * (hex ? 16 : 10) + (uint32_t)(letter ? lower - 'a' + 10 : *digits - '0');
        if (point > 0x10ffff)
            return TEXT_REPLACEMENT;
    }
    return point >= 0xd800 && point < 0xe000 ? TEXT_REPLACEMENT : point;
}

/* The code point at `at`, entities decoded. */
static uint32_t read_point(const char *at, const char *end, size_t *used)
{
    char name[NAME_BYTES];
    size_t length = 0;
    uint32_t point = 0;
    if (*at == '&') {
        const char *from = at + 1;
        while (length < NAME_BYTES - 1 && from + length < end && from[length] != ';')
            length++;
        if (from + length < end && from[length] == ';') {
            memcpy(name, from, length);
            name[length] = 0;
            if (*name == '#')
                point = numeric_entity(name + 1);
            for (size_t i = 0; !point && i < ARRAY_COUNT(entities); i++)
                if (!strcmp(entities[i].name, name))
                    point = entities[i].point;
        }
    }
    *used = length + 2;
    return point ? point : text_decode(at, (size_t)(end - at), used);
}

/* The '>' that ends the tag at `at`, or NULL: then it is no tag. */
static const char *tag_end(const char *at, const char *end)
{
    char quote = 0;
    if (end - at > TAG_BYTES_MAX)
        end = at + TAG_BYTES_MAX;
    for (at++; at < end; at++) {
        if (quote)
            quote = *at == quote ? 0 : quote;
        else if ((*at == '"' || *at == '\'') && at[-1] == '=')
            quote = *at;
        else if (*at == '>')
            return at;
        else if (*at == '<')
            return NULL;
    }
    return NULL;
}

/* The value of an attribute between from and end; its length 0 when it is not there. */
static const char *attribute(const char *from, const char *end, const char *name, size_t *length)
{
    size_t name_length = strlen(name);
    *length = 0;
    for (const char *at = from; at < end;) {
        const char *word = at;
        while (at < end && !strchr(" \t\r\n\f/=", *at))
            at++;
        bool wanted = (size_t)(at - word) == name_length && !strncasecmp(word, name, name_length);
        if (at >= end || *at != '=') {
            at++;
            continue;
        }
        char quote = ++at < end && (*at == '"' || *at == '\'') ? *at++ : 0;
        const char *value = at;
        while (at < end && (quote ? *at != quote : !strchr(" \t\r\n\f", *at)))
            at++;
        if (wanted) {
            *length = (size_t)(at - value);
            return value;
        }
        at++;
    }
    return end;
}

/* A link may lead to the web only; everything that could end it early is percent-encoded. */
static bool read_address(struct buf *out, const char *from, const char *to)
{
    size_t length;
    const char *value = attribute(from, to, "href", &length), *end = value + length;
    buf_reset(out);
    while (value < end && (*value == ' ' || *value == '\n' || *value == '\r' || *value == '\t'))
        value++;
    for (size_t used; value < end; value += used) {
        CLEANUP(buf_finish) struct buf bytes = { 0 };
        uint32_t point = read_point(value, end, &used);
        if (point < 0x20)
            continue;
        text_encode(&bytes, point);
        for (size_t i = 0; i < bytes.length; i++) {
            unsigned char byte = (unsigned char)bytes.data[i];
            if (byte >= 0x80 || strchr(" \"()<>[]\\^`{|}", byte))
                buf_printf(out, "%%%02X", byte);
            else
                buf_char(out, (char)byte);
        }
    }
    const char *text = buf_cstr(out);
    return (!strncasecmp(text, "https://", 8) && text[8]) ||
           (!strncasecmp(text, "http://", 7) && text[7]);
}

static void skip_element(struct reader *r, const char *name)
{
    size_t length = strlen(name);
    for (; r->at < r->end; r->at++)
        if (*r->at == '<' && (size_t)(r->end - r->at) > length + 2 && r->at[1] == '/' &&
            !strncasecmp(r->at + 2, name, length) && !is_letter(r->at[2 + length]))
            return; /* the closing tag itself says nothing */
}

/* --- tags ------------------------------------------------------------------------------------- */
static void image_tag(struct html_writer *w, const char *from, const char *end)
{
    size_t length, used;
    const char *value = attribute(from, end, "alt", &length);
    for (const char *stop = value + length; value < stop; value += used)
        html_write_point(w, read_point(value, stop, &used));
}

/* Tags inside of code: only those that end it or break its lines count. True when that is all. */
static bool code_tag(struct html_writer *w, enum tag_kind kind, bool closing)
{
    bool line = kind == TAG_BREAK || kind == TAG_BLOCK || kind == TAG_PARAGRAPH;
    bool ends = closing && kind == (w->capture == HTML_PRE ? TAG_PRE : TAG_CODE);
    bool inside = kind == TAG_CODE || kind == TAG_BOLD || kind == TAG_ITALIC || kind == TAG_UNKNOWN;
    if (ends)
        html_write_code_end(w);
    else if (w->capture == HTML_PRE && line && !closing)
        html_write_point(w, '\n');
    else if (w->capture == HTML_CODE && !inside)
        html_write_code_end(w); /* it was not closed */
    return ends || inside || w->capture;
}

/* The tags that change how lines stand. */
static void line_tag(struct html_writer *w, enum tag_kind kind, bool closing)
{
    switch (kind) {
    case TAG_BREAK:
        html_write_lines(w, w->newlines ? 2 : 1);
        break;
    case TAG_BLOCK:
        html_write_lines(w, 1);
        break;
    case TAG_HEADING:
        html_write_heading(w, closing);
        break;
    case TAG_PARAGRAPH:
        html_write_lines(w, 2);
        break;
    case TAG_LIST:
    case TAG_ORDERED:
        if (closing)
            html_write_list_end(w);
        else
            html_write_list(w, kind == TAG_ORDERED);
        break;
    case TAG_ITEM:
        if (closing)
            html_write_item_end(w);
        else
            html_write_item(w);
        break;
    default: /* TAG_CELL */
        html_write_point(w, ' ');
        break;
    }
}

/* from, end: the attributes. */
static void apply_tag(struct reader *r, enum tag_kind kind, const char *from, const char *end,
                      bool closing)
{
    struct html_writer *w = &r->writer;
    if (w->capture && code_tag(w, kind, closing))
        return;
    switch (kind) {
    case TAG_UNKNOWN:
    case TAG_SKIPPED:
        break;
    case TAG_BOLD:
        html_write_nest(&w->bold, closing);
        break;
    case TAG_ITALIC:
        html_write_nest(&w->italic, closing);
        break;
    case TAG_CODE:
        if (!closing)
            html_write_code(w, HTML_CODE);
        break;
    case TAG_IMAGE:
        image_tag(w, from, end);
        break;
    case TAG_PRE:
        html_write_link_end(w);
        if (!closing)
            html_write_code(w, HTML_PRE);
        break;
    case TAG_LINK:
        html_write_link_end(w);
        if (!closing && read_address(&r->address, from, end))
            html_write_link(w, buf_cstr(&r->address));
        break;
    default:
        html_write_link_end(w); /* a link does not reach over lines */
        line_tag(w, kind, closing);
        break;
    }
}

static void read_tag(struct reader *r, const char *end)
{
    const char *at = r->at + 1;
    bool closing = *at == '/';
    char name[NAME_BYTES];
    size_t length = 0;
    for (at += closing; at < end && (is_letter(*at) || is_digit(*at) || *at == '-'); at++)
        if (length < NAME_BYTES - 1)
            name[length++] = *at;
    name[length] = 0;
    enum tag_kind kind = TAG_UNKNOWN;
    for (size_t i = 0; kind == TAG_UNKNOWN && i < ARRAY_COUNT(tags); i++)
        if (!strcasecmp(tags[i].name, name))
            kind = tags[i].kind;
    r->at = end + 1;
    if (kind != TAG_SKIPPED)
        apply_tag(r, kind, at, end, closing);
    else if (!closing && end[-1] != '/')
        skip_element(r, name);
}

/* Comments, doctypes and instructions. */
static void skip_declaration(struct reader *r)
{
    bool comment = r->end - r->at >= 4 && !memcmp(r->at, "<!--", 4);
    const char *mark = comment ? "-->" : ">";
    size_t left = (size_t)(r->end - r->at);
    const char *found = memmem(r->at + 2, left - 2, mark, strlen(mark));
    r->at = found ? found + strlen(mark) : r->end;
}

void html_convert(const char *html, size_t length, enum html_form form, struct buf *out)
{
    struct reader r = { .at = html };
    r.end = html + (length < HTML_BYTES_MAX ? length : HTML_BYTES_MAX);
    html_write_init(&r.writer, form, out);
    while (r.at < r.end) {
        char next = r.end - r.at > 1 && *r.at == '<' ? r.at[1] : 0;
        bool closing = next == '/' && r.end - r.at > 2 && is_letter(r.at[2]);
        const char *end = is_letter(next) || closing ? tag_end(r.at, r.end) : NULL;
        if (next == '!' || next == '?') {
            skip_declaration(&r);
        } else if (end) {
            read_tag(&r, end);
        } else {
            size_t used;
            html_write_point(&r.writer, read_point(r.at, r.end, &used));
            r.at += used;
        }
    }
    html_write_finish(&r.writer);
    buf_finish(&r.address);
}
