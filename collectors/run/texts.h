#pragma once
/* Lists of texts that outlive the configuration they were written in; they end with NULL. */
#include "core/options.h"

char **texts_copy(const struct option_texts *list);
void texts_free(char **texts); /* NULL is fine */

/* Put a copy of a list in the place of another's. */
void texts_replace(char ***texts, const struct option_texts *list);

size_t texts_count(char *const *texts);

/* Whether it is a copy of this list. */
bool texts_equal(char *const *texts, const struct option_texts *list);

/* Whether this text is one of them, in any case. */
bool texts_have(char *const *texts, const char *text);
