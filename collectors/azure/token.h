#pragma once
/* The answer of a token endpoint, of any of them: the token and how long it lives. */
#include "core/buf.h"
#include "core/error.h"
#include "core/secret.h"

/* Used so long when the answer says no life time that can be read, or one that is over by our
 * clock, which may be wrong. Azure refuses a token that is. */
enum { TOKEN_SHORT_LIFE_S = 300 };

/* Read an answer with status 200. now: Unix seconds. ERROR_PARSE. */
bool token_read(const struct buf *body, int64_t now, struct secret *token, int64_t *life_s,
                struct error *error) MUST_USE;
