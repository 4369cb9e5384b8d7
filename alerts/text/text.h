#pragma once
/* Cutting text for receivers with limits: whole code points, an ellipsis that says so, never more
 * than asked. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/* Append at most max_points code points of text; true when it was cut (the last one is then an
 * ellipsis). Bytes that are no UTF-8 become U+FFFD. */
bool text_cut(struct buf *out, const char *text, size_t max_points);

/* The same, but cut between words in the middle, where words allow: "Storage… network access". */
bool text_cut_middle(struct buf *out, const char *text, size_t max_points);

/* The same as text_cut with a limit in UTF-8 bytes. */
bool text_cut_bytes(struct buf *out, const char *text, size_t max_bytes);

/* Append a text of which no client makes a link: "https[:]//evil.example", "www[.]evil.example".
 * For names that somebody in the tenant chose. */
void text_unlink(struct buf *out, const char *text);

/* Number of code points. */
size_t text_points(const char *text);

/* The code point that at most length bytes begin with, and how many of them it takes; bytes that
 * are no UTF-8 give U+FFFD and take one. length: at least 1. */
enum { TEXT_REPLACEMENT = 0xfffd };
uint32_t text_decode(const char *text, size_t length, size_t *used);

/* Append a code point as UTF-8. */
void text_encode(struct buf *out, uint32_t point);

/* Append "3 d 4 h" for people, two units at most. */
void text_age(struct buf *out, int64_t seconds);

/* Append about so long, one unit: "3 d", "5 h". */
void text_about(struct buf *out, int64_t seconds);

/* Append "2026-11-12 04:10 UTC, 13 d ago", or "in 2 d"; now 0 = without the distance. */
void text_instant(struct buf *out, int64_t at, int64_t now);

/* Append when something is due: "2026-11-12 04:10 UTC, in 2 d", or "..., overdue 3 d". */
void text_due(struct buf *out, int64_t due_at, int64_t now);

/* Append a word of Azure as people write it: accountBreach is account breach; what has blanks stays
 * as it is. */
void text_words(struct buf *out, const char *word);
