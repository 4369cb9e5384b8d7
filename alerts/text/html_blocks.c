#include "alerts/text/html_blocks.h"

static const char *const names[] = { "p", "h3", "ul", "ol", "ul", "li" };

static bool is_top(const struct html_blocks *blocks, enum html_block kind)
{
    return blocks->depth && blocks->open[blocks->depth - 1] == kind;
}

static bool is_list_top(const struct html_blocks *blocks)
{
    return is_top(blocks, HTML_UL) || is_top(blocks, HTML_OL) || is_top(blocks, HTML_LOOSE);
}

static void push(struct html_blocks *blocks, enum html_block kind)
{
    if (blocks->depth == HTML_BLOCKS_MAX)
        return;
    blocks->filled[blocks->depth] = false;
    blocks->open[blocks->depth++] = (uint8_t)kind;
}

static void pop(struct html_blocks *blocks)
{
    blocks->depth--;
    if (blocks->written <= blocks->depth)
        return;
    blocks->written = blocks->depth;
    buf_printf(blocks->out, "</%s>\n", names[blocks->open[blocks->depth]]);
}

/* Paragraphs and headings hold no blocks. */
static void end_line(struct html_blocks *blocks)
{
    while (is_top(blocks, HTML_P) || is_top(blocks, HTML_H3))
        pop(blocks);
}

/* Lists hold nothing but items, and what is in no list ends the one that nobody opened. */
static void leave_list(struct html_blocks *blocks)
{
    if (is_top(blocks, HTML_LOOSE))
        pop(blocks);
    if (is_list_top(blocks))
        push(blocks, HTML_LI);
}

static void write_open(struct html_blocks *blocks)
{
    while (blocks->written < blocks->depth) {
        if (blocks->written)
            blocks->filled[blocks->written - 1] = true;
        buf_printf(blocks->out, "<%s>", names[blocks->open[blocks->written++]]);
    }
}

bool html_blocks_text(struct html_blocks *blocks, bool new_line, bool heading)
{
    if (new_line)
        end_line(blocks);
    leave_list(blocks);
    bool in_item = is_top(blocks, HTML_LI);
    if (!blocks->depth)
        push(blocks, heading ? HTML_H3 : HTML_P);
    else if (in_item && new_line && blocks->filled[blocks->depth - 1])
        push(blocks, HTML_P);
    write_open(blocks);
    bool first = !blocks->filled[blocks->depth - 1];
    blocks->filled[blocks->depth - 1] = true;
    return first;
}

void html_blocks_own(struct html_blocks *blocks)
{
    end_line(blocks);
    leave_list(blocks);
    write_open(blocks);
    if (blocks->depth)
        blocks->filled[blocks->depth - 1] = true;
}

void html_blocks_list(struct html_blocks *blocks, bool ordered)
{
    end_line(blocks);
    leave_list(blocks);
    push(blocks, ordered ? HTML_OL : HTML_UL);
}

void html_blocks_list_end(struct html_blocks *blocks)
{
    end_line(blocks);
    if (is_top(blocks, HTML_LI))
        pop(blocks);
    if (is_list_top(blocks))
        pop(blocks);
}

void html_blocks_item(struct html_blocks *blocks)
{
    html_blocks_item_end(blocks);
    if (!is_list_top(blocks))
        push(blocks, HTML_LOOSE);
    push(blocks, HTML_LI);
}

void html_blocks_item_end(struct html_blocks *blocks)
{
    end_line(blocks);
    if (is_top(blocks, HTML_LI))
        pop(blocks);
}

void html_blocks_finish(struct html_blocks *blocks)
{
    while (blocks->depth)
        pop(blocks);
}
