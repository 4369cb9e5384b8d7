#include "exporter/web/rate.h"

#include "test.h"

static int taken(struct rate *rate, double now_s, int tries)
{
    int count = 0;
    while (tries--)
        count += rate_take(rate, now_s);
    return count;
}

TEST(rate_has_no_limit_without_an_interval)
{
    struct rate rate = { 0 };
    rate_configure(&rate, 0, 0);
    CHECK_INT(taken(&rate, 100, 1000), 1000);
}

TEST(rate_begins_full_and_fills_by_the_interval)
{
    struct rate rate = { 0 };
    rate_configure(&rate, 0.5, 3);
    CHECK_INT(taken(&rate, 100, 10), 3);
    CHECK_INT(taken(&rate, 100.4, 10), 0);
    CHECK_INT(taken(&rate, 100.5, 10), 1);
    CHECK_INT(taken(&rate, 101.5, 10), 2);
    CHECK_INT(taken(&rate, 1000, 10), 3);
    CHECK_INT(taken(&rate, 900, 10), 0); /* a clock that stands or steps back fills nothing */
}

TEST(rate_of_no_burst_lets_nobody_in)
{
    struct rate rate = { 0 };
    rate_configure(&rate, 1, 0);
    CHECK_INT(taken(&rate, 5, 10) + taken(&rate, 50, 10), 0);
}

TEST(rate_goes_on_when_configured_the_same)
{
    struct rate rate = { 0 };
    rate_configure(&rate, 1, 2);
    CHECK_INT(taken(&rate, 10, 5), 2);
    rate_configure(&rate, 1, 2);
    CHECK_INT(taken(&rate, 10, 5), 0);
    rate_configure(&rate, 1, 4);
    CHECK_INT(taken(&rate, 10, 5), 4);
}
