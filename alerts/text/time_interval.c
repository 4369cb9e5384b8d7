/* Ranges of minutes, days, months and years, read once, asked by the calendar of their place.
 * source: Alertmanager configuration documentation, time_interval. */
#include "alerts/text/time_interval.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "alerts/text/time_zone.h"

enum { DAY_S = 86400, QUARTER_S = 900, AHEAD_S = 8 * DAY_S };

/* Both ends belong to it; of `times` in minutes the end does not. */
struct span {
    int begin, end;
};
enum field { TIMES, WEEKDAYS, DAYS, MONTHS, YEARS, FIELD_COUNT };
struct range {
    struct span *spans[FIELD_COUNT]; /* span_counts of them; none = any */
    size_t span_counts[FIELD_COUNT];
    const struct time_zone *zone;
};
struct time_interval {
    const char *name;
    struct range *ranges;
    size_t count;
};

/* clang-format off */
static const struct option time_options[] = {
    { "start_time", OPTION_TEXT(struct time_interval_time_config, start_time),
      OPTION_LINE(struct time_interval_time_config, start_line),
      .required = true, .help = "HH:MM." },
    { "end_time", OPTION_TEXT(struct time_interval_time_config, end_time),
      OPTION_LINE(struct time_interval_time_config, end_line),
      .required = true, .help = "HH:MM, not included; 24:00 is the end of the day." },
    { 0 }
};
static const struct option range_options[] = {
    { "times", OPTION_ITEMS(struct time_interval_range_config, times,
                            struct time_interval_time_config), .section = time_options,
      .help = "Times of day." },
    { "weekdays", OPTION_TEXT_LIST(struct time_interval_range_config, weekdays),
      .help = "Such as 'monday:friday'." },
    { "days_of_month", OPTION_TEXT_LIST(struct time_interval_range_config, days_of_month),
      .help = "Such as '1:5'; -1 is the last day." },
    { "months", OPTION_TEXT_LIST(struct time_interval_range_config, months),
      .help = "Such as 'january:march' or '12'." },
    { "years", OPTION_TEXT_LIST(struct time_interval_range_config, years),
      .help = "Such as '2026:2027'." },
    { "location", OPTION_TEXT(struct time_interval_range_config, location),
      OPTION_LINE(struct time_interval_range_config, location_line),
      .help = "Time zone such as Europe/Berlin; UTC." },
    { 0 }
};
const struct option time_interval_options[] = {
    { "name", OPTION_TEXT(struct time_interval_config, name), .required = true,
      OPTION_LINE(struct time_interval_config, line),
      .help = "Name, for routes and maintenance windows." },
    { "time_intervals", OPTION_ITEMS(struct time_interval_config, time_intervals,
                                     struct time_interval_range_config), .section = range_options,
      .required = true, .help = "Ranges; inside one of them is inside." },
    { 0 }
};

static const char *const weekday_words[] = { "sunday", "monday", "tuesday", "wednesday",
                                             "thursday", "friday", "saturday", NULL };
static const char *const month_words[] = { "january", "february", "march", "april", "may", "june",
                                           "july", "august", "september", "october", "november",
                                           "december", NULL };

/* What the parts of a range may be: words (the first is number `first`), or numbers. */
static const struct {
    const char *key;
    const char *const *words;
    int first, least, most;
    bool numbers;
} fields[FIELD_COUNT] = {
    [TIMES]    = { "times",         NULL,          0, 0,   24 * 60, false },
    [WEEKDAYS] = { "weekdays",      weekday_words, 0, 0,   6,       false },
    [DAYS]     = { "days_of_month", NULL,          0, -31, 31,      true },
    [MONTHS]   = { "months",        month_words,   1, 1,   12,      true },
    [YEARS]    = { "years",         NULL,          0, 1,   9999,    true },
};
/* clang-format on */

/* --- compiling -------------------------------------------------------------------------------- */

struct compiler {
    const char *file;
    struct arena *arena;
    struct option_report *report;
};

static void complain(const struct compiler *compiler, int line, const char *key, const char *text,
                     const char *reason)
{
    options_complain(compiler->report, compiler->file, line, key, "\"%s\": %s", text, reason);
}

static bool read_part(enum field field, const char *text, int *value)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (fields[field].numbers && end != text && !*end) {
        *value = (int)number;
        return number >= fields[field].least && number <= fields[field].most && number;
    }
    const char *const *words = fields[field].words;
    for (int i = 0; words && words[i]; i++) {
        if (!strcasecmp(words[i], text)) {
            *value = i + fields[field].first;
            return true;
        }
    }
    return false;
}

/* Negative days count from the end of a month: compared as in a month of 30 days. */
static bool is_ordered(enum field field, struct span span)
{
    if (field != DAYS)
        return span.begin <= span.end;
    if (span.begin < 0 && span.end > 0)
        return false;
    return (span.begin < 0 ? 30 + span.begin : span.begin) <=
           (span.end < 0 ? 30 + span.end : span.end);
}

static void read_spans(const struct compiler *compiler, enum field field,
                       const struct option_texts *texts, struct range *range)
{
    range->spans[field] = arena_alloc(compiler->arena, (texts->count + 1) * sizeof(struct span));
    for (size_t i = 0; i < texts->count; i++) {
        struct span span;
        const char *colon = strchr(texts->texts[i], ':');
        size_t length = colon ? (size_t)(colon - texts->texts[i]) : strlen(texts->texts[i]);
        const char *first = arena_copy(compiler->arena, texts->texts[i], length);
        const char *last = colon ? colon + 1 : first;
        if (!read_part(field, first, &span.begin) || !read_part(field, last, &span.end))
            complain(compiler, options_line(texts, i), fields[field].key, texts->texts[i],
                     "is not one of them");
        else if (!is_ordered(field, span))
            complain(compiler, options_line(texts, i), fields[field].key, texts->texts[i],
                     "ends before it begins");
        else
            range->spans[field][range->span_counts[field]++] = span;
    }
}

bool time_interval_minute(const char *text, int *minute)
{
    static const char shape[] = "00:00";
    if (strlen(text) != strlen(shape))
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != ':')
            return false;
    int hours = atoi(text), minutes = atoi(text + 3);
    *minute = hours * 60 + minutes;
    return minutes < 60 && *minute <= fields[TIMES].most;
}

static void read_times(const struct compiler *compiler, const struct option_items *times,
                       struct range *range)
{
    const struct time_interval_time_config *config = times->items;
    range->spans[TIMES] = arena_alloc(compiler->arena, (times->count + 1) * sizeof(struct span));
    for (size_t i = 0; i < times->count; i++) {
        const char *start = config[i].start_time, *end = config[i].end_time;
        struct span span;
        if (!start || !end)
            continue; /* in the report already */
        if (!time_interval_minute(start, &span.begin))
            complain(compiler, config[i].start_line, "start_time", start,
                     "is no time of day such as 09:00");
        else if (!time_interval_minute(end, &span.end))
            complain(compiler, config[i].end_line, "end_time", end,
                     "is no time of day such as 17:30");
        else if (span.begin >= span.end)
            complain(compiler, config[i].start_line, "start_time", start, "must be before the end");
        else
            range->spans[TIMES][range->span_counts[TIMES]++] = span;
    }
}

static void compile_range(const struct compiler *compiler,
                          const struct time_interval_range_config *config, struct range *range)
{
    struct error error;
    read_times(compiler, &config->times, range);
    read_spans(compiler, WEEKDAYS, &config->weekdays, range);
    read_spans(compiler, DAYS, &config->days_of_month, range);
    read_spans(compiler, MONTHS, &config->months, range);
    read_spans(compiler, YEARS, &config->years, range);
    range->zone =
        time_zone_load(config->location ? config->location : "UTC", compiler->arena, &error);
    if (!range->zone)
        complain(compiler, config->location_line, "location", config->location, error.message);
}

const struct time_interval *time_interval_compile(const struct time_interval_config *config,
                                                  const char *file, struct arena *arena,
                                                  struct option_report *report)
{
    const struct compiler compiler = { file, arena, report };
    const struct time_interval_range_config *ranges = config->time_intervals.items;
    struct time_interval *interval = arena_zalloc(arena, sizeof *interval);
    interval->name = config->name ? config->name : "";
    interval->count = config->time_intervals.count;
    interval->ranges = arena_zalloc(arena, (interval->count + 1) * sizeof *interval->ranges);
    for (size_t i = 0; i < interval->count; i++)
        compile_range(&compiler, &ranges[i], &interval->ranges[i]);
    return interval;
}

/* --- asking ----------------------------------------------------------------------------------- */

const char *time_interval_name(const struct time_interval *interval)
{
    return interval->name;
}

const struct time_interval *time_interval_find(const struct time_interval *const *intervals,
                                               const char *name)
{
    for (; intervals && *intervals; intervals++)
        if (!strcmp((*intervals)->name, name))
            return *intervals;
    return NULL;
}

static struct tm civil(int64_t local)
{
    time_t seconds = (time_t)local;
    struct tm out;
    gmtime_r(&seconds, &out);
    return out;
}

static int days_in_month(const struct tm *day)
{
    struct tm last = { .tm_year = day->tm_year, .tm_mon = day->tm_mon + 1, .tm_mday = 0 };
    timegm(&last);
    return last.tm_mday;
}

static bool range_covers(const struct range *range, enum field field, int value, int month_days)
{
    for (size_t i = 0; i < range->span_counts[field]; i++) {
        struct span span = range->spans[field][i];
        if (field == TIMES)
            span.end--;
        if (field == DAYS) {
            span.begin += span.begin < 0 ? month_days + 1 : 0;
            span.end += span.end < 0 ? month_days + 1 : 0;
        }
        if (value >= span.begin && value <= span.end)
            return true;
    }
    return !range->span_counts[field];
}

static bool range_contains(const struct range *range, int64_t at)
{
    struct tm now = civil(at + time_zone_offset_s(range->zone, at));
    return range_covers(range, TIMES, now.tm_hour * 60 + now.tm_min, 0) &&
           range_covers(range, WEEKDAYS, now.tm_wday, 0) &&
           range_covers(range, DAYS, now.tm_mday,
                        range->span_counts[DAYS] ? days_in_month(&now) : 0) &&
           range_covers(range, MONTHS, now.tm_mon + 1, 0) &&
           range_covers(range, YEARS, now.tm_year + 1900, 0);
}

bool time_interval_contains(const struct time_interval *interval, int64_t at)
{
    for (size_t i = 0; i < interval->count; i++)
        if (range_contains(&interval->ranges[i], at))
            return true;
    return false;
}

/* The next instant a range can change: its own minutes of the day, and every quarter of an hour,
 * which is where days begin and clocks are changed all over the world. */
static int64_t next_candidate(const struct range *range, int64_t at)
{
    int64_t next = at - at % QUARTER_S + QUARTER_S;
    int64_t offset = time_zone_offset_s(range->zone, at), local = at + offset;
    for (size_t i = 0; i < 2 * range->span_counts[TIMES]; i++) {
        const struct span *span = &range->spans[TIMES][i / 2];
        int64_t edge = local - local % DAY_S + (i % 2 ? span->end : span->begin) * 60 - offset;
        edge += edge > at ? 0 : DAY_S;
        next = edge < next ? edge : next;
    }
    return next;
}

int64_t time_interval_next_at(const struct time_interval *interval, int64_t at)
{
    bool inside = time_interval_contains(interval, at);
    int64_t end = at + AHEAD_S;
    while (at < end && interval->count) {
        int64_t next = end;
        for (size_t i = 0; i < interval->count; i++) {
            int64_t candidate = next_candidate(&interval->ranges[i], at);
            next = candidate < next ? candidate : next;
        }
        if (time_interval_contains(interval, next) != inside)
            return next;
        at = next;
    }
    return end;
}
