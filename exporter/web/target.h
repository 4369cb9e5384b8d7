#pragma once
/* What stands between method and version in the first line of a request: a path and parameters,
 * or a URL. source: RFC 9112, section 3.2. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

enum { TARGET_QUERIES_MAX = 128 };

struct web_pair {
    const char *name, *value; /* never NULL in a request; name NULL ends a response's headers */
};

struct target {
    int status;               /* 0 = it is well-formed; else 400 or 431, and nothing follows */
    const char *path;         /* decoded */
    const char *authority;    /* the host of a URL, undecoded; NULL = it is a path */
    struct web_pair *queries; /* query_count of them, decoded, in their order */
    size_t query_count;
};

/* Read it; everything is in the arena. 400: it is neither a path nor a URL, has a character that
 * must be escaped, or a NUL. 431: more than TARGET_QUERIES_MAX parameters. */
void target_read(const char *text, struct arena *arena, struct target *target);

/* Read "a=1&b=2" as a form sends it: *count pairs, decoded, at most TARGET_QUERIES_MAX of them. */
struct web_pair *target_form(const char *text, struct arena *arena, size_t *count);
