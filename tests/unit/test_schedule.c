/* When a report is due: weekdays, days of the month, places whose clocks are changed. */
#include "alerts/text/schedule.h"
#include "core/clock.h"
#include "tests/unit/test.h"

static const struct schedule *read_schedule(const char *yaml, struct arena *arena,
                                            struct option_report *report)
{
    struct schedule_config config = { 0 };
    options_default(schedule_options, &config, arena);
    if (!options_read(schedule_options, "s.yml", yaml, strlen(yaml), &config, arena, report))
        return NULL;
    return schedule_compile(&config, "s.yml", arena, report);
}

static int64_t at(const char *text)
{
    int64_t instant = 0;
    CHECK(clock_parse_rfc3339(text, &instant));
    return instant;
}

#define BERLIN "\nlocation: Europe/Berlin"

TEST(the_next_time_is_found)
{
    static const struct {
        const char *yaml, *at, *next;
    } cases[] = {
        { "time: '08:00'", "2026-11-27T07:59:59Z", "2026-11-27T08:00:00Z" },
        { "time: '08:00'", "2026-11-27T08:00:00Z", "2026-11-28T08:00:00Z" },
        { "time: '00:00'", "2026-11-27T23:59:59Z", "2026-11-28T00:00:00Z" },
        { "time: '23:59'", "2026-12-31T23:59:00Z", "2027-01-01T23:59:00Z" },
        { "time: '08:00'\nweekdays: [monday]", "2026-11-27T08:00:00Z", "2026-11-30T08:00:00Z" },
        { "time: '08:00'\nweekdays: ['monday:friday']", "2026-11-27T08:00:00Z",
          "2026-11-30T08:00:00Z" },
        { "time: '08:00'\ndays_of_month: ['1']", "2026-11-27T08:00:00Z", "2026-12-01T08:00:00Z" },
        { "time: '08:00'\ndays_of_month: ['-1']", "2028-02-01T08:00:00Z", "2028-02-29T08:00:00Z" },
        { "time: '08:00'\ndays_of_month: ['1']\nmonths: ['1', '4', '7', '10']",
          "2026-11-27T08:00:00Z", "2027-01-01T08:00:00Z" },
        { "time: '08:00'\ndays_of_month: ['1:7']\nweekdays: [monday]", "2026-11-27T08:00:00Z",
          "2026-12-07T08:00:00Z" },
        { "time: '08:00'\ndays_of_month: ['29']\nmonths: [february]\nweekdays: [monday]",
          "2026-11-27T08:00:00Z", "2044-02-29T08:00:00Z" },
        /* the day and the time are those of the place */
        { "time: '08:00'" BERLIN, "2026-11-27T06:59:59Z", "2026-11-27T07:00:00Z" },
        { "time: '08:00'" BERLIN, "2026-07-01T05:59:59Z", "2026-07-01T06:00:00Z" },
        { "time: '00:30'\nweekdays: [monday]" BERLIN, "2026-11-27T08:00:00Z",
          "2026-11-29T23:30:00Z" },
        { "time: '08:00'\nweekdays: [monday]\nlocation: Pacific/Auckland", "2026-11-27T08:00:00Z",
          "2026-11-29T19:00:00Z" },
        { "time: '20:00'\nweekdays: [sunday]\nlocation: America/Los_Angeles",
          "2026-11-29T12:00:00Z", "2026-11-30T04:00:00Z" },
        /* 02:30 is skipped on 2026-03-29, and is twice on 2026-10-25 */
        { "time: '02:30'" BERLIN, "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z" },
        { "time: '02:30'" BERLIN, "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z" },
        { "time: '02:30'" BERLIN, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z" },
        { "time: '02:30'" BERLIN, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" },
        { "time: '03:00'" BERLIN, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z" },
        { "time: '08:00'" BERLIN, "2026-10-24T12:00:00Z", "2026-10-25T07:00:00Z" },
        /* half an hour on Lord Howe, and midnight that is skipped in Beirut */
        { "time: '02:15'\nlocation: Australia/Lord_Howe", "2026-10-03T12:00:00Z",
          "2026-10-03T15:30:00Z" },
        { "time: '00:00'\nlocation: Asia/Beirut", "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z" },
        { "time: '02:30'" BERLIN, "2059-03-29T12:00:00Z", "2059-03-30T01:00:00Z" }, /* by rule */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        const struct schedule *schedule = read_schedule(cases[i].yaml, &arena, &report);
        char text[32];
        CHECK_TEXT(buf_cstr(&report.text), "");
        if (schedule)
            CHECK_TEXT(clock_format_rfc3339(schedule_next_at(schedule, at(cases[i].at)), text),
                       cases[i].next);
    }
}

/* Every time of years is there once, in order, whatever the clocks do. */
TEST(no_day_is_left_out_and_none_comes_twice)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct schedule *schedule = read_schedule("time: '02:30'" BERLIN, &arena, &report);
    int64_t last = schedule_next_at(schedule, at("2026-01-01T00:00:00Z"));
    for (int i = 0; i < 2000; i++) {
        int64_t next = schedule_next_at(schedule, last);
        CHECK(next - last >= 23 * 3600 - 1800 && next - last <= 25 * 3600 + 1800);
        CHECK(schedule_next_at(schedule, next - 1) == next);
        last = next;
    }
}

TEST(days_before_are_those_of_the_calendar)
{
    static const struct {
        const char *at;
        int64_t span_s;
        const char *before;
    } cases[] = {
        { "2026-11-30T07:00:00Z", 7 * 86400, "2026-11-23T07:00:00Z" },
        { "2026-10-26T07:00:00Z", 7 * 86400, "2026-10-19T06:00:00Z" }, /* 169 hours */
        { "2026-03-30T06:00:00Z", 7 * 86400, "2026-03-23T07:00:00Z" }, /* 167 hours */
        { "2026-10-26T07:00:00Z", 86400 + 3600, "2026-10-25T06:00:00Z" },
        { "2026-10-26T07:00:00Z", 12 * 3600, "2026-10-25T19:00:00Z" },
    };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct schedule *schedule = read_schedule("time: '08:00'" BERLIN, &arena, &report);
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_TEXT(clock_format_rfc3339(
                       schedule_before(schedule, at(cases[i].at), cases[i].span_s), text),
                   cases[i].before);
}

TEST(every_mistake_is_a_line_with_its_key)
{
    static const struct {
        const char *yaml, *says;
    } cases[] = {
        { "time: '8:00'", "s.yml:1: time: \"8:00\": is no time of day such as 08:00" },
        { "time: '24:00'", "is no time of day" },
        { "weekdays: [monday]", "time" },
        { "time: '08:00'\nweekdays: [mondy]", "s.yml:2: weekdays: \"mondy\": is not one of them" },
        { "time: '08:00'\nweekdays: ['friday:monday']", "ends before it begins" },
        { "time: '08:00'\ndays_of_month: ['32']", "days_of_month: \"32\": is not one of them" },
        { "time: '08:00'\nlocation: Europe/Berlni", "there is no time zone \"Europe/Berlni\"" },
        { "time: '08:00'\ndays_of_month: ['30']\nmonths: ['2']",
          "schedule: such a day never comes" },
        { "time: '08:00'\nday: monday", "day" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        CHECK(!read_schedule(cases[i].yaml, &arena, &report));
        CHECK_CONTAINS(buf_cstr(&report.text), cases[i].says);
    }
}
