#pragma once
/* Whether a text is JSON to the letter, as strict readers take it: what other programs are sent is
 * held to more than what is read from them. source: RFC 8259. */
#include <stdbool.h>
#include <stddef.h>

/* True when the text is one value, nested 64 deep at most. Else *at is the byte that is wrong, the
 * length when something is missing. That texts are UTF-8 is not looked at. */
bool json_check(const char *text, size_t length, size_t *at);
