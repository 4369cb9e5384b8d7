#pragma once
/* Named time intervals in Alertmanager's syntax: times, weekdays, days_of_month (negative counts
 * from the end), months, years, location. Pure; any thread. */
#include <stdbool.h>
#include <stdint.h>

#include "core/options.h"

struct interval; /* one name, compiled */

/* As written; rows for the section `time_intervals`. */
struct interval_time_config {
    const char *start_time, *end_time; /* "09:00", "24:00" */
};
struct interval_range_config {
    struct option_items times; /* struct interval_time_config */
    struct option_texts weekdays, days_of_month, months, years;
    const char *location; /* IANA name; NULL = UTC */
    int line;
};
struct interval_config {
    const char *name;
    struct option_items time_intervals; /* struct interval_range_config */
    int line;
};
extern const struct option interval_options[]; /* of struct interval_config */

/* Compile one; it lives in the arena. Every mistake is a line of the report. */
const struct interval *interval_compile(const struct interval_config *config, const char *file,
                                        struct arena *arena, struct option_report *report);

const char *interval_name(const struct interval *interval);
bool interval_contains(const struct interval *interval, int64_t at);

/* The first instant after `at` where the answer changes, at most eight days ahead. */
int64_t interval_next_at(const struct interval *interval, int64_t at);

/* The one of this name in a NULL-terminated list, or NULL. */
const struct interval *interval_find(const struct interval *const *intervals, const char *name);
