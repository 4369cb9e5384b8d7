#pragma once
/* What the process gives up before it reads a secret, and whether the system gives it what it
 * needs. Main thread, at the start. */
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

/* Open /dev/null for each of stdin, stdout and stderr that is closed: else the database could get
 * its number, and the log would be written into it. ERROR_IO. */
bool hardening_keep_streams(struct error *error) MUST_USE;

/* No core dumps, no debugger and no reader of /proc/PID/mem but root, no rights that an executed
 * file could bring, nothing made for others than owner and group; a file that may not grow is an
 * error of its writer. debug: core dumps and debuggers stay allowed. Under a sanitizer the process
 * stays dumpable, which that needs. */
void hardening_apply(bool debug);

/* What to do about a limit. RLIM_INFINITY is the largest number there is. Pure. */
struct hardening_answer {
    uint64_t raise_to; /* the soft limit; 0 = it is enough, or cannot be raised */
    uint64_t missing;  /* of what is needed, after that */
};
struct hardening_answer hardening_judge(uint64_t soft, uint64_t hard, uint64_t needed);

/* Raise what is too low for so many connections, and say in the log what is missing all the same:
 * the limit, what it is and should be, and the line of a unit that sets it. */
void hardening_check_limits(int64_t connections);
