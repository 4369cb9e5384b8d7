#pragma once
/* Rows of the database that could not be read: each is named in the log once, counted, and never
 * ends what was being done. Belongs to one database handle, and to its thread. */
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

enum unreadable_table { UNREADABLE_ALERT, UNREADABLE_GROUP, UNREADABLE_SILENCE, UNREADABLE_COUNT };
extern const char *const unreadable_words[]; /* the tables' names */

struct unreadable;

/* tells: whether to log; handles of single requests do not. */
struct unreadable *unreadable_create(bool tells);
void unreadable_destroy(struct unreadable *unreadable);

/* Note a row by its key, with the reason. */
void unreadable_note(struct unreadable *unreadable, enum unreadable_table table, const char *key,
                     const struct error *reason);

/* How many rows of a table were noted; at most 1,000 in all. */
size_t unreadable_count(const struct unreadable *unreadable, enum unreadable_table table);
