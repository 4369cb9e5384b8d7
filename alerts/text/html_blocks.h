#pragma once
/* The blocks of clean HTML: p, h3, ul, ol, li. They are opened when a text comes, so that none is
 * empty, and closed in order, so that none is left open or stands where it may not. */
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

enum html_block { HTML_P, HTML_H3, HTML_UL, HTML_OL, HTML_LOOSE, HTML_LI };

/* Lists within lists are limited by the caller; zeroed, with out set, it is ready to use. */
enum { HTML_BLOCKS_MAX = 72 };
struct html_blocks {
    struct buf *out;
    uint8_t open[HTML_BLOCKS_MAX]; /* enum html_block, outermost first */
    bool filled[HTML_BLOCKS_MAX];  /* there is something in it */
    unsigned depth, written;       /* of them written */
};

/* Text follows: open what it needs. new_line: it begins a line. Returns whether it is the first of
 * its block. */
bool html_blocks_text(struct html_blocks *blocks, bool new_line, bool heading);

/* A block of its own follows, in no paragraph. */
void html_blocks_own(struct html_blocks *blocks);

void html_blocks_list(struct html_blocks *blocks, bool ordered);
void html_blocks_list_end(struct html_blocks *blocks);
void html_blocks_item(struct html_blocks *blocks); /* also one that is in no list */
void html_blocks_item_end(struct html_blocks *blocks);
void html_blocks_finish(struct html_blocks *blocks);
