/* Odd rows of every collector: the others are published, nothing is concluded from these. */
#include <math.h>

#include "collectors/baselines.h"
#include "collectors/secure_scores.h"
#include "collectors_world.h"

#define SUB "\"subscriptionId\":\"s-1\""
#define STATUS(code) "\"properties\":{\"status\":{\"code\":\"" code "\"}}"
#define BELOW(scope, name)                                                                         \
    "{\"id\":\"" scope "/providers/Microsoft.Security/securityConnectors/" name                    \
    "/providers/Microsoft.Security/secureScores/ascScore\"," SUB ",\"ratio\":"
#define SCORE_ID "\"id\":\"/x/securescores/ascscore\""
#define MACHINE                                                                                    \
    SUB ",\"machineId\":\"/m\",\"assessmentKey\":\"8c3d9ad0-3639-4686-9cd2-2b2ab2609bda\""
#define RULE MACHINE ",\"ruleKey\":\"r1\",\"rule\":\"Rule\""
#define ASSIGNED                                                                                   \
    SUB ",\"machineId\":\"/m\",\"assignment\":\"AzureWindowsBaseline\",\"rule\":\"Rule\""

enum effect { GAP, FREEZE, NEITHER };
enum { GRAPH, REST };

/* A row that is odd, and what comes of it. A row that stands alone is not published. */
static const struct {
    const char *collector;
    int variant, query;
    const char *row;
    enum effect effect;
    const char *why;
} cases[] = {
    /* recommendations from Resource Graph */
    { "assessments", GRAPH, 0, "{\"id\":\"/a\"," SUB "}", FREEZE, "statusCode is missing" },
    { "assessments", GRAPH, 0, "{\"id\":\"/a\"," SUB ",\"statusCode\":null}", FREEZE, "missing" },
    { "assessments", GRAPH, 0, "{\"id\":\"/a\"," SUB ",\"statusCode\":\"\"}", FREEZE, "missing" },
    { "assessments", GRAPH, 0, "{\"id\":\"/a\"," SUB ",\"statusCode\":{\"a\":1}}", FREEZE, "text" },
    { "assessments", GRAPH, 0, "{\"id\":\"/a\"," SUB ",\"statusCode\":7}", FREEZE, "missing" },
    { "assessments", GRAPH, 0, "{\"id\":\"/a\"," SUB ",\"statusCode\":\"Odd\"}", FREEZE, "Odd" },
    { "assessments", GRAPH, 0, "{\"id\":\"/a\",\"statusCode\":\"Healthy\"}", FREEZE,
      "subscription" },
    { "assessments", GRAPH, 0,
      "{\"id\":\"/a\"," SUB ",\"statusCode\":\"Unhealthy\",\"riskLevel\":\"Odd\"}", FREEZE,
      "risk" },
    { "assessments", GRAPH, 0,
      "{\"id\":\"/a\"," SUB ",\"statusCode\":\"Unhealthy\",\"statusChangeDate\":\"2026-13-45\"}",
      FREEZE, "no time" },
    { "assessments", GRAPH, 0,
      "{\"id\":\"/a\"," SUB ",\"statusCode\":\"Unhealthy\",\"title\":[\"T\"]}", FREEZE, "title" },
    { "assessments", GRAPH, 0,
      "{\"id\":\"/a\"," SUB ",\"statusCode\":\"Unhealthy\",\"isContextualRisk\":\"perhaps\"}",
      FREEZE, "true or false" },
    { "assessments", GRAPH, 0, "{" SUB ",\"statusCode\":\"Unhealthy\"}", GAP, "column id" },
    { "assessments", GRAPH, 0, "{\"id\":[],\"statusCode\":\"Unhealthy\"}", GAP, "column id" },
    /* and from the lists of a subscription */
    { "assessments", REST, 0, "{\"id\":\"/a\",\"properties\":null}", FREEZE, "status.code" },
    { "assessments", REST, 0, "{\"id\":\"/a\",\"properties\":{\"status\":null}}", FREEZE,
      "missing" },
    { "assessments", REST, 0, "{\"id\":\"/a\",\"properties\":[1]}", FREEZE, "missing" },
    { "assessments", REST, 0, "{\"id\":\"/a\"," STATUS("Odd") "}", FREEZE, "Odd" },
    { "assessments", REST, 0, "{" STATUS("Unhealthy") "}", GAP, "column id" },
    /* scores */
    { "secure_scores", GRAPH, 0, "{" SUB ",\"ratio\":1}", NEITHER, "column id" },
    { "secure_scores", GRAPH, 0, "{" SCORE_ID ",\"ratio\":1}", NEITHER, "subscriptionId" },
    { "secure_scores", GRAPH, 0, "{" SCORE_ID "," SUB ",\"ratio\":{}}", NEITHER, "a number" },
    { "secure_scores", GRAPH, 1, "{\"id\":\"/c\"," SUB ",\"current\":1}", NEITHER, "controlId" },
    { "secure_scores", GRAPH, 1, "{\"id\":\"/c\"," SUB ",\"controlId\":\"c\",\"current\":[]}",
      NEITHER, "a number" },
    /* plans */
    { "plans", GRAPH, 0, "{" SUB ",\"plan\":\"Arm\",\"pricingTier\":\"Free\"}", NEITHER,
      "column id" },
    { "plans", GRAPH, 0, "{\"id\":\"/p\"," SUB ",\"plan\":\"Arm\"}", NEITHER, "pricingTier" },
    { "plans", GRAPH, 0, "{\"id\":\"/p\"," SUB ",\"pricingTier\":\"Free\"}", NEITHER, "plan|name" },
    { "plans", GRAPH, 0, "{\"id\":\"/p\",\"plan\":\"Arm\",\"pricingTier\":\"Free\"}", NEITHER,
      "subscriptionId" },
    { "plans", GRAPH, 0,
      "{\"id\":\"/subscriptions/s-1/providers/Microsoft.Security/pricings/Arm\"," SUB
      ",\"plan\":\"Arm\",\"pricingTier\":\"Odd\"}",
      NEITHER, "Odd" },
    /* baselines: rules decide, counts do not */
    { "baselines", GRAPH, 0, "{\"ruleKey\":\"r\",\"statusCode\":\"Healthy\"}", NEITHER,
      "subscription" },
    { "baselines", GRAPH, 1, "{" MACHINE ",\"healthy\":null,\"unhealthy\":1}", NEITHER, "missing" },
    { "baselines", GRAPH, 1, "{" SUB ",\"healthy\":1,\"unhealthy\":1}", NEITHER, "machineId" },
    { "baselines", GRAPH, 2, "{" RULE "}", FREEZE, "statusCode is missing" },
    { "baselines", GRAPH, 2, "{" RULE ",\"statusCode\":\"Odd\"}", FREEZE, "status" },
    { "baselines", GRAPH, 2, "{" RULE ",\"statusCode\":\"Unhealthy\",\"severity\":\"Odd\"}", FREEZE,
      "severity" },
    { "baselines", GRAPH, 2, "{" RULE ",\"statusCode\":\"Unhealthy\",\"timeGenerated\":\"noon\"}",
      FREEZE, "no time" },
    { "baselines", GRAPH, 2, "{" SUB ",\"ruleKey\":\"r1\",\"statusCode\":\"Unhealthy\"}", GAP,
      "machineId" },
    { "baselines", GRAPH, 3, "{" ASSIGNED ",\"lastChecked\":\"never\"}", NEITHER, "no time" },
    { "baselines", GRAPH, 4, "{" ASSIGNED "}", FREEZE, "complianceStatus is missing" },
    { "baselines", GRAPH, 4, "{" ASSIGNED ",\"complianceStatus\":\"Odd\"}", FREEZE, "status" },
    { "baselines", GRAPH, 4, "{" SUB ",\"complianceStatus\":\"NonCompliant\"}", GAP, "machineId" },
    /* what the recommendations mean, and which subscriptions there are */
    { "catalogue", 0, 0, "{\"properties\":{\"displayName\":\"T\"}}", GAP, "column name" },
    { "catalogue", 0, 0, "{\"name\":\"k\",\"properties\":{\"displayName\":{}}}", GAP, "text" },
    { "subscriptions", 1, 0, "{\"displayName\":\"S\"}", GAP, "subscriptionId" },
    { "subscriptions", 1, 0, "{\"subscriptionId\":\"s-1\",\"state\":{}}", GAP, "text" },
};

static const struct source *source_of(const char *name)
{
    return source_list_named(test_sources(), name);
}

TEST(every_collector_says_what_an_odd_row_may_have_been)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf rows = { 0 };
        struct part *part = part_create(source_of(cases[i].collector));
        buf_printf(&rows, "[%s]", cases[i].row);
        if (cases[i].variant == REST && part->source->collector->role == COLLECTOR_DATA)
            world.context.subscription_id = "s-1";
        CHECK(!world_try(&world, part, (size_t)cases[i].variant, (size_t)cases[i].query,
                         buf_cstr(&rows)));
        CHECK_CONTAINS(world.error.message, cases[i].why);
        bool gap = part->gaps || (part->cover_count && part_has_gap(part, 0));
        CHECK_INT(gap, cases[i].effect == GAP);
        CHECK_INT(part->frozen_count, cases[i].effect == FREEZE);
        CHECK_INT(part->finding_count + part->closed_count, 0);
        CHECK_INT(odd_count(&part->odd), 1);
        part_release(part);
    }
}

#define FIRST "{\"id\":\"/a\"," SUB ",\"statusCode\":\"Unhealthy\",\"riskLevel\":\"Critical\"}"
#define OTHER "{\"id\":\"/b\"," SUB ",\"statusCode\":\"Unhealthy\",\"riskLevel\":\"Low\"}"
#define ODD "{\"id\":\"/A\"," SUB ",\"statusCode\":\"Odd\"}"
#define NOBODY "{" SUB ",\"statusCode\":\"Unhealthy\"}"

/* One run of assessments. */
static struct part *run(struct world *world, int64_t after_s, const char *rows)
{
    world->context.now = WORLD_NOW + after_s;
    struct part *part = part_create(SOURCE(assessments));
    world_try(world, part, GRAPH, 0, rows);
    return world_conclude(world, part);
}

TEST(an_odd_row_shows_what_was_known_of_it)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    run(&world, 0, "[" FIRST "," OTHER "]");
    for (int i = 1; i < 4; i++) {
        struct part *part = run(&world, i * 60, "[" ODD "," OTHER "]");
        CHECK_INT(part->finding_count, 2);
        CHECK(!part_cover_find(part, "s-1")->gaps);
        CHECK_CONTAINS(world_text(&world, 0), "defender_findings{s-1,azure,critical,false} 1\n");
        CHECK_CONTAINS(world_text(&world, 0),
                       "defender_assessed_resources{s-1,azure,unhealthy} 2\n");
    }
    struct part *part = run(&world, 300, "[" ODD "," OTHER "," FIRST "]"); /* explicit rows count */
    CHECK_INT(part->frozen_count, 0);
    CHECK_INT(part->finding_count, 2);
    part = run(&world, 360, "[" OTHER "]");
    CHECK_INT(part->finding_count, 1);
}

TEST(gaps_last_for_a_day_at_least)
{
    enum { DAY_S = 86400 };
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    run(&world, 0, "[" FIRST "]");
    struct part *part = run(&world, 60, "[" FIRST "," NOBODY "]");
    CHECK(part_cover_find(part, "s-1")->gaps && !part_cover_find(part, "s-2")->gaps);
    CHECK_INT(part_cover_find(part, "s-1")->gaps_at - WORLD_NOW, 60);
    part = run(&world, 61 + WORLD_STALENESS_S, "[" FIRST "," NOBODY "]");
    CHECK(part_cover_find(part, "s-1")->gaps);
    part = run(&world, 60 + DAY_S, "[" FIRST "," NOBODY "]");
    CHECK(part_cover_find(part, "s-1")->gaps);
    part = run(&world, 61 + DAY_S, "[" FIRST "," NOBODY "]");
    CHECK(!part_cover_find(part, "s-1")->gaps); /* from now on absence counts again */
    part = run(&world, 62 + DAY_S, "[" FIRST "," NOBODY "]");
    CHECK(!part_cover_find(part, "s-1")->gaps);
    part = run(&world, 63 + DAY_S, "[" FIRST "]");
    CHECK_INT(part_cover_find(part, "s-1")->gaps_at, 0);
    part = run(&world, 64 + DAY_S, "[" FIRST ",{}]"); /* of whichever */
    CHECK(part_cover_find(part, "s-1")->gaps && part_cover_find(part, "s-2")->gaps);
}

TEST(an_odd_score_is_the_last_that_was_one_and_of_two_the_worse_holds)
{
    WORLD(world);
    static const char good[] = "[{" SCORE_ID "," SUB ",\"ratio\":0.5,\"current\":5}]";
    /* clang-format off */
    static const char odd[] = "[{" SCORE_ID "," SUB ",\"ratio\":{}},"
                              BELOW("/x", "two") "0.9}," BELOW("/X", "two") "0.8},"
                              BELOW("/X", "two") "0.85}," BELOW("/x", "new") "[]}]";
    /* clang-format on */
    world_discover(&world, "[" WORLD_ONE "]");
    for (int i = 0; i < 3; i++) {
        struct part *part = part_create(SOURCE(secure_scores));
        world_try(&world, part, GRAPH, 0, i ? odd : good);
        world_conclude(&world, part);
        CHECK_FAMILY(&world, 0, "defender_secure_score_ratio",
                     i ? "{s-1,azure,none,ascscore} 0.5\n{s-1,unknown,two,ascscore} 0.8\n"
                       : "{s-1,azure,none,ascscore} 0.5\n");
    }
}

#define CONTROL(scope, points)                                                                     \
    "{\"id\":\"" scope "/secureScores/ascScore/secureScoreControls/c\"," SUB                       \
    ",\"controlId\":\"c\",\"title\":\"C\",\"healthy\":1,\"current\":" points "}"

TEST(an_odd_control_is_the_last_that_was_one_and_of_two_the_worse_holds)
{
    WORLD(world);
    static const char odd[] = "[" CONTROL("/x", "{}") "," CONTROL("/y", "9") "," CONTROL(
        "/Y", "7") "," CONTROL("/y", "8") "," CONTROL("/z", "[]") "," CONTROL("/Z", "3") "]";
    world_discover(&world, "[" WORLD_ONE "]");
    for (int i = 0; i < 3; i++) {
        struct part *part = part_create(SOURCE(secure_scores));
        world_try(&world, part, GRAPH, 1, i ? odd : "[" CONTROL("/x", "5") "]");
        size_t count;
        const struct secure_control *rows =
            secure_scores_controls(world_conclude(&world, part), &count);
        CHECK_INT(count, i ? 6 : 1);
        CHECK_NUMBER(rows[0].points, 5);
        CHECK_NUMBER(rows[0].healthy, 1);
        CHECK_TEXT(rows[0].title, "C");
        if (!i)
            continue;
        CHECK_NUMBER(rows[1].points, 7);
        CHECK(isnan(rows[2].points) && isnan(rows[3].points));
        CHECK_NUMBER(rows[4].points, 3);
        CHECK(isnan(rows[5].points));
    }
}

TEST(odd_rows_are_the_same_in_whatever_order_they_come)
{
    struct odd_rows left = { 0 }, right = { 0 }, other = { 0 };
    odd_add(&left, ODD_TYPE, "a", "why");
    odd_add(&left, ODD_TIME, "b", "why");
    odd_add(&right, ODD_TIME, "b", "why");
    odd_add(&right, ODD_TYPE, "a", "why");
    odd_add(&other, ODD_TYPE, "a", "why");
    odd_add(&other, ODD_TYPE, "b", "why");
    CHECK(left.digest == right.digest && left.digest != other.digest);
    CHECK_TEXT(left.first, "a: why");
    CHECK_INT(odd_count(&left), 2);
    for (int reason = 0; reason < ODD_REASON_COUNT; reason++)
        CHECK(odd_words[reason] && !*odd_words[reason] == (reason == ODD_NONE));
    CHECK(!odd_words[ODD_REASON_COUNT]);
}
