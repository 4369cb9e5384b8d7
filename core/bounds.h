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
    BOUND_ID,    /* also keys: what is cut ends with a hash, so that two never become one */
    BOUND_TITLE, /* also words and names: shown in one line */
    BOUND_LONG,  /* descriptions, remediations */
    BOUND_LIST,  /* joined with ",": at most 32 items, each a word */
    BOUND_TEXT_COUNT
};

/* The number within its bounds; what is no number (NaN) is the least. */
int64_t bounds_number(enum bound_number bound, double number);
int64_t bounds_integer(enum bound_number bound, int64_t number);

/* True when a text of that many bytes is short enough to be taken as it is. */
bool bounds_fits(enum bound_text bound, size_t length);

/* Append a text, cut between characters when it is too long: "..." (U+2026) says so. */
void bounds_text(enum bound_text bound, const char *text, size_t length, struct buf *out);

/* Most items of a list; those beyond it are left out, the mark stands for them. */
enum { BOUNDS_LIST_ITEMS = 32 };
