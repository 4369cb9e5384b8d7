/* Secure score points that exempted resources hold. */
#include "collectors_world.h"

#define POLICY "/providers/Microsoft.Authorization/policyDefinitions/"
#define META(key, preview)                                                                         \
    "{\"name\":\"" key "\",\"properties\":{\"policyDefinitionId\":\"" POLICY key                   \
    "\",\"preview\":" preview "}}"
#define EXEMPT(id, sub, key)                                                                       \
    WORLD_ROW(id, sub, key, "High", "NotApplicable", ",\"statusCause\":\"Exempt\"")
#define OPEN(id, sub, key) WORLD_ROW(id, sub, key, "High", "Unhealthy", "")
#define HEALTHY(id, sub, key) WORLD_ROW(id, sub, key, "High", "Healthy", "")
#define CONTROL(sub, name, max, healthy, unhealthy, keys)                                          \
    "{\"id\":\"/subscriptions/" sub "/x/" name "\",\"subscriptionId\":\"" sub                      \
    "\",\"controlId\":\"" name "\",\"max\":" max ",\"healthy\":" healthy                           \
    ",\"unhealthy\":" unhealthy ",\"assessments\":[" keys "]}"
#define KEY(key) "\"/providers/Microsoft.Security/assessmentMetadata/" key "\""
#define EXEMPTION(number, sub, key, category, expires)                                             \
    "{\"id\":\"" number "\",\"exemptionId\":\"" number "\",\"subscriptionId\":\"" sub              \
    "\",\"scope\":\"/subscriptions/" sub "\",\"policyId\":\"" POLICY key                           \
    "\",\"category\":\"" category "\",\"expiresOn\":" expires "}"

static void feed(struct world *world, const struct source *source, size_t query, const char *rows)
{
    struct part *part = part_create(source);
    world_feed(world, part, 0, query, rows);
    world_conclude(world, part);
}

static void begin(struct world *world, const char *controls)
{
    world_discover(world, WORLD_BOTH);
    feed(world, SOURCE(secure_scores), 1, controls);
    feed(world, SOURCE(catalogue), 0,
         ROWS(META("a", "false"), META("b", "false"), META("p", "true")));
}

TEST(what_is_exempted_holds_its_share_of_a_control)
{
    WORLD(world);
    begin(&world, ROWS(CONTROL("s-1", "c1", "10", "6", "2", KEY("a") "," KEY("b") "," KEY("p")),
                       CONTROL("s-1", "c2", "4", "1", "0", KEY("b")),
                       CONTROL("s-2", "c1", "10", "3", "2", KEY("a"))));
    feed(&world, SOURCE(assessments), 0,
         ROWS(EXEMPT("one", "s-1", "a"), EXEMPT("two", "s-1", "a"), HEALTHY("two", "s-1", "b"),
              EXEMPT("fails", "s-1", "a"), OPEN("FAILS", "s-1", "b"), /* costs the points anyway */
              EXEMPT("preview", "s-1", "p"), EXEMPT("stranger", "s-1", "other"),
              OPEN("three", "s-1", "a"), HEALTHY("x", "s-2", "a")));
    feed(&world, SOURCE(exemptions), 0, "[]"); /* of a management group: not known, left out */
    CHECK_FAMILY(&world, 1, "defender_exempted_points",
                 "{s-1} 2\n{s-2} 0\n"); /* 10 x 2 / (8 + 2) */
    feed(&world, SOURCE(exemptions), 0,
         ROWS(EXEMPTION("1", "s-1", "a", "Mitigated", "null"),
              EXEMPTION("2", "s-1", "a", "Waiver", "\"2026-01-01T00:00:00Z\""), /* over */
              EXEMPTION("3", "s-2", "a", "Waiver", "null")));
    CHECK_FAMILY(&world, 1, "defender_exempted_points", "{s-1} 2.5\n{s-2} 0\n"); /* 10 x 2 / 8 */
    feed(&world, SOURCE(exemptions), 0,
         ROWS(EXEMPTION("1", "s-1", "a", "Mitigated", "null"),
              EXEMPTION("2", "s-1", "a", "Waiver", "null")));
    CHECK_FAMILY(&world, 1, "defender_exempted_points", "{s-1} 2\n{s-2} 0\n");
}

TEST(no_more_than_a_control_has)
{
    WORLD(world);
    begin(&world, ROWS(CONTROL("s-1", "c1", "10", "1", "0", KEY("a"))));
    feed(&world, SOURCE(assessments), 0,
         ROWS(EXEMPT("one", "s-1", "a"), EXEMPT("two", "s-1", "a")));
    feed(&world, SOURCE(exemptions), 0, ROWS(EXEMPTION("1", "s-1", "a", "Mitigated", "null")));
    CHECK_FAMILY(&world, 1, "defender_exempted_points", "{s-1} 10\n");
}

TEST(without_controls_or_results_there_are_no_points)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    feed(&world, SOURCE(assessments), 0, ROWS(EXEMPT("one", "s-1", "a")));
    feed(&world, SOURCE(exemptions), 0, "[]");
    CHECK_FAMILY(&world, 1, "defender_exempted_points", "");
    feed(&world, SOURCE(secure_scores), 1, ROWS(CONTROL("s-1", "c1", "null", "1", "0", KEY("a"))));
    CHECK_FAMILY(&world, 1, "defender_exempted_points", "");
}

/* What cannot be read any more is shown as it was. */
TEST(what_is_exempted_outlives_a_subscription_that_is_denied)
{
    WORLD(world);
    begin(&world, ROWS(CONTROL("s-1", "c1", "10", "1", "3", KEY("a"))));
    feed(&world, SOURCE(exemptions), 0, ROWS(EXEMPTION("1", "s-1", "a", "Mitigated", "null")));
    feed(&world, SOURCE(assessments), 0, ROWS(EXEMPT("one", "s-1", "a")));
    CHECK_FAMILY(&world, 1, "defender_exempted_points", "{s-1} 2.5\n");
    world.broken[0] = true;
    feed(&world, SOURCE(assessments), 0, "[]");
    CHECK_FAMILY(&world, 1, "defender_exempted_points", "{s-1} 2.5\n");
}
