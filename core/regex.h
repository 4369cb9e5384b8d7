#pragma once
/* Regular expressions in RE2's syntax that cost a bounded amount of time and memory, whatever the
 * pattern and the text. Compiled once, asked by any thread. */
#include <stddef.h>

#include "core/error.h"

enum { REGEX_PATTERN_BYTES_MAX = 4096 };

/* REGEX_LIMIT: the answer would take too many steps or too much memory; nobody knows it. */
enum regex_answer { REGEX_NO, REGEX_YES, REGEX_LIMIT };

struct regex;

/* Compile a pattern that has to match the whole text. NULL and ERROR_CONFIG when RE2 would refuse
 * it, or when it needs more than the limits give. */
struct regex *regex_create(const char *pattern, struct error *error) MUST_USE;
void regex_destroy(struct regex *regex); /* NULL is fine */

/* Bytes of the compiled form; at most 64 KiB. */
size_t regex_bytes(const struct regex *regex);

/* Whether the whole text matches; bytes that are no UTF-8 stand for U+FFFD. */
enum regex_answer regex_match(const struct regex *regex, const char *text);
