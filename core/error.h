#pragma once
/* Why something did not work: a class a program can act on and a sentence a person can. */
#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"

enum error_code {
    ERROR_NONE,
    ERROR_CONFIG,     /* the operator wrote something wrong */
    ERROR_PARSE,      /* the other side sent something we cannot read */
    ERROR_LIMIT,      /* larger than we accept */
    ERROR_NETWORK,    /* no connection, or it broke */
    ERROR_TIMEOUT,    /* the deadline passed */
    ERROR_CANCELLED,  /* we were asked to stop */
    ERROR_AUTH,       /* credentials refused (401, AADSTS...) */
    ERROR_FORBIDDEN,  /* known, but not allowed (403) */
    ERROR_NOT_FOUND,  /* 404, or a provider that is not registered (409) */
    ERROR_THROTTLED,  /* 429 */
    ERROR_REQUEST,    /* any other 4xx: our request was wrong */
    ERROR_SERVER,     /* 5xx */
    ERROR_INCOMPLETE, /* an answer with a part missing: truncated, repeated, not adding up */
    ERROR_IO,         /* files, sockets, database */
    ERROR_CODE_COUNT,
};

struct error {
    enum error_code code;
    int http_status;       /* 0 = not an HTTP answer */
    int64_t retry_after_s; /* what the other side asked for; 0 = nothing */
    char message[768];     /* one line, lower case, no full stop, names the thing, never a
                              secret */
};

/* Fill *error (code, message; the other members become 0); control characters in it become blanks.
 * Always returns false. */
bool error_set(struct error *error, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Put "context: " in front of the message. Always returns false. */
bool error_wrap(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* True when the same call may work later without anybody doing something: network, timeout,
 * throttling, 5xx. The only place that decides it. */
bool error_is_transient(const struct error *error);

/* The word for logs and labels: "network", "timeout", "forbidden" ... */
const char *error_word(enum error_code code);
