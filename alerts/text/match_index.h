#pragma once
/* Many lists of matchers, indexed by one equality matcher of each: asked for the first that labels
 * satisfy, only those are looked at whose equality matcher they have, and those without one. The
 * answer is that of asking one after the other. Immutable; any thread. */
#include "alerts/text/match.h"

struct match_index;

/* lists: borrowed as long as the index lives. */
struct match_index *match_index_create(const struct match_list *const *lists, size_t count);
void match_index_destroy(struct match_index *index); /* NULL is fine */

/* Whether a list counts, by its place. */
typedef bool match_index_wanted(const void *context, size_t place);

#define MATCH_INDEX_NONE SIZE_MAX

/* The place of the first list that is wanted and that these labels surely satisfy, or
 * MATCH_INDEX_NONE. labels: sorted by name. With the budget spent, lists with regular expressions
 * are satisfied by nothing. */
size_t match_index_find(const struct match_index *index, const struct match_label *labels,
                        size_t count, match_index_wanted *wanted, const void *context,
                        struct match_budget *budget);
