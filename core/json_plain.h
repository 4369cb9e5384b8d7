#pragma once
/* Plain JSON, as nearly all of it is, read in one pass over a copy in which texts end where they
 * stand. What it takes is the tree that cJSON makes of the same bytes; beside json.c the only file
 * that names cJSON. */
#include <cjson/cJSON.h>

#include "core/arena.h"

/* The value at *at, its nodes in the arena, its texts in the copy, which is changed; *at is moved
 * behind it. end: of the copy, a NUL stands there. NULL when it is not plain (control characters,
 * escapes of no character, deep nesting, mistakes) or does not end: it is left to the library,
 * which says what is wrong. */
cJSON *json_plain_value(struct arena *arena, char **at, const char *end);
