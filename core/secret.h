#pragma once
/* A text that must not be seen: wiped when done with, redacted from logs. Read and refreshed by any
 * thread; set and finished by its owner alone. */
#include <stdbool.h>

#include "core/error.h"

struct secret {
    char *text;              /* NULL = none. Owned. */
    char *file;              /* where it was read; NULL = nowhere. Owned. */
    struct secret_old *olds; /* texts that were replaced while others may have read them */
};

/* Replace the secret with a copy of text, and have the log redact it. A byte order mark and white
 * space around it are no part of a secret: editors and `echo` leave them. */
void secret_set(struct secret *secret, const char *text);

/* Read it from a file (the whole content, at most 64 KiB) and remember which. */
bool secret_read(struct secret *secret, const char *path, struct error *error) MUST_USE;

/* Read its file again, because it was refused or may have been replaced. True when the text is
 * another than before; what cannot be read is logged and changes nothing. */
bool secret_refresh(struct secret *secret);

/* The text, or NULL. Valid until the secret is set, read or finished; also after secret_refresh. */
const char *secret_text(const struct secret *secret);

/* True when both are the same length and bytes, in a time that does not tell where they differ. */
bool secret_equal(const char *left, const char *right);

/* Wipe and free. Takes a zeroed struct. */
void secret_finish(struct secret *secret);
