#pragma once
/* Catalogue HTML made readable: lists, links, emphasis and code kept, scripts, styles, comments and
 * unknown tags gone, entities decoded. Never fails: what is no HTML is text. Linear in the input;
 * input is cut at 256 KiB, nesting at 32. Pure. */
#include <stddef.h>

#include "core/buf.h"

enum html_form {
    HTML_TO_TEXT,     /* "1. Open ...", "- ...", "name (https://...)" */
    HTML_TO_MARKDOWN, /* "1. ", "- ", "[name](https://...)", `code`, **bold**; the rest escaped */
    HTML_TO_CLEAN,    /* HTML of p, h3, ul, ol, li, pre, code, strong, em and a with href alone */
};

/* Append html in the form wanted. What is clean can stand within any element of a page. Only http
 * and https links are kept as links. */
void html_convert(const char *html, size_t length, enum html_form form, struct buf *out);
