#pragma once
/* Label matchers with Alertmanager's words: name="x", name!="x", name=~"re", name!~"re", written
 * one by one or as {a="x",b=~"y|z"}. Regular expressions are POSIX extended and must match the
 * whole value; an absent label is the empty value. Pure after compiling; any thread. */
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/options.h"

enum match_operator { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct match {
    const char *name, *value;
    enum match_operator operator;
    void *pattern; /* compiled; regular expressions only */
};
struct match_list {
    struct match *matches;
    size_t count;
};

/* One label of what is matched. */
struct match_label {
    const char *name, *value;
};

/* Read one text, with or without braces, appending to the list. Texts go to the arena.
 * ERROR_CONFIG says what is wrong and where ("character 12"). Values at most 4 KiB. */
bool match_parse(const char *text, struct match_list *list, struct arena *arena,
                 struct error *error) MUST_USE;

/* Read every text of a list from the configuration. */
bool match_parse_all(const struct option_texts *texts, struct match_list *list, struct arena *arena,
                     struct error *error) MUST_USE;

/* Add one already split, as the API and the old match: maps give it. */
bool match_add(struct match_list *list, const char *name, enum match_operator operator,
               const char *value, struct arena *arena, struct error *error) MUST_USE;

/* Whether one value satisfies one matcher; value "" = absent. */
bool match_value(const struct match *match, const char *value);

/* Whether all are satisfied; an empty list always is. labels: sorted by name. */
bool match_all(const struct match_list *list, const struct match_label *labels, size_t count);

/* Append one as Alertmanager writes it: name=~"x". */
void match_print(const struct match *match, struct buf *out);

/* Free the compiled patterns; the texts are the arena's. */
void match_finish(struct match_list *list);

/* Whether a text is [a-zA-Z_][a-zA-Z0-9_]*. */
bool match_is_name(const char *text);

/* Append the up to three words nearest to a mistyped one: "; did you mean a, b?". Nothing when none
 * is near. words: NULL-terminated. */
void match_near(const char *word, const char *const *words, struct buf *out);
