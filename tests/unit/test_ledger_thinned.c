/* ledger: who lost much at once is given a day before anything is said of it. */
#include "ledger_world.h"

enum { DAY_S = 24 * 3600 };

static void begin(struct world *world)
{
    world_begin(world, NULL);
    world->max_staleness_ms = 3000;
    world_collect(world, "abcdefgz");
    world_advance(world);
}

/* A collection is a second after the one before (ledger_world.h), or after so many. */
static void pass(struct world *world, int64_t seconds)
{
    world->generation += (uint64_t)seconds;
}

/* So many collections with these findings: nothing is told. */
static void collect_silently(struct world *world, const char *names, int times)
{
    for (int i = 0; i < times; i++) {
        world_collect(world, names);
        CHECK_TEXT(world_advance(world), "");
    }
}

TEST(most_of_a_subscription_is_not_over_for_a_day)
{
    struct world world;
    begin(&world);
    collect_silently(&world, "fgz", 10);
    pass(&world, DAY_S - 60);
    collect_silently(&world, "fgz", 3);
    pass(&world, 60);
    world_collect(&world, "fgz");
    const char *told = world_advance(&world);
    for (char name = 'a'; name <= 'e'; name++) {
        char line[64];
        snprintf(line, sizeof line, "finding.no_longer_assessed %c/1 high no_longer_assessed\n",
                 name);
        CHECK_CONTAINS(told, line);
    }
    world_finish(&world);
}

TEST(what_comes_again_within_it_was_never_over)
{
    struct world world;
    begin(&world);
    collect_silently(&world, "z", 10);
    pass(&world, DAY_S / 2);
    collect_silently(&world, "abcdefgz", 2);
    collect_silently(&world, "z", 10);
    world_finish(&world);
}

TEST(where_most_of_all_is_gone_a_few_of_a_subscription_wait_too)
{
    struct world world;
    begin(&world);
    collect_silently(&world, "fg", 10); /* z is the only one of its subscription */
    pass(&world, DAY_S);
    world_collect(&world, "fg");
    CHECK_CONTAINS(world_advance(&world), "finding.no_longer_assessed z/1");
    world_finish(&world);
}

TEST(a_few_or_less_than_half_do_not_wait)
{
    struct world world;
    begin(&world);
    collect_silently(&world, "abcz", 4); /* four of seven are gone */
    world_collect(&world, "abcz");
    CHECK_CONTAINS(world_advance(&world), "finding.no_longer_assessed d/1");
    world_finish(&world);
    begin(&world);
    world_collect(&world, "abcdefghijklz");
    world_advance(&world);
    collect_silently(&world, "fghijklz", 4); /* five of twelve */
    world_collect(&world, "fghijklz");
    CHECK_CONTAINS(world_advance(&world), "finding.no_longer_assessed a/1");
    world_finish(&world);
}

/* What is missing for the first time says that it is silence, for what was missing before, too. */
TEST(few_that_were_missing_wait_when_the_rest_is_missing_as_well)
{
    struct world world;
    begin(&world);
    collect_silently(&world, "abcdefg", 2); /* z is missing */
    pass(&world, 60);
    collect_silently(&world, "", 2);
    world_collect(&world, "abcdefg");
    CHECK_CONTAINS(world_advance(&world), "finding.no_longer_assessed z/1");
    world_finish(&world);
}
