#pragma once
/* When something comes again: at a time of day, on days of the week and of the month, by the
 * calendar and the clocks of a place. Pure after compiling; any thread. */
#include <stdbool.h>
#include <stdint.h>

#include "core/options.h"

struct schedule;

/* As written; rows of a section `schedule`. */
struct schedule_config {
    struct option_texts weekdays, days_of_month, months; /* as of time intervals; none = every */
    const char *time, *location;                         /* "08:00"; IANA name, NULL = UTC */
    int time_line, location_line;
};
extern const struct option schedule_options[];

/* Compile it; it lives in the arena. Every mistake is a line of the report. NULL when there is
 * any. */
const struct schedule *schedule_compile(const struct schedule_config *config, const char *file,
                                        struct arena *arena,
                                        struct option_report *report) MUST_USE;

/* The first time after an instant. Where clocks are put forward over it, it is the moment they are;
 * of a time that comes twice, because they are put back, the first counts. */
int64_t schedule_next_at(const struct schedule *schedule, int64_t at);

/* So long before: whole days by the calendar of the place, at the same time of day. */
int64_t schedule_before(const struct schedule *schedule, int64_t at, int64_t span_s);
