#pragma once
/* Odd rows: rows of an answer that cannot be read as they should. The others are published; an odd
 * one is counted here and named once, and nothing is concluded from what it may have said. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum odd_reason {
    ODD_NONE,    /* the row is as it should be */
    ODD_MISSING, /* what identifies it, whose it is or how it stands is absent or null */
    ODD_TYPE,    /* a value, or the row itself, has a type that cannot be read */
    ODD_TIME,    /* an instant that is none */
    ODD_WORD,    /* a word nobody has documented, where it decides */
    ODD_TEXT,    /* a text that is none: shown with U+FFFD, the row counts all the same */
    ODD_TWICE,   /* its id came before: equal rows count once, of others the worse holds */
    ODD_REASON_COUNT
};

/* The words of the label, in the order of the enum, NULL-terminated; "" for ODD_NONE. */
extern const char *const odd_words[];

enum { ODD_NAME_BYTES = 320 };

/* Those of one run. Zeroed is none. */
struct odd_rows {
    size_t counts[ODD_REASON_COUNT];
    uint64_t digest;            /* the same for the same rows, in whatever order they came */
    char first[ODD_NAME_BYTES]; /* which, and why */
};

/* Count one. id: "" when it has none. why: a sentence. */
void odd_add(struct odd_rows *rows, enum odd_reason reason, const char *id, const char *why);

size_t odd_count(const struct odd_rows *rows);
