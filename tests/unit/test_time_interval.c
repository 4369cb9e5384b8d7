/* Time intervals as Alertmanager means them. */
#include "alerts/text/time_interval.h"
#include "core/clock.h"
#include "tests/unit/test.h"

static int64_t at(const char *text)
{
    int64_t instant = 0;
    CHECK(clock_parse_rfc3339(text, &instant));
    return instant;
}

static const struct time_interval *read_interval(const char *yaml, struct arena *arena,
                                                 struct option_report *report)
{
    struct time_interval_config config = { 0 };
    options_default(time_interval_options, &config, arena);
    if (!options_read(time_interval_options, "i.yml", yaml, strlen(yaml), &config, arena, report))
        return NULL;
    return time_interval_compile(&config, "i.yml", arena, report);
}

#define ONE(rows) "name: x\ntime_intervals:\n- " rows

TEST(interval_contains_what_is_written)
{
    static const struct {
        const char *yaml, *at;
        bool inside;
    } cases[] = {
        { ONE("weekdays: ['monday:friday']"), "2026-11-20T12:00:00Z", true },
        { ONE("weekdays: ['monday:friday']"), "2026-11-21T12:00:00Z", false },
        { ONE("weekdays: [Saturday]"), "2026-11-21T23:59:59Z", true },
        { ONE("times: [{start_time: '09:00', end_time: '17:00'}]"), "2026-11-21T09:00:00Z", true },
        { ONE("times: [{start_time: '09:00', end_time: '17:00'}]"), "2026-11-21T17:00:00Z", false },
        { ONE("times: [{start_time: '22:30', end_time: '24:00'}]"), "2026-11-21T23:59:59Z", true },
        { ONE("days_of_month: ['-1']"), "2026-02-28T00:00:00Z", true },
        { ONE("days_of_month: ['-1']"), "2028-02-28T00:00:00Z", false },
        { ONE("days_of_month: ['-3:-1', '1']"), "2026-11-28T00:00:00Z", true },
        { ONE("days_of_month: ['-3:-1', '1']"), "2026-11-27T00:00:00Z", false },
        { ONE("days_of_month: ['31']"), "2026-11-30T00:00:00Z", false },
        { ONE("months: ['january:march', '12']"), "2026-12-30T00:00:00Z", true },
        { ONE("months: ['january:march', '12']"), "2026-04-01T00:00:00Z", false },
        { ONE("years: ['2026:2027']"), "2027-12-31T23:59:00Z", true },
        { ONE("years: ['2026']"), "2027-01-01T00:00:00Z", false },
        { ONE("times: [{start_time: '09:00', end_time: '10:00'}]\n  location: Europe/Berlin"),
          "2026-07-01T07:30:00Z", true },
        { ONE("times: [{start_time: '09:00', end_time: '10:00'}]\n  location: Europe/Berlin"),
          "2026-11-21T08:30:00Z", true },
        { ONE("times: [{start_time: '09:00', end_time: '10:00'}]\n  location: Europe/Berlin"),
          "2060-07-01T07:30:00Z", true }, /* beyond the transitions: by rule */
        { ONE("times: [{start_time: '09:00', end_time: '10:00'}]\n  location: Australia/Sydney"),
          "2061-01-01T22:30:00Z", true },
        { ONE("times: [{start_time: '09:00', end_time: '10:00'}]\n  location: Asia/Kathmandu"),
          "2026-11-21T03:15:00Z", true },
        { ONE("weekdays: [monday]\n  location: Pacific/Auckland"), "2026-11-22T12:00:00Z", true },
        { "name: never\ntime_intervals: []", "2026-11-22T12:00:00Z", false },
        { ONE("{}"), "2026-11-22T12:00:00Z", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        const struct time_interval *interval = read_interval(cases[i].yaml, &arena, &report);
        CHECK_TEXT(buf_cstr(&report.text), "");
        if (interval)
            test_check_int(time_interval_contains(interval, at(cases[i].at)), cases[i].inside,
                           cases[i].yaml, (int)i, cases[i].at);
    }
}

TEST(interval_next_at_is_where_the_answer_changes)
{
    static const struct {
        const char *yaml, *at, *next;
    } cases[] = {
        { ONE("weekdays: ['monday:friday']"), "2026-11-20T12:00:00Z", "2026-11-21T00:00:00Z" },
        { ONE("weekdays: ['monday:friday']"), "2026-11-21T12:00:00Z", "2026-11-23T00:00:00Z" },
        { ONE("times: [{start_time: '09:07', end_time: '17:13'}]"), "2026-11-21T09:06:59Z",
          "2026-11-21T09:07:00Z" },
        { ONE("times: [{start_time: '09:07', end_time: '17:13'}]"), "2026-11-21T09:07:00Z",
          "2026-11-21T17:13:00Z" },
        { ONE("times: [{start_time: '09:07', end_time: '17:13'}]"), "2026-11-21T20:00:00Z",
          "2026-11-22T09:07:00Z" },
        { ONE("times: [{start_time: '02:30', end_time: '04:00'}]\n  location: Europe/Berlin"),
          "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z" }, /* 02:30 does not exist: 03:00 */
        { ONE("years: ['2030']"), "2026-11-21T00:00:00Z", "2026-11-29T00:00:00Z" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        const struct time_interval *interval = read_interval(cases[i].yaml, &arena, &report);
        if (interval)
            CHECK_INT(time_interval_next_at(interval, at(cases[i].at)), at(cases[i].next));
    }
}

TEST(interval_says_what_is_wrong)
{
    static const struct {
        const char *yaml, *reason;
    } cases[] = {
        { ONE("weekdays: [mondai]"), "i.yml:3: weekdays: \"mondai\": is not one of them" },
        { ONE("weekdays: ['friday:monday']"), "ends before it begins" },
        { ONE("weekdays: ['1']"), "is not one of them" },
        { ONE("days_of_month: ['0']"), "is not one of them" },
        { ONE("days_of_month: ['32']"), "is not one of them" },
        { ONE("days_of_month: ['-1:5']"), "ends before it begins" },
        { ONE("days_of_month: ['5:1']"), "ends before it begins" },
        { ONE("months: ['13']"), "is not one of them" },
        { ONE("months: ['march:january']"), "ends before it begins" },
        { ONE("years: ['x']"), "is not one of them" },
        { ONE("times: [{start_time: '9:00', end_time: '10:00'}]"), "is no time of day" },
        { ONE("times: [{start_time: '09:00', end_time: '24:01'}]"), "is no time of day" },
        { ONE("times: [{start_time: '09:00', end_time: '09:00'}]"), "must be before the end" },
        { ONE("times: [{start_time: '09:00'}]"), "end_time: is required but missing" },
        { ONE("location: Mars/Olympus"), "there is no time zone" },
        { ONE("location: ../../../etc/passwd"), "there is no time zone" },
        { ONE("wekdays: [monday]"), "unknown key, did you mean \"weekdays\"?" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        read_interval(cases[i].yaml, &arena, &report);
        CHECK_INT(report.count, 1);
        CHECK_CONTAINS(buf_cstr(&report.text), cases[i].reason);
    }
}
