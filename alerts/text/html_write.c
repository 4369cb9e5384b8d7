#include "alerts/text/html_write.h"

#include <stdio.h>
#include <string.h>

#include "alerts/text/text.h"
#include "core/compiler.h"

enum { INDENT_MAX = 32 };

/* --- writing ---------------------------------------------------------------------------------- */
static bool wants_bold(const struct html_writer *c)
{
    return (c->markdown || c->tags) && c->bold;
}

static bool wants_italic(const struct html_writer *c)
{
    return (c->markdown || c->tags) && c->italic;
}

static void close_marks(struct html_writer *c)
{
    if (c->is_italic)
        buf_text(c->out, c->tags ? "</em>" : "*");
    if (c->is_bold)
        buf_text(c->out, c->tags ? "</strong>" : "**");
    c->is_bold = c->is_italic = false;
}

static void open_marks(struct html_writer *c)
{
    c->is_bold = wants_bold(c);
    c->is_italic = wants_italic(c);
    if (c->is_bold)
        buf_text(c->out, c->tags ? "<strong>" : "**");
    if (c->is_italic)
        buf_text(c->out, c->tags ? "<em>" : "*");
}

static void write_escaped(struct html_writer *c, const char *text)
{
    static const struct {
        char letter;
        const char *entity;
    } entities[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" },
    };
    for (; *text; text++) {
        const char *entity = NULL;
        for (size_t i = 0; i < ARRAY_COUNT(entities) && !entity; i++)
            entity = entities[i].letter == *text ? entities[i].entity : NULL;
        if (entity)
            buf_text(c->out, entity);
        else
            buf_char(c->out, *text);
    }
}

static void write_indent(struct html_writer *c, size_t columns)
{
    for (size_t i = 0; i < columns && i < INDENT_MAX; i++)
        buf_char(c->out, ' ');
}

static void write_link_start(struct html_writer *c)
{
    buf_text(c->out, "<a href=\"");
    write_escaped(c, buf_cstr(&c->link));
    buf_text(c->out, "\" rel=\"noreferrer\">");
}

static void write_lines(struct html_writer *c)
{
    bool first = c->out->length == c->start;
    if (!first && c->newlines == 1 && c->markdown && !*c->marker)
        buf_text(c->out, "  "); /* a line break inside a paragraph */
    for (unsigned i = 0; !first && i < c->newlines; i++)
        buf_char(c->out, '\n');
    write_indent(c, c->lists[c->depth].indent - strlen(c->marker));
    buf_text(c->out, c->marker);
    *c->marker = 0;
    c->line_start = true;
}

/* Something visible follows: write what is owed. */
static void before_text(struct html_writer *c)
{
    bool same = c->is_bold == wants_bold(c) && c->is_italic == wants_italic(c);
    bool new_line = c->newlines || *c->marker || c->out->length == c->start;
    bool link_opens = c->in_link && !c->link_open;
    same = same && !new_line && !link_opens;
    if (!same)
        close_marks(c);
    if (c->tags) {
        bool first = html_blocks_text(&c->blocks, new_line, c->heading);
        buf_text(c->out, c->space && !first ? " " : "");
    } else if (new_line) {
        write_lines(c);
    } else if (c->space) {
        buf_char(c->out, ' ');
    }
    c->newlines = 0;
    c->space = false;
    if (link_opens) {
        if (c->markdown)
            buf_char(c->out, '[');
        if (c->tags)
            write_link_start(c);
        c->link_open = true;
        c->link_start = c->out->length;
    }
    if (!same)
        open_marks(c);
}

void html_write_lines(struct html_writer *c, unsigned newlines)
{
    if (*c->marker)
        return; /* an item that has no text yet */
    if (newlines > c->newlines)
        c->newlines = newlines;
}

static bool needs_escape(const struct html_writer *c, uint32_t point)
{
    if (point >= 0x80)
        return false;
    if (strchr("\\`*_[]<>~&", (int)point))
        return true;
    return c->line_start && strchr("#+-=", (int)point);
}

/* Controls, and marks that turn the direction of what follows, are nobody's text. */
static bool is_dropped(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x202a && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

void html_write_point(struct html_writer *c, uint32_t point)
{
    bool blank = point == ' ' || point == '\t' || point == '\n' || point == '\r' || point == '\f' ||
                 point == 0xa0;
    if (blank && c->capture == HTML_PRE) {
        if (point != '\r')
            buf_char(&c->code, point == '\n' ? '\n' : ' ');
    } else if (blank && c->capture == HTML_CODE) {
        if (c->code.length && c->code.data[c->code.length - 1] != ' ')
            buf_char(&c->code, ' ');
    } else if (blank) {
        c->space = true;
    } else if (!is_dropped(point)) {
        if (c->capture) {
            text_encode(&c->code, point);
            return;
        }
        before_text(c);
        if (c->markdown && needs_escape(c, point))
            buf_char(c->out, '\\');
        if (c->tags && point < 0x80)
            write_escaped(c, (const char[]){ (char)point, 0 });
        else
            text_encode(c->out, point);
        c->line_start = false;
    }
}

/* --- code ------------------------------------------------------------------------------------- */
static size_t longest_run(const char *text, char wanted)
{
    size_t longest = 0, run = 0;
    for (; *text; text++) {
        run = *text == wanted ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void write_fence(struct html_writer *c, size_t count)
{
    while (count--)
        buf_char(c->out, '`');
}

static void write_pre(struct html_writer *c, const char *code, size_t fence)
{
    size_t indent = c->lists[c->depth].indent;
    code += *code == '\n';
    html_write_lines(c, 2);
    before_text(c);
    close_marks(c);
    if (fence)
        write_fence(c, fence);
    for (const char *line = code; *line; line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        if (fence || line > code) {
            buf_char(c->out, '\n');
            write_indent(c, indent);
        }
        buf_append(c->out, line, length);
        line += length;
    }
    if (fence) {
        buf_char(c->out, '\n');
        write_indent(c, indent);
        write_fence(c, fence);
    }
    html_write_lines(c, 2);
}

static void write_code(struct html_writer *c, const char *code, size_t fence)
{
    bool pad = fence > 1 || *code == '`';
    before_text(c);
    write_fence(c, fence);
    if (fence && pad)
        buf_char(c->out, ' ');
    buf_text(c->out, code);
    if (fence && pad)
        buf_char(c->out, ' ');
    write_fence(c, fence);
    c->line_start = false;
}

/* The same as elements. */
static void write_code_element(struct html_writer *c, const char *code, bool is_block)
{
    if (is_block) {
        close_marks(c);
        html_blocks_own(&c->blocks);
        buf_text(c->out, "<pre>");
    } else {
        before_text(c);
    }
    buf_text(c->out, "<code>");
    write_escaped(c, code + (is_block && *code == '\n'));
    buf_text(c->out, is_block ? "</code></pre>\n" : "</code>");
    if (is_block)
        html_write_lines(c, 2);
    c->line_start = false;
}

/* Code ends here, closed or not. */
void html_write_code_end(struct html_writer *c)
{
    enum html_capture capture = c->capture;
    c->capture = HTML_NO_CODE;
    size_t length = c->code.length;
    while (length && (c->code.data[length - 1] == ' ' || c->code.data[length - 1] == '\n'))
        c->code.data[--length] = 0;
    const char *code = length ? c->code.data : "";
    size_t fence = longest_run(code, '`') + 1;
    bool blank = !code[strspn(code, " \n")];
    if (c->tags && capture && !blank)
        write_code_element(c, code, capture == HTML_PRE);
    else if (!c->tags && capture == HTML_PRE && !blank)
        write_pre(c, code, !c->markdown ? 0 : fence < 3 ? 3 : fence);
    else if (!c->tags && capture == HTML_CODE && *code)
        write_code(c, code, c->markdown ? fence : 0);
    buf_reset(&c->code);
}

void html_write_code(struct html_writer *c, enum html_capture capture)
{
    c->capture = capture;
    buf_reset(&c->code);
}

/* --- links ------------------------------------------------------------------------------------ */
void html_write_link_end(struct html_writer *c)
{
    if (!c->in_link)
        return;
    const char *address = buf_cstr(&c->link);
    c->in_link = false;
    close_marks(c);
    if (c->tags) {
        if (!c->link_open) {
            c->in_link = true; /* without a text it shows where it leads */
            before_text(c);
            close_marks(c);
            write_escaped(c, address);
            c->in_link = false;
        }
        buf_text(c->out, "</a>");
    } else if (c->link_open && c->markdown) {
        buf_printf(c->out, "](%s)", address);
    } else if (c->link_open) {
        if (strcmp(c->out->data + c->link_start, address) != 0)
            buf_printf(c->out, " (%s)", address);
    } else {
        before_text(c);
        buf_printf(c->out, c->markdown ? "<%s>" : "%s", address);
        c->line_start = false;
    }
    c->link_open = false;
}

void html_write_link(struct html_writer *c, const char *address)
{
    html_write_link_end(c);
    buf_reset(&c->link);
    buf_text(&c->link, address);
    c->in_link = true;
}

/* --- headings --------------------------------------------------------------------------------- */
void html_write_nest(unsigned *wanted, bool closing)
{
    if (!closing)
        ++*wanted;
    else if (*wanted)
        --*wanted;
}

void html_write_heading(struct html_writer *c, bool closing)
{
    html_write_nest(c->tags ? &c->heading : &c->bold, closing);
    html_write_lines(c, 2);
}

/* No mark of an element reaches over a block. */
static void end_marks(struct html_writer *c)
{
    if (c->tags)
        close_marks(c);
}

/* --- lists ------------------------------------------------------------------------------------ */
void html_write_list(struct html_writer *c, bool ordered)
{
    html_write_lines(c, c->depth ? 1 : 2);
    if (c->depth == HTML_LISTS_MAX) {
        c->deeper++;
        return;
    }
    end_marks(c);
    if (c->tags)
        html_blocks_list(&c->blocks, ordered);
    size_t indent = c->lists[c->depth].indent;
    c->lists[++c->depth] = (struct html_list){ ordered, 0, 0, indent };
}

void html_write_list_end(struct html_writer *c)
{
    *c->marker = 0;
    html_write_lines(c, c->depth > 1 ? 1 : 2);
    if (c->deeper) {
        c->deeper--;
    } else if (c->depth) {
        c->depth--;
        end_marks(c);
        if (c->tags)
            html_blocks_list_end(&c->blocks);
    }
}

void html_write_item(struct html_writer *c)
{
    struct html_list *list = &c->lists[c->depth];
    size_t parent = c->depth ? c->lists[c->depth - 1].indent : 0;
    *c->marker = 0;
    html_write_lines(c, 1);
    if (list->items++)
        c->newlines = 1;
    if (c->tags) {
        end_marks(c);
        html_blocks_item(&c->blocks);
        return;
    }
    if (list->ordered)
        snprintf(c->marker, sizeof c->marker, "%u. ", ++list->number);
    else
        strcpy(c->marker, "- ");
    list->indent = parent + strlen(c->marker);
}

void html_write_item_end(struct html_writer *c)
{
    *c->marker = 0;
    html_write_lines(c, 1);
    end_marks(c);
    if (c->tags)
        html_blocks_item_end(&c->blocks);
    if (!c->depth)
        c->lists[0].indent = 0;
}

void html_write_init(struct html_writer *c, enum html_form form, struct buf *out)
{
    *c = (struct html_writer){ .out = out, .start = out->length };
    c->markdown = form == HTML_TO_MARKDOWN;
    c->tags = form == HTML_TO_CLEAN;
    c->blocks.out = out;
}

void html_write_finish(struct html_writer *c)
{
    if (c->capture)
        html_write_code_end(c);
    html_write_link_end(c);
    close_marks(c);
    html_blocks_finish(&c->blocks);
    buf_finish(&c->code);
    buf_finish(&c->link);
}
