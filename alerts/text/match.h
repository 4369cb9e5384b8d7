#pragma once
/* Label matchers with Alertmanager's words: name="x", name!="x", name=~"re", name!~"re", written
 * one by one or as {a="x",b=~"y|z"}; names of other letters are quoted. Regular expressions are
 * RE2's and must match the whole value; an absent label is the empty value. Pure after compiling;
 * any thread.
 *
 * A regular expression that meets a limit has no answer. Then whoever asks does what notifies:
 *   silences, inhibition, maintenance      match_surely: not muted
 *   rules, routes                          match_maybe: fires, is routed
 *   filters of the API                     match_ask: the request fails */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/options.h"

enum match_operator { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };
enum match_answer { MATCH_NO, MATCH_YES, MATCH_LIMIT };

/* Of one list: matchers, bytes of all their values, bytes of all that is compiled. */
enum {
    MATCH_COUNT_MAX = 256,
    MATCH_VALUE_BYTES_MAX = 4096,
    MATCH_BYTES_MAX = 64 * 1024,
    MATCH_COMPILED_BYTES_MAX = 512 * 1024,
};

struct match_pattern;

struct match {
    const char *name, *value;
    enum match_operator operator;
    struct match_pattern *pattern; /* regular expressions only */
};
struct match_list {
    struct match *matches;
    size_t count;
};

/* One label of what is matched. */
struct match_label {
    const char *name, *value;
};

/* The processor time that regular expressions may still take: a busy machine spends none of it.
 * NULL where one is asked for = any. */
struct match_budget {
    int64_t left_us;
};

/* Read one text, with or without braces, appending to the list. Texts go to the arena.
 * ERROR_CONFIG says what is wrong and where ("character 12"). */
bool match_parse(const char *text, struct match_list *list, struct arena *arena,
                 struct error *error) MUST_USE;

/* Read every text of a list from the configuration. */
bool match_parse_all(const struct option_texts *texts, struct match_list *list, struct arena *arena,
                     struct error *error) MUST_USE;

/* Add one already split, as the API and the old match: maps give it. */
bool match_add(struct match_list *list, const char *name, enum match_operator operator,
               const char * value, struct arena *arena, struct error *error) MUST_USE;

/* Whether one value satisfies one matcher; value "" = absent. */
enum match_answer match_value(const struct match *match, const char *value,
                              struct match_budget *budget);

/* Whether all are satisfied; an empty list always is. MATCH_LIMIT: none says no, and one has no
 * answer, or the budget is spent. labels: sorted by name. */
enum match_answer match_ask(const struct match_list *list, const struct match_label *labels,
                            size_t count, struct match_budget *budget);

/* The same without a budget, for who wants to know whether it is certain, or possible. */
bool match_surely(const struct match_list *list, const struct match_label *labels, size_t count);
bool match_maybe(const struct match_list *list, const struct match_label *labels, size_t count);

/* How many matchers of the list have met a limit since they were compiled. *news: one that did for
 * the first time since the last call, or NULL. Any thread. */
size_t match_limited(const struct match_list *list, const struct match **news);

/* Bytes of the compiled expressions of the list. */
size_t match_compiled_bytes(const struct match_list *list);

/* Whether the list has a regular expression. */
bool match_has_pattern(const struct match_list *list);

/* Who has matchers shows them by it. name: of the rule, the silence, the route. */
typedef void match_visit(void *context, const char *name, const struct match_list *list);

/* Append one as Alertmanager writes it: name=~"x". */
void match_print(const struct match *match, struct buf *out);

/* Free the compiled patterns; the texts are the arena's. */
void match_finish(struct match_list *list);

/* Whether a text is [a-zA-Z_][a-zA-Z0-9_]*. */
bool match_is_name(const char *text);

/* Whether a label is one of these; else say so, with the near names. known: ends with NULL; NULL =
 * every name is. ERROR_CONFIG. */
bool match_known(const char *name, const char *const *known, struct error *error) MUST_USE;

/* The same of all labels a list names. */
bool match_all_known(const struct match_list *list, const char *const *known,
                     struct error *error) MUST_USE;
