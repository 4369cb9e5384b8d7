#pragma once
/* Scopes for tests. */
#include <string.h>

#include "collectors/scope.h"

/* The texts between commas; `texts` holds them. NULL = none. */
static inline struct option_texts scope_texts(const char *joined, const char *texts[8],
                                              char copy[200])
{
    struct option_texts list = { .texts = texts };
    char *rest = joined ? strcpy(copy, joined) : NULL;
    for (char *one; (one = strsep(&rest, ","));)
        texts[list.count++] = one;
    return list;
}

/* A scope of ids. */
static inline struct scope *scope_from(const char *include, const char *exclude)
{
    const char *texts[2][8];
    char copies[2][200];
    const struct scope_config config = {
        .include = scope_texts(include, texts[0], copies[0]),
        .exclude = scope_texts(exclude, texts[1], copies[1]),
    };
    return scope_create(&config);
}

static inline void scope_drop(struct scope **scope)
{
    scope_destroy(*scope);
}
