#pragma once
/* What html.c reads, written as text, Markdown or clean HTML. What is owed before the next visible
 * character (line breaks, list markers, marks of emphasis) is kept and written only when one comes,
 * so that nothing ends in blanks and no mark is empty. */
#include <stdbool.h>
#include <stdint.h>

#include "alerts/text/html.h"
#include "alerts/text/html_blocks.h"

enum { HTML_LISTS_MAX = 32 };

/* Where a list stands that is being written. */
struct html_list {
    bool ordered;
    unsigned number, items;
    size_t indent; /* of what belongs to its items */
};

enum html_capture { HTML_NO_CODE, HTML_CODE, HTML_PRE };

/* Caller's memory; html_write_init, html_write_finish. */
struct html_writer {
    struct buf *out;
    size_t start;                               /* of our own text in out */
    bool markdown, tags;                        /* neither: text */
    unsigned newlines;                          /* owed: 1 = next line, 2 = next paragraph */
    bool space;                                 /* owed */
    bool line_start;                            /* nothing but indent and marker on this line */
    char marker[16];                            /* of a list item, owed; "" = none */
    struct html_list lists[HTML_LISTS_MAX + 1]; /* [0] is no list */
    unsigned depth, deeper;                     /* deeper: lists opened beyond the limit */
    struct html_blocks blocks;                  /* of tags */
    unsigned bold, italic, heading;             /* wanted, nested */
    bool is_bold, is_italic;                    /* open in out */
    enum html_capture capture;
    struct buf code; /* while capturing */
    bool in_link, link_open;
    struct buf link;   /* its address */
    size_t link_start; /* of its text in out */
};

void html_write_init(struct html_writer *writer, enum html_form form, struct buf *out);

/* Close what is open and give the memory back; out stays the caller's. */
void html_write_finish(struct html_writer *writer);

/* One code point; blanks collapse, controls and marks of direction are dropped. */
void html_write_point(struct html_writer *writer, uint32_t point);

/* The next character begins a new line (1) or paragraph (2). */
void html_write_lines(struct html_writer *writer, unsigned newlines);

/* One more or one less of bold or italic. */
void html_write_nest(unsigned *wanted, bool closing);

/* A heading begins or ends. */
void html_write_heading(struct html_writer *writer, bool closing);

/* What is written from here to the end is code. */
void html_write_code(struct html_writer *writer, enum html_capture capture);
void html_write_code_end(struct html_writer *writer);

/* What is written from here to the end leads to this address, which needs no escaping. */
void html_write_link(struct html_writer *writer, const char *address);
void html_write_link_end(struct html_writer *writer);

void html_write_list(struct html_writer *writer, bool ordered);
void html_write_list_end(struct html_writer *writer);
void html_write_item(struct html_writer *writer);
void html_write_item_end(struct html_writer *writer);
