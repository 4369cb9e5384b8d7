#pragma once
/* UTF-8, one character at a time (RFC 3629). */
#include <stdbool.h>
#include <stddef.h>

/* What stands for bytes that are no character: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* What some servers and editors put before a text; it is none of it. */
#define UTF8_BYTE_ORDER_MARK "\xef\xbb\xbf"

/* The bytes of a byte order mark at the start of a text, 0 when there is none. */
size_t utf8_mark_length(const char *text, size_t length);

/* Bytes of the character at text, 0 when there is none: overlong forms, surrogates, values past
 * U+10FFFF and cut sequences are none. left: bytes that may be read; for text that ends with NUL
 * any number from 4 on. */
size_t utf8_length(const char *text, size_t left);

/* How many bytes from here on are printable ASCII but quotes and backslashes: what JSON, and other
 * quoted texts, take as it is. */
size_t utf8_plain_length(const char *text, size_t length);

/* Whether each byte is a character. */
bool utf8_is_ascii(const char *text, size_t length);

/* Copy length bytes, capital letters of ASCII as small ones. No NUL is added. */
void utf8_lower_ascii(char *out, const char *text, size_t length);
