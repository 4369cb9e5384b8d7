/* rush: when memory is given back after many came at once. */
#include "exporter/web/rush.h"

#include "test.h"

enum { MAX = 100 };

TEST(many_connections_are_a_rush_until_few_are_left)
{
    struct rush rush = { 0 };
    CHECK(!rush_look(&rush, MAX / 2 + 1, MAX, 0));
    CHECK(!rush_look(&rush, MAX / 4, MAX, 0));
    CHECK(rush_look(&rush, MAX / 4 - 1, MAX, 0));
    CHECK(!rush_look(&rush, 0, MAX, 0));
}

TEST(many_answers_are_one_however_few_connections_ask_for_them)
{
    struct rush rush = { 0 };
    CHECK(!rush_look(&rush, 1, MAX, RUSH_ANSWERS + 1));
    CHECK(!rush_look(&rush, 1, MAX, RUSH_ANSWERS / 4));
    CHECK(rush_look(&rush, 1, MAX, RUSH_ANSWERS / 4 - 1));
}

TEST(a_scraper_is_none)
{
    struct rush rush = { 0 };
    CHECK(!rush_look(&rush, MAX / 2, MAX, RUSH_ANSWERS));
    CHECK(!rush_look(&rush, 0, MAX, 0));
}
