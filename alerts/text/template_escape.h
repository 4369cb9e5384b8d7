#pragma once
/* What values of a template become before they stand in a text of a certain markup, and how such a
 * text is cut. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

enum template_escape {
    TEMPLATE_ESCAPE_PLAIN,
    TEMPLATE_ESCAPE_MARKDOWN, /* nobody who names a resource formats, links or mentions */
    TEMPLATE_ESCAPE_HTML,     /* line breaks are <br> */
};
extern const char *const template_escape_words[];

void template_escape_markup(enum template_escape markup, const char *text, struct buf *out);

/* The most bytes that one byte of text takes when it is escaped. */
enum { TEMPLATE_ESCAPE_UNIT_BYTES = 12 };

/* Cut what stands in out from `start` on to so many bytes of text, the last of it an ellipsis.
 * json: it is escaped, and an escape is what it stands for. No character, escape or entity is
 * split. */
void template_escape_cut(struct buf *out, size_t start, size_t most, bool json);
