#include "core/clock.h"

#include <stdlib.h>
#include <time.h>

#include "test.h"

TEST(duration_is_read)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "0", 0 },
        { "0s", 0 },
        { "250ms", 250 },
        { "15s", 15000 },
        { "15m", 900000 },
        { "1h30m", 5400000 },
        { "1d", 86400000 },
        { "1w", 604800000 },
        { "1y", 31536000000 },
        { "1y2w3d4h5m6s7ms", 31536000000 + 2 * 604800000LL + 3 * 86400000 + 4 * 3600000 + 306007 },
        { "90m", 5400000 },
        { "0h5s", 5000 },
        { "9223372036854775807ms", INT64_MAX },
    };
    struct error error = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t ms = -1;
        CHECK(clock_parse_duration(cases[i].text, &ms, &error));
        CHECK_INT(ms, cases[i].ms);
    }
}

TEST(duration_refuses_everything_else)
{
    static const char *const cases[] = {
        "",
        "5",
        "00",
        "01",
        "m",
        "5 m",
        " 5m",
        "5m ",
        "-5m",
        "+5m",
        "1.5h",
        "30m1h",
        "1m1m",
        "1ms1s",
        "5min",
        "5M",
        "1h5",
        "5µs",
        "1e3s",
        "0x10s",
        "5s,1m",
        "infs",
        "9223372036854775808ms",
        "99999999999999999999s",
        "400000000y",
        "9223372036854775807ms1",
        "106751991167d9223372036854775807ms",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        int64_t ms = -1;
        bool ok = clock_parse_duration(cases[i], &ms, &error);
        test_check(!ok, __FILE__, __LINE__, cases[i]);
        CHECK_INT(ms, -1);
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, "not a duration");
    }
}

TEST(duration_is_written_as_it_is_read)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { 0, "0s" },           { 250, "250ms" },
        { 1500, "1s500ms" },   { 900000, "15m" },
        { 5400000, "1h30m" },  { 86400000, "1d" },
        { 129600000, "36h" },  { 604800000, "1w" },
        { 31536000000, "1y" }, { 90061001, "25h1m1s1ms" },
    };
    struct error error = { 0 };
    char out[48];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t ms = -1;
        CHECK_TEXT(clock_format_duration(cases[i].ms, out), cases[i].text);
        CHECK(clock_parse_duration(out, &ms, &error));
        CHECK_INT(ms, cases[i].ms);
    }
    int64_t ms = -1;
    CHECK(clock_parse_duration(clock_format_duration(INT64_MAX, out), &ms, &error));
    CHECK_INT(ms, INT64_MAX);
}

TEST(instant_is_read)
{
    static const struct {
        const char *text;
        int64_t at;
    } cases[] = {
        { "", 0 },
        { "0001-01-01T00:00:00", 0 },
        { "0001-01-01T00:00:00Z", 0 },
        { "0001-01-01T00:00:00.0000000Z", 0 },
        { "0001-01-01T00:00:00+00:00", 0 },
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01", 0 },
        { "1969-12-31T23:59:59Z", -1 },
        { "2019-01-18T21:04:58Z", 1547845498 },
        { "2026-11-21T17:00:00Z", 1795280400 },
        { "2026-11-21T17:00:00", 1795280400 },
        { "2026-11-21T17:00", 1795280400 },
        { "2026-11-21T17:00Z", 1795280400 },
        { "2026-11-21t17:00:00z", 1795280400 },
        { "2026-11-21 17:00:00Z", 1795280400 },
        { "2026-11-21T17:00:00.1Z", 1795280400 },
        { "2026-11-21T17:00:00.9999999Z", 1795280400 },
        { "2026-11-21T17:00:00.9999999", 1795280400 },
        { "2026-11-21T17:00:00.123456789012345678Z", 1795280400 },
        { "2026-11-21T19:00:00+02:00", 1795280400 },
        { "2026-11-21T19:00:00.1234567+02:00", 1795280400 },
        { "2026-11-21T11:30:00-05:30", 1795280400 },
        { "2026-11-21T19:00:00+0200", 1795280400 },
        { "2026-11-21", 1795219200 },
        { "2000-02-29T00:00:00Z", 951782400 },
        { "2024-02-29T12:00:00Z", 1709208000 },
        { "1900-03-01T00:00:00Z", -2203891200 },
        { "2100-03-01T00:00:00Z", 4107542400 },
        { "2016-12-31T23:59:60Z", 1483228800 },
        { "9999-12-31T23:59:59Z", 253402300799 },
        { "2038-01-19T03:14:08Z", 2147483648 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t at = -7;
        test_check(clock_parse_rfc3339(cases[i].text, &at), __FILE__, __LINE__, cases[i].text);
        CHECK_INT(at, cases[i].at);
    }
}

TEST(instant_refuses_garbage)
{
    static const char *const cases[] = {
        "never",
        "null",
        "2026",
        "2026-11",
        "2026-11-2",
        "2026-11-21T",
        "2026-11-21X17:00:00Z",
        "2026-11-21T17",
        "2026-11-21T17:0",
        "2026-11-21T17:00:0",
        "2026-11-21T17:00:00.",
        "2026-11-21T17:00:00.Z",
        "2026-11-21T17:00:00ZZ",
        "2026-11-21T17:00:00Z ",
        "2026-11-21T17:00:00 Z",
        "2026-11-21T17:00:00+2",
        "2026-11-21T17:00:00+02:",
        "2026-11-21T17:00:00+02:0",
        "2026-11-21T17:00:00+24:00",
        "2026-11-21T17:00:00+02:60",
        "2026-11-21T17:00:00+02:00Z",
        "2026-11-21T17:00:00UTC",
        "2026-11-21T24:00:00Z",
        "2026-11-21T17:60:00Z",
        "2026-11-21T17:00:61Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29",
        "2026-04-31",
        "-026-01-01T00:00:00Z",
        " 2026-11-21T17:00:00Z",
        "26-11-21T17:00:00Z",
        "02026-11-21T17:00:00Z",
        "2026/11/21T17:00:00Z",
        "1795280400",
        "2026-1-1T00:00:00Z",
        "2026-11-21Z",
        "0001",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t at = -7;
        test_check(!clock_parse_rfc3339(cases[i], &at), __FILE__, __LINE__, cases[i]);
        CHECK_INT(at, -7);
    }
}

TEST(instant_is_written)
{
    char out[32];
    CHECK_TEXT(clock_format_rfc3339(0, out), "1970-01-01T00:00:00Z");
    CHECK_TEXT(clock_format_rfc3339(1795280400, out), "2026-11-21T17:00:00Z");
    CHECK_TEXT(clock_format_rfc3339_ms(1795280400123, out), "2026-11-21T17:00:00.123Z");
    CHECK_TEXT(clock_format_rfc3339_ms(1795280400007, out), "2026-11-21T17:00:00.007Z");
    CHECK_TEXT(clock_format_rfc3339_ms(-1, out), "1969-12-31T23:59:59.999Z");
    CHECK_TEXT(clock_format_rfc3339(253402300799, out), "9999-12-31T23:59:59Z");
    CHECK_TEXT(clock_format_rfc3339(253402300800, out), "0001-01-01T00:00:00Z");
    CHECK_TEXT(clock_format_rfc3339(-42252364800, out), "0631-01-29T00:00:00Z");
    CHECK_TEXT(clock_format_rfc3339(-70000000000, out), "0001-01-01T00:00:00Z");
    CHECK_TEXT(clock_format_rfc3339_ms(INT64_MAX, out), "0001-01-01T00:00:00.807Z");
}

TEST(every_day_of_four_centuries_survives_a_round_trip)
{
    char out[32];
    int64_t wrong = 0;
    for (int64_t day = -135000; day < 146097; day++) {
        int64_t want = day * 86400 + (day & 0xffff), got = 0;
        wrong += !clock_parse_rfc3339(clock_format_rfc3339(want, out), &got) || got != want;
    }
    CHECK_INT(wrong, 0);
}

TEST(every_day_of_all_years_is_the_calendars)
{
    int64_t wrong = 0;
    for (time_t at = -62135596800; at < 253402300800; at += 86399) {
        char out[32], rest[32];
        struct tm parts;
        strftime(rest, sizeof rest, "-%m-%dT%H:%M:%SZ", gmtime_r(&at, &parts));
        clock_format_rfc3339(at, out);
        wrong += strtol(out, NULL, 10) != parts.tm_year + 1900 || strcmp(out + 4, rest) != 0;
    }
    CHECK_INT(wrong, 0);
}

TEST(backoff_doubles_and_caps)
{
    static const int64_t want[] = { 5, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900 };
    for (size_t i = 0; i < ARRAY_COUNT(want); i++)
        CHECK_INT(clock_backoff_s((int)i, 5, 900), want[i]);
    CHECK_INT(clock_backoff_s(INT32_MAX, 5, 900), 900);
    CHECK_INT(clock_backoff_s(INT32_MAX, 1, INT64_MAX), INT64_MAX);
    CHECK_INT(clock_backoff_s(1, 1000, 900), 900);
    CHECK_INT(clock_backoff_s(INT32_MAX, 0, 900), 0);
}

TEST(jitter_stays_inside_and_moves)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int i = 0; i < 10000; i++) {
        int64_t value = clock_jitter(1000, 10);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    CHECK_INT(low, 900);
    CHECK_INT(high, 1100);
    CHECK_INT(clock_jitter(1000, 0), 1000);
    CHECK_INT(clock_jitter(0, 50), 0);
    int64_t large = clock_jitter(INT64_MAX / 2, 50);
    CHECK(large >= INT64_MAX / 4 && large <= INT64_MAX / 4 * 3 + 3);
}

TEST(clocks_agree_with_each_other)
{
    int64_t before_s = clock_now_s(), now_ms = clock_now_ms(), after_s = clock_now_s();
    CHECK(before_s <= now_ms / 1000 && now_ms / 1000 <= after_s);
    CHECK(before_s > 1700000000);
    int64_t start_ms = clock_monotonic_ms();
    clock_sleep_ms(3);
    CHECK(clock_monotonic_ms() - start_ms >= 3);
    clock_sleep_ms(-5);
}

/* --- a wall clock that steps ------------------------------------------------------------------ */

enum { DAY_MS = 86400000, HOUR_MS = 3600000 };

/* Let so much time pass, reading now and then; the wall clock is so far from the steady one. */
static int64_t pass(struct clock_follower *follower, int64_t *steady_ms, int64_t wall_ahead_ms,
                    int64_t passed_ms, int64_t pause_ms)
{
    int64_t told_ms = 0, before_ms = follower->last_ms;
    for (int64_t end_ms = *steady_ms + passed_ms; *steady_ms < end_ms;) {
        *steady_ms += pause_ms;
        told_ms = clock_follow(follower, *steady_ms + wall_ahead_ms, *steady_ms);
        CHECK(told_ms >= before_ms); /* never back */
        before_ms = told_ms;
    }
    return told_ms;
}

TEST(a_wall_clock_that_runs_evenly_is_told_as_it_is)
{
    struct clock_follower follower = { 0 };
    int64_t steady_ms = 5000;
    for (int i = 0; i < 100; i++, steady_ms += 777)
        CHECK_INT(clock_follow(&follower, steady_ms + 1700000000000, steady_ms),
                  steady_ms + 1700000000000);
}

TEST(a_step_of_400_days_is_none)
{
    static const int64_t steps[] = { 400LL * DAY_MS, -400LL * DAY_MS, DAY_MS, -2LL * HOUR_MS };
    static const int64_t pauses[] = { 1, 10, 700, 60000 };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++)
        for (size_t n = 0; n < ARRAY_COUNT(pauses); n++) {
            struct clock_follower follower = { 0 };
            int64_t steady_ms = 5000, begun_ms = 1700000000000;
            CHECK_INT(clock_follow(&follower, begun_ms, steady_ms), begun_ms);
            int64_t ahead_ms = begun_ms - steady_ms + steps[i];
            int64_t told_ms = pass(&follower, &steady_ms, ahead_ms, 600000, pauses[n]);
            int64_t passed_ms = steady_ms - 5000;
            int64_t wanted_ms = passed_ms + (steps[i] > 0 ? passed_ms : -passed_ms) / 10;
            CHECK(llabs(told_ms - begun_ms - wanted_ms) <= 1000);
            told_ms = pass(&follower, &steady_ms, begun_ms - 5000, 610000, pauses[n]);
            CHECK_INT(told_ms - begun_ms, steady_ms - 5000); /* it stepped back again */
        }
}

TEST(a_small_step_is_made_up_for)
{
    struct clock_follower follower = { 0 };
    int64_t steady_ms = 0;
    CHECK_INT(clock_follow(&follower, 1000000, steady_ms), 1000000);
    pass(&follower, &steady_ms, 1030000, 290000, 10);
    CHECK(follower.last_ms < steady_ms + 1030000);
    int64_t told_ms = pass(&follower, &steady_ms, 1030000, 20000, 10);
    CHECK_INT(told_ms, steady_ms + 1030000);
    pass(&follower, &steady_ms, 1000000, 290000, 10);
    CHECK(follower.last_ms > steady_ms + 1000000);
    told_ms = pass(&follower, &steady_ms, 1000000, 20000, 10);
    CHECK_INT(told_ms, steady_ms + 1000000);
}

TEST(the_clock_of_the_program_is_the_wall_clock_unless_that_steps)
{
    CHECK_INT(clock_lead_s(), 0);
    CHECK(llabs(clock_now_ms() - clock_wall_ms()) < 1000);
}
