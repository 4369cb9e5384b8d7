#pragma once
/* Words near a mistyped one. Pure. */
#include "core/buf.h"

/* Letters to insert, remove or replace to make one word of the other (Levenshtein); words too long
 * to be typed are far away. */
size_t near_edits(const char *left, const char *right);

/* Append the up to three words nearest to a mistyped one: "; did you mean a, b?". Nothing when none
 * is near. words: NULL-terminated. */
void near_append(const char *word, const char *const *words, struct buf *out);
