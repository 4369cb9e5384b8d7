#pragma once
/* How large what Azure says may become: one table. A number beyond its bound becomes the bound, a
 * text is cut and marked; both where they are read, so that nobody behind asks again. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

enum bound_number {
    BOUND_RETRY_AFTER_S,  /* a server that says "in ten years" is asked again */
    BOUND_RESETS_AFTER_S, /* of a quota */
    BOUND_QUOTA,          /* requests that are left */
    BOUND_TOKEN_LIFE_S,
    BOUND_TOTAL,   /* rows there are, rows of a page */
    BOUND_INSTANT, /* Unix seconds; 0 = unknown */
    BOUND_INTEGER, /* any other, exact as a double */
    BOUND_NUMBER_COUNT
};

enum bound_text {
    BOUND_TITLE, /* titles, names, words: shown in one line */
    BOUND_ID,    /* also keys: what is cut ends with a hash, so that two never become one */
    BOUND_LONG,  /* descriptions, remediations: of several lines */
    BOUND_LIST,  /* joined with ",", for people: at most 32 items */
    BOUND_IDS,   /* joined with ",", for us */
    BOUND_TEXT_COUNT
};

/* The number within its bounds; what is no number (NaN) is the least. */
int64_t bounds_number(enum bound_number bound, double number);
int64_t bounds_integer(enum bound_number bound, int64_t number);

/* True when a text may be taken as it is: short enough, and every character can be seen. */
bool bounds_fits(enum bound_text bound, const char *text, size_t length);

/* Append a text within its bound. Control characters, zero-width ones and those that turn the
 * direction of what follows become visible: "\u202e"; a byte that is no UTF-8 becomes U+FFFD. What
 * is too long is cut between characters; an ellipsis (U+2026) says so. */
void bounds_text(enum bound_text bound, const char *text, size_t length, struct buf *out);
