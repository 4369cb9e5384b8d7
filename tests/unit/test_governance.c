/* Governance assignments: whose they are, until when, and in which state they count. */
#include "collectors/governance.h"

#include "collectors_world.h"

/* A row of the query: of the finding of key k on resource `id` of a subscription. */
#define ASSESSMENT(id, sub)                                                                        \
    "/subscriptions/" sub "/resourceGroups/G/providers/a.b/c/" id                                  \
    "/providers/Microsoft.Security/assessments/k"
#define GOVERNED(id, sub, number, owner, due, grace)                                               \
    "{\"id\":\"" ASSESSMENT(                                                                       \
        id, sub) "/governanceassignments/" number "\",\"subscriptionId\":\"" sub                   \
                 "\",\"assessmentId\":\"" ASSESSMENT(id, sub) "\",\"owner\":" owner                \
                                                              ",\"dueDate\":" due                  \
                                                              ",\"isGracePeriod\":" grace "}"

/* What WORLD_ROW calls the finding. */
static struct finding_id id_of(const char *id, const char *sub)
{
    char text[256];
    int length = snprintf(text, sizeof text,
                          "/subscriptions/%s/resourcegroups/g/providers/a.b/c/%s"
                          "/providers/microsoft.security/assessments/k",
                          sub, id);
    return finding_id(SOURCE(assessments), text, (size_t)length);
}

/* "owner due grace", "?" behind what is not known for certain. */
static const char *told(const struct world *world, const char *id, const char *sub)
{
    static char text[200];
    struct governance found;
    bool known;
    const struct finding_id finding = id_of(id, sub);
    governance_find(world->snapshot, sub, &finding, &found, &known);
    snprintf(text, sizeof text, "%s %lld%s%s", found.owner, (long long)found.due_at,
             found.grace ? " grace" : "", known ? "" : "?");
    return text;
}

static void assess(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(assessments));
    world_feed(world, part, 0, 0, rows);
    world_conclude(world, part);
}

static struct part *govern(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(governance));
    world_feed(world, part, 0, 0, rows);
    return world_conclude(world, part);
}

#define FAMILY "defender_governance_assignments"
enum { TODAY = WORLD_NOW - WORLD_NOW % 86400, DAY = 86400 }; /* 2026-01-02 */

TEST(an_assignment_is_found_by_its_finding)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    CHECK_TEXT(told(&world, "a", "s-1"), " 0"); /* the source is off: there are none */
    govern(&world, ROWS(GOVERNED("a", "s-1", "1", "\"Ann@example.com\"",
                                 "\"2026-01-05T10:00:00.0000000Z\"", "true"),
                        GOVERNED("b", "s-1", "1", "\"\"", "\"2026-01-05T00:00:00Z\"", "false"),
                        GOVERNED("c", "s-1", "1", "\"unspecified\"", "null", "null"),
                        GOVERNED("d", "s-2", "1", "null", "\"0001-01-01T00:00:00Z\"", "false")));
    char wanted[100];
    snprintf(wanted, sizeof wanted, "Ann@example.com %d grace", TODAY + 4 * DAY - 1);
    CHECK_TEXT(told(&world, "a", "s-1"), wanted);
    snprintf(wanted, sizeof wanted, " %d", TODAY + 4 * DAY - 1);
    CHECK_TEXT(told(&world, "b", "s-1"), wanted);
    CHECK_TEXT(told(&world, "c", "s-1"), " 0");
    CHECK_TEXT(told(&world, "d", "s-2"), " 0");
    CHECK_TEXT(told(&world, "e", "s-1"), " 0");
    CHECK_TEXT(told(&world, "a", "s-9"), " 0?"); /* nobody asked there */
}

/* source: the queries of the portal, which Microsoft published for reports. */
TEST(the_portals_rule_is_by_day_and_counts_what_is_open)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    govern(&world,
           ROWS(GOVERNED("a", "s-1", "1", "\"a\"", "\"2026-01-02T00:00:00Z\"", "false"),
                GOVERNED("b", "s-1", "1", "\"a\"", "\"2026-01-01T23:59:59Z\"", "true"),
                GOVERNED("c", "s-1", "1", "\"a\"", "\"2026-01-02T00:00:00Z\"", "true"),
                GOVERNED("d", "s-1", "1", "\"a\"", "null", "true"),
                GOVERNED("e", "s-1", "1", "\"a\"", "\"2020-01-01T00:00:00Z\"", "false"),
                GOVERNED("gone", "s-1", "1", "\"a\"", "\"2020-01-01T00:00:00Z\"", "false")));
    CHECK_FAMILY(&world, 0, FAMILY, ""); /* nobody knows yet what is open */
    assess(&world, ROWS(WORLD_ROW("a", "s-1", "k", "High", "Unhealthy", ""),
                        WORLD_ROW("b", "s-1", "k", "High", "Unhealthy", ""),
                        WORLD_ROW("c", "s-1", "k", "High", "Unhealthy", ""),
                        WORLD_ROW("d", "s-1", "k", "High", "Unhealthy", ""),
                        WORLD_ROW("e", "s-1", "k", "High", "Healthy", "")));
    CHECK_FAMILY(&world, 0, FAMILY,
                 "{s-1,grace} 1\n{s-1,no_due_date} 1\n{s-1,on_time} 1\n{s-1,overdue} 1\n"
                 "{s-2,grace} 0\n{s-2,no_due_date} 0\n{s-2,on_time} 0\n{s-2,overdue} 0\n");
}

/* Nobody knows what is open there: that none of it is overdue would be no zero. */
TEST(where_findings_cannot_be_read_nothing_is_counted)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    govern(&world, ROWS(GOVERNED("a", "s-1", "1", "\"a\"", "\"2026-01-01T00:00:00Z\"", "false"),
                        GOVERNED("b", "s-2", "1", "\"a\"", "\"2026-01-01T00:00:00Z\"", "false")));
    world.broken[1] = true;
    assess(&world, ROWS(WORLD_ROW("a", "s-1", "k", "High", "Unhealthy", "")));
    CHECK_FAMILY(&world, 0, FAMILY,
                 "{s-1,grace} 0\n{s-1,no_due_date} 0\n{s-1,on_time} 0\n{s-1,overdue} 1\n");
}

TEST(of_two_assignments_the_earlier_date_holds)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    govern(&world, ROWS(GOVERNED("a", "s-1", "1", "\"none\"", "null", "false"),
                        GOVERNED("A", "s-1", "2", "\"late\"", "\"2026-03-01\"", "false"),
                        GOVERNED("a", "s-1", "3", "\"soon\"", "\"2026-02-01\"", "false")));
    CHECK_CONTAINS(told(&world, "a", "s-1"), "soon ");
}

TEST(what_cannot_be_read_is_as_it_was)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    const char *const row = GOVERNED("a", "s-1", "1", "\"a\"", "\"1970-01-02T00:00:00Z\"", "true");
    govern(&world, ROWS(row));
    CHECK_TEXT(told(&world, "a", "s-1"), "a 172799 grace");
    world.broken[0] = true;
    govern(&world, "[]");
    CHECK_TEXT(told(&world, "a", "s-1"), "a 172799 grace?");
    CHECK_TEXT(told(&world, "b", "s-1"), " 0?");
    CHECK_TEXT(told(&world, "a", "s-2"), " 0");
    world.broken[0] = false;
    govern(&world, ROWS(row));
    CHECK_TEXT(told(&world, "a", "s-1"), "a 172799 grace");
    CHECK_TEXT(told(&world, "b", "s-1"), " 0");
}

/* Where all are gone at once, somebody may have lost the right to see them. */
TEST(none_at_all_any_more_is_believed_the_second_time)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    govern(&world, ROWS(GOVERNED("a", "s-1", "1", "\"a\"", "\"1970-01-02T00:00:00Z\"", "true")));
    govern(&world, "[]");
    CHECK_TEXT(told(&world, "a", "s-1"), "a 172799 grace?");
    world.context.now += 60;
    world_discover(&world, WORLD_BOTH);
    govern(&world, "[]");
    CHECK_TEXT(told(&world, "a", "s-1"), " 0");
}

TEST(an_odd_row_is_counted_and_the_others_are_kept)
{
    static const char *const odd[] = {
        GOVERNED("b", "s-1", "1", "\"a\"", "\"soon\"", "true"),
        GOVERNED("b", "s-1", "1", "\"a\"", "[1]", "true"),
        GOVERNED("b", "s-1", "1", "{}", "null", "true"),
        GOVERNED("b", "s-1", "1", "\"a\"", "null", "\"perhaps\""),
        "{\"id\":\"x\",\"subscriptionId\":\"s-1\",\"assessmentId\":null}",
        "{\"id\":null,\"subscriptionId\":\"s-1\",\"assessmentId\":\"y\"}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        WORLD(world);
        world_discover(&world, WORLD_BOTH);
        struct part *part = part_create(SOURCE(governance));
        CHECK(
            !world_try(&world, part, 0, 0,
                       ROWS(GOVERNED("a", "s-1", "1", "\"a\"", "\"1970-01-02\"", "true"), odd[i])));
        world_conclude(&world, part);
        CHECK_INT((int64_t)odd_count(&part->odd), 1);
        CHECK_TEXT(told(&world, "a", "s-1"), "a 172799 grace");
        CHECK_TEXT(told(&world, "b", "s-1"), " 0?");
        CHECK_TEXT(told(&world, "b", "s-2"), " 0");
    }
}

/* --- rules ------------------------------------------------------------------------------------ */

/* A condition of a rule; more: further members, each after a comma. */
#define CONDITION(rule, set, property, value, more)                                                \
    "{\"id\":\"" rule "|" set "|" property "\",\"ruleId\":\"" rule                                 \
    "\",\"subscriptionId\":\"s-1\",\"title\":\"Rule " rule "\",\"conditionSet\":\"" set            \
    "\",\"property\":\"" property "\",\"value\":\"" value "\"" more "}"
#define MANUALLY(owner) ",\"ownerType\":\"Manually\",\"ownerValue\":\"" owner "\""

TEST(the_rule_is_the_first_whose_conditions_hold)
{
    static const struct {
        const char *rows[4], *wanted;
    } cases[] = {
        { { CONDITION("r", "1", "$.AssessmentKey", "k", "") }, "Rule r" },
        { { CONDITION("r", "1", "name", "[\\\"x\\\",\\\"K\\\"]", "") }, "Rule r" },
        { { CONDITION("r", "1", "$.AssessmentKey", "[\\\"kk\\\"]", "") }, "" },
        { { CONDITION("r", "1", "$.AssessmentKey", "[\\\"k", "") }, "Rule r" }, /* cut by a bound */
        { { CONDITION("r", "1", "properties.metadata.severity", "High", "") }, "Rule r" },
        { { CONDITION("r", "1", "properties.metadata.risk", "Medium", "") }, "Rule r" },
        { { CONDITION("r", "1", "properties.metadata.recommendationCategory", "C", "") }, "" },
        { { CONDITION("r", "1", "$.Severity", "High", ""), CONDITION("r", "1", "name", "x", "") },
          "" },
        { { CONDITION("r", "1", "$.Severity", "High", ""), CONDITION("r", "2", "name", "x", "") },
          "Rule r" },
        { { CONDITION("b", "1", "name", "k", ",\"priority\":100"),
            CONDITION("a", "1", "name", "k", ",\"priority\":200") },
          "Rule b" },
        { { CONDITION("b", "1", "name", "k", ",\"priority\":100"),
            CONDITION("a", "1", "name", "k", ",\"priority\":200,\"managementGroup\":true") },
          "Rule a" },
        { { CONDITION("b", "1", "new", "k", ",\"priority\":100"), /* nobody knows */
            CONDITION("a", "1", "name", "k", ",\"priority\":200") },
          "" },
        { { CONDITION("b", "1", "new", "k", ",\"priority\":200"),
            CONDITION("a", "1", "name", "k", ",\"priority\":100") },
          "Rule a" },
        { { CONDITION("b", "1", "name", "k",
                      ",\"excludedScopes\":\"/x,/Subscriptions/s-1/resourceGroups/g\"") },
          "" },
        { { CONDITION("b", "1", "name", "k",
                      ",\"excludedScopes\":\"/subscriptions/s-1/resourcegroups/gg\"") },
          "Rule b" },
        { { CONDITION("b", "1", "name", "k", MANUALLY("ann@x")) }, "Rule b" },
        { { CONDITION("b", "1", "name", "k", MANUALLY("bob@x")) }, "" }, /* it is another now */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        world_discover(&world, WORLD_BOTH);
        assess(&world, ROWS(WORLD_ROW("a", "s-1", "k", "Medium", "Unhealthy", "")));
        struct part *part = part_create(SOURCE(governance));
        world_feed(&world, part, 0, 1, world_rows(cases[i].rows));
        world_conclude(&world, part);
        char scratch[PART_ID_BYTES];
        struct finding finding;
        part_view(world.snapshot->parts[SOURCE(assessments)->index], 0, &finding, scratch);
        CHECK_TEXT(governance_rule(world.snapshot, &finding, "ann@x"), cases[i].wanted);
    }
}

TEST(an_odd_rule_concludes_nothing)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = part_create(SOURCE(governance));
    world_feed(&world, part, 0, 0, "[]");
    CHECK(!world_try(&world, part, 0, 1, ROWS("{\"id\":\"x\",\"subscriptionId\":\"s-1\"}")));
    world_conclude(&world, part);
    CHECK_TEXT(told(&world, "a", "s-1"), " 0");
}
