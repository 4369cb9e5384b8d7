/* pace: who of several has kept the server waiting longest. Times are milliseconds. */
#include "exporter/web/pace.h"

#include "test.h"

enum { KIB = 1024, MIB = 1024 * KIB };

static struct pace begun(int64_t at_ms)
{
    struct pace pace;
    pace_begin(&pace, 0, at_ms);
    return pace;
}

TEST(who_came_first_has_waited_longest)
{
    struct pace first = begun(100), second = begun(101);
    CHECK(pace_is_slower(&first, &second));
    CHECK(!pace_is_slower(&second, &first));
}

/* A large answer to a good peer, and slow readers that came while it was being sent. */
TEST(a_fair_reader_stays_whoever_came_after_it)
{
    struct pace fair = begun(0);
    for (int64_t now = 10; now <= 5000; now += 10) {
        struct pace slow = begun(now - 5); /* its window is full at once */
        pace_look(&slow, 2 * KIB, false, now - 4);
        pace_look(&slow, 2 * KIB, false, now);
        pace_look(&fair, (uint64_t)now * 100, false, now);
        CHECK(pace_is_slower(&slow, &fair));
        CHECK(!pace_is_slower(&fair, &slow));
    }
}

TEST(what_drips_is_as_slow_as_what_stands)
{
    struct pace drips = begun(0), newer = begun(900);
    for (int64_t now = 1; now <= 1000; now++)
        pace_look(&drips, (uint64_t)now * 10, false, now);
    CHECK(pace_is_slower(&drips, &newer));
}

TEST(who_took_much_and_stopped_waits_since_then)
{
    struct pace stopped = begun(0), newer = begun(50), newest = begun(10);
    CHECK(pace_look(&stopped, 6 * MIB, false, 20));
    CHECK(pace_is_slower(&newest, &stopped));
    CHECK(!pace_look(&stopped, 6 * MIB, false, 60000));
    CHECK(pace_is_slower(&stopped, &newer));
}

TEST(who_has_taken_all_waits_for_us)
{
    struct pace done = begun(0), newer = begun(900);
    CHECK(pace_look(&done, 1 * KIB, true, 1000));
    CHECK(!pace_look(&done, 1 * KIB, true, 1000));
    CHECK(pace_is_slower(&newer, &done));
    pace_look(&done, 2 * KIB, false, 1001); /* from now on it is waited for again */
    pace_look(&done, 2 * KIB, false, 5000);
    struct pace newest = begun(2000);
    CHECK(pace_is_slower(&done, &newest));
}

/* Bytes of answers before count for none. */
TEST(what_was_taken_before_excuses_nothing)
{
    struct pace again, newer = begun(1010);
    pace_begin(&again, 100 * MIB, 1000);
    pace_look(&again, 100 * MIB + 64, false, 2000);
    CHECK(pace_is_slower(&again, &newer));
}

TEST(of_two_that_moved_at_once_the_one_that_took_less_is_slower)
{
    struct pace much = begun(0), little = begun(10);
    pace_look(&much, 1 * MIB, false, 20);
    pace_look(&little, 64 * KIB, false, 20);
    CHECK(pace_is_slower(&little, &much));
    CHECK(!pace_is_slower(&much, &little));
    CHECK(!pace_is_slower(&much, &much));
}
