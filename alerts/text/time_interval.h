#pragma once
/* Named time intervals in Alertmanager's syntax: times, weekdays, days_of_month (negative counts
 * from the end), months, years, location. Pure; any thread. */
#include <stdbool.h>
#include <stdint.h>

#include "core/options.h"

struct time_interval; /* one name, compiled */

/* As written; rows for the section `time_intervals`. */
struct time_interval_time_config {
    const char *start_time, *end_time; /* "09:00", "24:00" */
    int start_line, end_line;
};
struct time_interval_range_config {
    struct option_items times; /* struct time_interval_time_config */
    struct option_texts weekdays, days_of_month, months, years;
    const char *location; /* IANA name; NULL = UTC */
    int location_line;
};
struct time_interval_config {
    const char *name;
    struct option_items time_intervals; /* struct time_interval_range_config */
    int line;
};
extern const struct option time_interval_options[]; /* of struct time_interval_config */

/* Compile one; it lives in the arena. Every mistake is a line of the report. */
const struct time_interval *time_interval_compile(const struct time_interval_config *config,
                                                  const char *file, struct arena *arena,
                                                  struct option_report *report);

/* Minutes since midnight of "09:00"; "24:00" is the end of the day. False when it is none. */
bool time_interval_minute(const char *text, int *minute) MUST_USE;

const char *time_interval_name(const struct time_interval *interval);
bool time_interval_contains(const struct time_interval *interval, int64_t at);

/* The first instant after `at` where the answer changes, at most eight days ahead. */
int64_t time_interval_next_at(const struct time_interval *interval, int64_t at);

/* The one of this name in a NULL-terminated list, or NULL. */
const struct time_interval *time_interval_find(const struct time_interval *const *intervals,
                                               const char *name);
