#include "alerts/text/schedule.h"

#include "alerts/text/time_interval.h"
#include "alerts/text/time_zone.h"

enum { DAY_S = 86400, AHEAD_DAYS = 40 * 366 };

struct schedule {
    const struct time_interval *days;
    const struct time_zone *zone;
    int minute; /* of the day */
};

/* clang-format off */
const struct option schedule_options[] = {
    { "weekdays", OPTION_TEXT_LIST(struct schedule_config, weekdays),
      .help = "Such as 'monday' or 'monday:friday'; every day without." },
    { "days_of_month", OPTION_TEXT_LIST(struct schedule_config, days_of_month),
      .help = "Such as '1'; -1 is the last day. With weekdays both have to hold." },
    { "months", OPTION_TEXT_LIST(struct schedule_config, months),
      .help = "Such as 'january' or '1:3'; every month without." },
    { "time", OPTION_TEXT(struct schedule_config, time), .required = true,
      OPTION_LINE(struct schedule_config, time_line),
      .help = "HH:MM." },
    { "location", OPTION_TEXT(struct schedule_config, location),
      OPTION_LINE(struct schedule_config, location_line),
      .help = "Time zone such as Europe/Berlin; UTC." },
    { 0 }
};
/* clang-format on */

static bool compile_days(const struct schedule_config *config, const char *file,
                         struct arena *arena, struct option_report *report,
                         struct schedule *schedule)
{
    struct time_interval_range_config range = {
        .weekdays = config->weekdays,
        .days_of_month = config->days_of_month,
        .months = config->months,
        .location = config->location,
        .location_line = config->location_line,
    };
    const struct time_interval_config days = { .time_intervals = { .items = &range, .count = 1 } };
    size_t before = report->count;
    schedule->days = time_interval_compile(&days, file, arena, report);
    return report->count == before;
}

const struct schedule *schedule_compile(const struct schedule_config *config, const char *file,
                                        struct arena *arena, struct option_report *report)
{
    struct schedule *schedule = arena_zalloc(arena, sizeof *schedule);
    struct error error;
    bool ok = compile_days(config, file, arena, report, schedule);
    if (!config->time)
        return NULL; /* in the report already */
    if (!time_interval_minute(config->time, &schedule->minute) || schedule->minute == DAY_S / 60) {
        options_complain(report, file, config->time_line, "time",
                         "\"%s\": is no time of day such as 08:00", config->time);
        return NULL;
    }
    if (!ok) /* the place, too, was tried with the days */
        return NULL;
    schedule->zone = time_zone_load(config->location ? config->location : "UTC", arena, &error);
    if (!schedule->zone || !schedule_next_at(schedule, 0)) {
        options_complain(report, file, config->time_line, "schedule", "such a day never comes");
        return NULL;
    }
    return schedule;
}

/* The instant of a time that the clocks of the place show; of two the first. */
static int64_t instant_of(const struct time_zone *zone, int64_t local)
{
    int64_t before = time_zone_offset_s(zone, local - DAY_S);
    int64_t behind = time_zone_offset_s(zone, local + DAY_S);
    int64_t early = local - behind, late = local - before;
    if (time_zone_offset_s(zone, late) == before)
        return late;
    if (time_zone_offset_s(zone, early) == behind)
        return early;
    while (late - early > 1) { /* it is skipped: when are the clocks put forward? */
        int64_t middle = early + (late - early) / 2;
        *(time_zone_offset_s(zone, middle) == behind ? &late : &early) = middle;
    }
    return late;
}

int64_t schedule_next_at(const struct schedule *schedule, int64_t at)
{
    int64_t local = at + time_zone_offset_s(schedule->zone, at);
    int64_t day = (local - (local % DAY_S + DAY_S) % DAY_S) - DAY_S;
    for (int i = 0; i < AHEAD_DAYS; i++, day += DAY_S) {
        int64_t next = instant_of(schedule->zone, day + (int64_t)schedule->minute * 60);
        if (next > at && time_interval_contains(schedule->days, next))
            return next;
    }
    return 0;
}

int64_t schedule_before(const struct schedule *schedule, int64_t at, int64_t span_s)
{
    int64_t local = at + time_zone_offset_s(schedule->zone, at);
    return instant_of(schedule->zone, local - span_s / DAY_S * DAY_S) - span_s % DAY_S;
}
