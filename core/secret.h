#pragma once
/* A text that must not be seen: wiped when done with, redacted from logs. */
#include <stdbool.h>

#include "core/error.h"

struct secret {
    char *text; /* NULL = none. Owned. */
};

/* Replace the secret with a copy of text, and have the log redact it. */
void secret_set(struct secret *secret, const char *text);

/* Read it from a file (whole content, trailing line breaks removed, at most 64 KiB). */
bool secret_read(struct secret *secret, const char *path, struct error *error) MUST_USE;

/* The text, or NULL. */
const char *secret_text(const struct secret *secret);

/* True when both are the same length and bytes, in a time that does not tell where they differ. */
bool secret_equal(const char *left, const char *right);

/* Wipe and free. Takes a zeroed struct. */
void secret_finish(struct secret *secret);
