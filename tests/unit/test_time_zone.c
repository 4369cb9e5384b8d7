/* Offsets of places, within the transitions of their files and behind them. */
#include "alerts/text/time_zone.h"
#include "core/clock.h"
#include "tests/unit/test.h"

static int64_t offset(const char *place, const char *text)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    int64_t at = 0;
    CHECK(clock_parse_rfc3339(text, &at));
    const struct time_zone *zone = time_zone_load(place, &arena, &error);
    CHECK_TEXT(error.message, "");
    return zone ? time_zone_offset_s(zone, at) : -1;
}

TEST(offsets_change_to_the_second)
{
    static const struct {
        const char *place, *at;
        int64_t minutes;
    } cases[] = {
        { "UTC", "2026-07-01T00:00:00Z", 0 },
        { "Asia/Kathmandu", "2060-07-01T00:00:00Z", 345 },
        { "Europe/Berlin", "2026-03-29T00:59:59Z", 60 },
        { "Europe/Berlin", "2026-03-29T01:00:00Z", 120 },
        { "Europe/Berlin", "2026-10-25T00:59:59Z", 120 },
        { "Europe/Berlin", "2026-10-25T01:00:00Z", 60 },
        /* by the rule behind the transitions, summer within the year */
        { "Europe/Berlin", "2060-01-15T00:00:00Z", 60 },
        { "Europe/Berlin", "2060-03-28T00:59:59Z", 60 },
        { "Europe/Berlin", "2060-03-28T01:00:00Z", 120 },
        { "Europe/Berlin", "2060-10-31T00:59:59Z", 120 },
        { "Europe/Berlin", "2060-10-31T01:00:00Z", 60 },
        /* and across its end */
        { "Australia/Sydney", "2060-01-15T00:00:00Z", 660 },
        { "Australia/Sydney", "2060-04-03T15:59:59Z", 660 },
        { "Australia/Sydney", "2060-04-03T16:00:00Z", 600 },
        { "Australia/Sydney", "2060-10-02T15:59:59Z", 600 },
        { "Australia/Sydney", "2060-10-02T16:00:00Z", 660 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(offset(cases[i].place, cases[i].at), cases[i].minutes * 60);
    }
}
