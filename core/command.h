#pragma once
/* Another program, run without a shell and bounded in time and output. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"

/* What it is run with. */
struct command {
    const char *const *words; /* the program, looked for in PATH, and its arguments; NULL ends */
    int64_t deadline_ms;      /* clock_monotonic_ms; it is killed then */
    bool (*goes_on)(void *context); /* false = it is killed; NULL = it is not */
    void *context;
};

/* Run it to its end with an empty input. out, said: what it writes to stdout and stderr, up to
 * their limits, beyond which it is ERROR_LIMIT. status: what it ended with, or 128 + its signal.
 * ERROR_NOT_FOUND: no such program. ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_IO. */
bool command_run(const struct command *command, struct buf *out, struct buf *said, int *status,
                 struct error *error) MUST_USE;
