#pragma once
/* One value of a configuration: from its text to a typed member, within its range. */
#include "core/options.h"

/* Set *value, a member of the row's type (any but section, items, named, map), from text.
 * A list is split at commas. folder: relative paths resolve against it; "" = leave them.
 * The error's message is the reason alone and never holds the text of a secret or URL. */
bool options_value_set(const struct option *option, const char *text, const char *folder,
                       void *value, struct arena *arena, struct error *error) MUST_USE;

/* True when the row has no words or the text is one of them. */
bool options_value_word(const struct option *option, const char *text, int *index,
                        struct error *error) MUST_USE;

/* A file name, relative ones below folder. In arena. */
const char *options_value_path(const char *text, const char *folder, struct arena *arena);

/* Append the row's range, "between 1s and 1d" or "at least 1"; false when it has none. */
bool options_value_range(const struct option *option, struct buf *out);
