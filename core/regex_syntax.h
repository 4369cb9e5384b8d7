#pragma once
/* The regular expressions Alertmanager's users write (RE2), put into words PCRE2 takes for the
 * same. Everything RE2 refuses is refused: look-around, back references, possessive and stacked
 * repeats, verbs, unknown escapes, more than 1,000 repeats. Pure; any thread. */
#include "core/buf.h"
#include "core/error.h"

/* Append the pattern as PCRE2 reads it, with PCRE2_UTF and PCRE2_DOLLAR_ENDONLY. ERROR_CONFIG says
 * what is wrong, as RE2 would. source: Go's regexp/syntax, whose expressions Alertmanager takes. */
bool regex_syntax_translate(const char *pattern, struct buf *out, struct error *error) MUST_USE;
