/* The classic secure score: rows of both sources in, points and controls out. */
#include "collectors/secure_scores.h"

#include "collectors_world.h"

enum { GRAPH, REST };
enum { SCORES, CONTROLS };

#define SCORE(sub, name, points, max, ratio, weight)                                               \
    "{\"id\":\"/subscriptions/" sub "/providers/Microsoft.Security/secureScores/" name             \
    "\",\"subscriptionId\":\"" sub "\",\"current\":" points ",\"max\":" max ",\"ratio\":" ratio    \
    ",\"weight\":" weight "}"
#define CONTROL(sub, id, title, points, healthy, unhealthy, more)                                  \
    "{\"id\":\"/" sub "/" id "\",\"subscriptionId\":\"" sub "\",\"controlId\":\"" id               \
    "\",\"title\":\"" title "\",\"current\":" points ",\"max\":10,\"healthy\":" healthy            \
    ",\"unhealthy\":" unhealthy ",\"notApplicable\":3" more "}"

static struct part *collect(struct world *world, const char *scores, const char *controls)
{
    struct part *part = part_create(SOURCE(secure_scores));
    world_feed(world, part, GRAPH, SCORES, scores);
    world_feed(world, part, GRAPH, CONTROLS, controls);
    return world_conclude(world, part);
}

TEST(scores_keep_azures_numbers)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            "[" SCORE("s-1", "ascScore", "28.84", "60", "0.4807", "266") "," SCORE(
                "s-1", "Custom", "0", "0", "0", "0") "," SCORE("S-2", "ascScore", "1e1", "\"12.5\"",
                                                               "0.8", "\"7\"") "]",
            "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points",
                 "{s-1,ascscore} 28.84\n{s-1,custom} 0\n{s-2,ascscore} 10\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_max_points",
                 "{s-1,ascscore} 60\n{s-1,custom} 0\n{s-2,ascscore} 12.5\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio",
                 "{s-1,ascscore} 0.4807\n{s-1,custom} 0\n{s-2,ascscore} 0.8\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_weight",
                 "{s-1,ascscore} 266\n{s-1,custom} 0\n{s-2,ascscore} 7\n");
}

TEST(what_azure_does_not_tell_is_absent_not_zero)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            "[" SCORE("s-1", "null", "null", "null", "null", "0") "," SCORE(
                "s-1", "nan", "0", "0", "\"NaN\"", "0") "," SCORE("s-1", "far", "1e999", "5",
                                                                  "\"Infinity\"", "\"many\"") "]",
            "[" CONTROL("s-1", "c-1", "", "null", "null", "1e999", "") "]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio", "");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points", "{s-1,nan} 0\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_max_points", "{s-1,far} 5\n{s-1,nan} 0\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_weight", "{s-1,nan} 0\n");
    CHECK_FAMILY(&world, 1, "defender_control_points", "");
    CHECK_FAMILY(&world, 1, "defender_control_max_points", "{s-1,c-1} 10\n");
    CHECK_FAMILY(&world, 1, "defender_control_resources", "{s-1,c-1,not_applicable} 3\n");
}

TEST(controls_keep_their_resources)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world, "[]",
            "[" CONTROL("s-1", "C-1", "Enable MFA", "1.5", "4", "17",
                        "") "," CONTROL("s-2", "c-1", "Other words", "0", "0", "0",
                                        "") "," CONTROL("s-2", "c-2", "", "10", "9", "0", "") "]");
    CHECK_FAMILY(&world, 1, "defender_control_points",
                 "{s-1,c-1} 1.5\n{s-2,c-1} 0\n{s-2,c-2} 10\n");
    CHECK_FAMILY(&world, 1, "defender_control_max_points",
                 "{s-1,c-1} 10\n{s-2,c-1} 10\n{s-2,c-2} 10\n");
    CHECK_FAMILY(&world, 1, "defender_control_resources",
                 "{s-1,c-1,healthy} 4\n{s-1,c-1,not_applicable} 3\n{s-1,c-1,unhealthy} 17\n"
                 "{s-2,c-1,healthy} 0\n{s-2,c-1,not_applicable} 3\n{s-2,c-1,unhealthy} 0\n"
                 "{s-2,c-2,healthy} 9\n{s-2,c-2,not_applicable} 3\n{s-2,c-2,unhealthy} 0\n");
    /* one name for each control, though every subscription tells it */
    CHECK_FAMILY(&world, 1, "defender_control_info", "{c-1,Enable MFA} 1\n{c-2,unknown} 1\n");
    CHECK_FAMILY(&world, 0, "defender_control_info", ""); /* level 1 */
}

TEST(lists_name_the_same_facts_elsewhere)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = part_create(SOURCE(secure_scores));
    world.context.subscription_id = "s-1"; /* rows of lists do not say whose they are */
    world_feed(&world, part, REST, SCORES,
               "[{\"id\":\"/subscriptions/X/providers/Microsoft.Security/secureScores/ascScore\","
               "\"properties\":{\"score\":{\"current\":5,\"max\":20,\"percentage\":0.25},"
               "\"weight\":3}}]");
    world_feed(&world, part, REST, CONTROLS,
               "[{\"id\":\"y\",\"name\":\"C-9\",\"properties\":{\"displayName\":\"Nine\","
               "\"score\":{\"current\":2,\"max\":4},\"healthyResourceCount\":1,"
               "\"unhealthyResourceCount\":2,\"notApplicableResourceCount\":5}}]");
    world.context.subscription_id = NULL;
    world_conclude(&world, part);
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio", "{s-1,ascscore} 0.25\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_weight", "{s-1,ascscore} 3\n");
    CHECK_FAMILY(&world, 1, "defender_control_points", "{s-1,c-9} 2\n");
    CHECK_FAMILY(&world, 1, "defender_control_resources",
                 "{s-1,c-9,healthy} 1\n{s-1,c-9,not_applicable} 5\n{s-1,c-9,unhealthy} 2\n");
    CHECK_FAMILY(&world, 1, "defender_control_info", "{c-9,Nine} 1\n");
}

TEST(recommendations_of_a_control_are_keys)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = collect(&world, "[]",
                                "[" CONTROL(
                                    "s-1", "c-1", "", "0", "0", "0",
                                    ",\"assessments\":[{\"id\":\"/providers/Microsoft.Security/"
                                    "assessmentMetadata/AB-1\"},{\"id\":\"bare-KEY\"},{\"id\":\"/x/"
                                    "\"}]") "," CONTROL("s-1", "c-2", "", "0", "0", "0",
                                                        ",\"assessments\":[]") "," CONTROL("s-1",
                                                                                           "c-3",
                                                                                           "", "0",
                                                                                           "0", "0",
                                                                                           "") "]");
    size_t count;
    const struct secure_control *controls = secure_scores_controls(part, &count);
    CHECK_INT(count, 3);
    CHECK_TEXT(controls[0].assessments, "ab-1,bare-key,");
    CHECK_TEXT(controls[1].assessments, "");
    CHECK_TEXT(controls[2].assessments, "");
}

TEST(rows_come_out_in_azures_order)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = collect(
        &world,
        "[" SCORE("s-2", "b", "1", "2", "0.5", "1") "," SCORE("s-1", "a", "2", "2", "1", "1") "]",
        "[]");
    size_t count;
    const struct secure_score *scores = secure_scores_all(part, &count);
    CHECK_INT(count, 2);
    CHECK_TEXT(scores[0].initiative, "b");
    CHECK_TEXT(scores[0].subscription_id, "s-2");
    CHECK_TEXT(scores[1].initiative, "a");
    CHECK_NUMBER(scores[1].ratio, 1);
    CHECK(secure_scores_controls(part, &count) == NULL || count == 0);
}

TEST(other_parts_have_no_scores)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(assessments));
    size_t count = 7;
    CHECK(!secure_scores_all(part, &count));
    CHECK_INT(count, 0);
    count = 7;
    CHECK(!secure_scores_controls(part, &count));
    CHECK_INT(count, 0);
    CHECK(!secure_scores_all(NULL, &count));
    CHECK(secure_scores_are_from(SOURCE(secure_scores)));
    CHECK(!secure_scores_are_from(SOURCE(assessments)));
    part_release(part);
}

TEST(a_row_of_no_subscription_is_refused)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(secure_scores));
    CHECK(!world_try(&world, part, GRAPH, SCORES, "[{\"id\":\"x\"}]"));
    CHECK_INT(world.error.code, ERROR_PARSE);
    CHECK_CONTAINS(world.error.message, "subscriptionId");
    CHECK(!world_try(&world, part, GRAPH, CONTROLS, "[{\"id\":\"x\",\"subscriptionId\":\"s\"}]"));
    CHECK_CONTAINS(world.error.message, "controlId");
    CHECK(!world_try(&world, part, GRAPH, SCORES,
                     "[{\"id\":\"x\",\"subscriptionId\":\"s\",\"current\":{}}]"));
    CHECK_CONTAINS(world.error.message, "current");
    part_release(part);
}

TEST(scores_of_a_subscription_that_cannot_be_read_stay)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            "[" SCORE("s-1", "a", "1", "2", "0.5",
                      "1") "," SCORE("s-2", "a", "3", "4", "0.75",
                                     "2") "," SCORE("s-2", "b", "5", "8", "0.625", "3") "]",
            "[" CONTROL("s-2", "c-1", "Words", "6", "1", "2",
                        ",\"assessments\":[{\"id\":\"/m/K1\"}]") "]");
    for (int run = 1; run <= 2; run++) { /* carried, and carried again */
        world.context.now = WORLD_NOW + run * 60;
        world_discover(&world, "[" WORLD_ONE "]");
        struct part *part = collect(&world, "[" SCORE("s-1", "a", "2", "2", "1", "1") "]", "[]");
        CHECK_FAMILY(&world, 0, "defender_secure_score_points",
                     "{s-1,a} 2\n{s-2,a} 3\n{s-2,b} 5\n");
        CHECK_FAMILY(&world, 1, "defender_control_points", "{s-2,c-1} 6\n");
        CHECK_FAMILY(&world, 1, "defender_control_info", "{c-1,Words} 1\n");
        size_t count;
        const struct secure_control *controls = secure_scores_controls(part, &count);
        CHECK_INT(count, 1);
        CHECK_TEXT(controls[0].assessments, "k1");
    }
    /* too old: nothing is shown rather than something that may be wrong */
    world.context.now = WORLD_NOW + WORLD_STALENESS_S + 1;
    collect(&world, "[" SCORE("s-1", "a", "2", "2", "1", "1") "]", "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points", "{s-1,a} 2\n");
    CHECK_FAMILY(&world, 1, "defender_control_info", "");
}

TEST(new_scores_replace_the_old_ones_whole)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(
        &world,
        "[" SCORE("s-1", "a", "1", "2", "0.5", "1") "," SCORE("s-1", "b", "1", "2", "0.5", "1") "]",
        "[" CONTROL("s-1", "c-1", "", "6", "1", "2", "") "]");
    collect(&world, "[" SCORE("s-1", "a", "2", "2", "1", "1") "]",
            "[" CONTROL("s-1", "c-2", "", "1", "1", "2", "") "]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points", "{s-1,a} 2\n");
    CHECK_FAMILY(&world, 1, "defender_control_points", "{s-1,c-2} 1\n");
}

TEST(a_subscription_without_a_score_has_no_series)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = collect(&world, "[]", "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points", "");
    CHECK_FAMILY(&world, 1, "defender_control_info", "");
    CHECK(part_cover_find(part, "s-1") && part_cover_find(part, "s-1")->empty);
}
