/* Whom a part speaks for after a run: what was read, what is carried over, what is forgotten. */
#include "collectors/run/cover.h"

#include "collectors_world.h"

/* One run of assessments, in which these rows come. Returns the part that is shown. */
static struct part *run(struct world *world, int64_t after_s, const char *rows)
{
    world->context.now = WORLD_NOW + after_s;
    struct part *part = part_create(SOURCE(assessments));
    world_feed(world, part, 0, 0, rows);
    return world_conclude(world, part);
}

static void discover(struct world *world, int64_t after_s, const char *rows)
{
    world->context.now = WORLD_NOW + after_s;
    world_discover(world, rows);
}

#define FIRST WORLD_ROW("a", "s-1", "k", "High", "Unhealthy", "")
#define SECOND WORLD_ROW("b", "s-2", "k", "Low", "Unhealthy", "")
#define DISABLED(id) "{\"subscriptionId\":\"" id "\",\"state\":\"Disabled\"}"

#define CHECK_COVER(part, id, after_s, is_carried, why)                                            \
    do {                                                                                           \
        const struct part_cover *cover = part_cover_find(part, id);                                \
        CHECK(cover != NULL);                                                                      \
        CHECK_INT(cover ? cover->collected_at - WORLD_NOW : -1, after_s);                          \
        CHECK_INT(cover && cover->carried, is_carried);                                            \
        CHECK_TEXT(cover && cover->carried ? cover->reason : "", why);                             \
    } while (0)

#define NO_ROWS "no rows came where there were some before"

TEST(what_was_read_is_covered)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    struct part *part = run(&world, 60, "[" FIRST "]");
    CHECK_COVER(part, "s-1", 60, false, "");
    CHECK(!part_cover_find(part, "s-1")->empty);
    CHECK_COVER(part, "s-2", 60, false, ""); /* visible, and never had a row */
    CHECK(part_cover_find(part, "s-2")->empty);
    CHECK(!part_cover_find(part, "s-3"));
    /* still empty is still no reason to doubt */
    part = run(&world, 120, "[" FIRST "]");
    CHECK_COVER(part, "s-2", 120, false, "");
    CHECK(part_cover_find(part, "s-2")->empty);
    /* and once it has rows it is not empty any more */
    part = run(&world, 180, "[" FIRST "," SECOND "]");
    CHECK(!part_cover_find(part, "s-2")->empty);
    CHECK_INT(part->finding_count, 2);
}

TEST(rows_of_nobody_knows_whom_are_covered_too)
{
    WORLD(world);
    struct part *part = run(&world, 0, "[" FIRST "]"); /* before any discovery */
    CHECK_COVER(part, "s-1", 0, false, "");
    CHECK(!part_cover_find(part, "s-2"));
    discover(&world, 30, "[" WORLD_TWO "]");
    part = run(&world, 60, "[" FIRST "]"); /* a subscription that was made since */
    CHECK_COVER(part, "s-1", 60, false, "");
    CHECK_COVER(part, "s-2", 60, false, "");
}

TEST(missing_rows_are_carried_from_the_run_that_first_missed_them)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    run(&world, 60, "[" FIRST "," SECOND "]");
    struct part *part = run(&world, 120, "[" FIRST "]");
    CHECK_COVER(part, "s-1", 120, false, "");
    CHECK_COVER(part, "s-2", 60, true, NO_ROWS);
    CHECK_INT(part_cover_find(part, "s-2")->carried_at - WORLD_NOW, 120);
    CHECK_INT(part->finding_count, 2);
    part = run(&world, 180, "[" FIRST "]");
    CHECK_COVER(part, "s-2", 60, true, NO_ROWS);
    CHECK_INT(part_cover_find(part, "s-2")->carried_at - WORLD_NOW, 120);
    CHECK_INT(part->finding_count, 2);
    /* they come back: as if nothing had been */
    part = run(&world, 240, "[" FIRST "," SECOND "]");
    CHECK_COVER(part, "s-2", 240, false, "");
    CHECK_INT(part->finding_count, 2);
}

TEST(a_discovery_made_since_lets_an_empty_answer_be_believed)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    run(&world, 60, "[" FIRST "," SECOND "]");
    discover(&world, 90, WORLD_BOTH); /* before it was missed: says nothing */
    CHECK_COVER(run(&world, 120, "[" FIRST "]"), "s-2", 60, true, NO_ROWS);
    CHECK_COVER(run(&world, 121, "[" FIRST "]"), "s-2", 60, true, NO_ROWS);
    discover(&world, 122, WORLD_BOTH);
    struct part *part = run(&world, 180, "[" FIRST "]");
    CHECK_COVER(part, "s-2", 180, false, "");
    CHECK(part_cover_find(part, "s-2")->empty);
    CHECK_INT(part->finding_count, 1);
}

TEST(none_that_is_proved_is_covered_at_once)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    run(&world, 60, "[" FIRST "," SECOND "]");
    world.proved[1] = true; /* s-2 */
    struct part *part = run(&world, 120, "[" FIRST "]");
    CHECK_COVER(part, "s-2", 120, false, "");
    CHECK(part_cover_find(part, "s-2")->empty);
    CHECK_INT(part->finding_count, 1);
    /* what may not be read, or was not, proves nothing */
    run(&world, 180, "[" FIRST "," SECOND "]");
    world.broken[1] = true;
    CHECK_COVER(run(&world, 240, "[" FIRST "]"), "s-2", 180, true, "its list could not be read");
    world.broken[1] = false;
    discover(&world, 270, "[" WORLD_ONE "]");
    CHECK_COVER(run(&world, 300, "[" FIRST "]"), "s-2", 180, true, "access denied");
}

TEST(denied_and_disabled_ones_keep_their_data)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    run(&world, 60, "[" FIRST "," SECOND "]");
    discover(&world, 90, "[" WORLD_ONE "]"); /* s-2 vanished: denied */
    struct part *part = run(&world, 120, "[" FIRST "]");
    CHECK_COVER(part, "s-2", 60, true, "access denied");
    CHECK_INT(part_cover_find(part, "s-2")->carried_at - WORLD_NOW, 120);
    discover(&world, 150, "[" WORLD_ONE "," DISABLED("s-2") "]");
    part = run(&world, 180, "[" FIRST "]");
    CHECK_COVER(part, "s-2", 60, true, "the subscription is disabled");
    CHECK_INT(part_cover_find(part, "s-2")->carried_at - WORLD_NOW, 180); /* for another reason */
    CHECK_INT(part->finding_count, 2);
    /* readable again and empty: missed first, believed by the discovery after */
    discover(&world, 210, WORLD_BOTH);
    CHECK_COVER(run(&world, 240, "[" FIRST "]"), "s-2", 60, true, NO_ROWS);
    discover(&world, 241, WORLD_BOTH);
    CHECK_COVER(run(&world, 300, "[" FIRST "]"), "s-2", 300, false, "");
}

TEST(rows_win_over_a_discovery_that_is_behind)
{
    WORLD(world);
    discover(&world, 0, "[" WORLD_ONE "," DISABLED("s-2") "]");
    struct part *part = run(&world, 60, "[" FIRST "," SECOND "]");
    CHECK_COVER(part, "s-2", 60, false, "");
    CHECK_INT(part->finding_count, 2);
}

TEST(a_list_that_broke_brings_nothing)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    run(&world, 60, "[" FIRST "," SECOND "]");
    world.broken[1] = true; /* s-2 */
    struct part *part = run(&world, 120, "[" FIRST "]");
    CHECK_COVER(part, "s-1", 120, false, "");
    CHECK_COVER(part, "s-2", 60, true, "its list could not be read");
    /* denied is the better reason */
    discover(&world, 150, "[" WORLD_ONE "]");
    CHECK_COVER(run(&world, 180, "[" FIRST "]"), "s-2", 60, true, "access denied");
}

TEST(the_first_run_of_a_broken_list_speaks_for_nobody)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    world.broken[0] = true;
    struct part *part = run(&world, 60, "[" SECOND "]");
    CHECK(!part_cover_find(part, "s-1"));
    CHECK(part_is_unread(part, "s-1") && !part_is_unread(part, "s-2"));
    CHECK(!part_is_unread(part, "s-9"));
    CHECK_COVER(part, "s-2", 60, false, "");
    CHECK(!strstr(world_text(&world, 1), "defender_findings{s-1,"));
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 0\n{s-2} 1\n");
    world.broken[0] = false;
    part = run(&world, 120, "[" FIRST "," SECOND "]");
    CHECK_COVER(part, "s-1", 120, false, "");
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 1\n{s-2} 1\n");
}

TEST(a_disabled_subscription_that_was_never_read_is_no_news)
{
    WORLD(world);
    discover(&world, 0, "[" WORLD_ONE "," DISABLED("s-2") "]");
    struct part *part = run(&world, 60, "[" FIRST "]");
    CHECK(!part_cover_find(part, "s-2") && !part_is_unread(part, "s-2"));
}

TEST(what_is_not_wanted_is_not_covered)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    run(&world, 60, "[" FIRST "," SECOND "]");
    CLEANUP(scope_drop) struct scope *scope = scope_from(NULL, "s-2");
    world.context.scope = scope;
    discover(&world, 90, WORLD_BOTH);
    struct part *part = run(&world, 120, "[" FIRST "]");
    CHECK_COVER(part, "s-1", 120, false, "");
    CHECK(!part_cover_find(part, "s-2"));
    CHECK_INT(part->finding_count, 1);
}

TEST(nothing_is_carried_longer_than_max_staleness)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    run(&world, 0, "[" FIRST "," SECOND "]");
    discover(&world, 30, "[" WORLD_ONE "]");
    struct part *part = run(&world, WORLD_STALENESS_S - 1, "[" FIRST "]");
    CHECK_COVER(part, "s-2", 0, true, "access denied");
    part = run(&world, WORLD_STALENESS_S, "[" FIRST "]"); /* to the second */
    CHECK_COVER(part, "s-2", 0, true, "access denied");
    CHECK_INT(part->finding_count, 2);
    part = run(&world, WORLD_STALENESS_S + 1, "[" FIRST "]");
    CHECK(!part_cover_find(part, "s-2"));
    CHECK(part_is_unread(part, "s-2")); /* there is nothing left to show, and still it is denied */
    CHECK_INT(part->finding_count, 1);
    /* gone is gone: nothing comes back from an older part */
    CHECK(!part_cover_find(run(&world, WORLD_STALENESS_S + 2, "[" FIRST "]"), "s-2"));
}

TEST(without_rows_and_discovery_a_part_is_silent)
{
    WORLD(world);
    struct part *part = run(&world, 0, "[]");
    CHECK_INT(part->cover_count, 0);
    CHECK_INT(part->finding_count, 0);
    CHECK_FAMILY(&world, 1, "defender_findings", "");
}

TEST(a_known_list_of_broken_ones_is_not_needed)
{
    WORLD(world);
    discover(&world, 0, WORLD_BOTH);
    struct part *part = part_create(SOURCE(assessments));
    world_feed(&world, part, 0, 0, "[" FIRST "]");
    cover_complete(part, NULL, &world.context, &(struct cover_marks){ 0 });
    CHECK_COVER(part, "s-1", 0, false, "");
    CHECK_COVER(part, "s-2", 0, false, "");
    part_release(part);
}
