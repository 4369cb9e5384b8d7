/* Policy exemptions: how they are counted, and which of them holds for a finding. */
#include "collectors/exemptions.h"

#include "collectors_world.h"

#define DEFINITION "/providers/Microsoft.Authorization/policyDefinitions/P-1"
#define SCOPE(rest) "/subscriptions/s-1" rest
/* A row: number, scope, policy, category, end; more: further members, each after a comma. */
#define EXEMPTION(number, scope, policy, category, expires, more)                                  \
    "{\"id\":\"" number "\",\"exemptionId\":\"" number                                             \
    "\",\"subscriptionId\":\"S-1\",\"scope\":\"" scope                                             \
    "\",\"assignmentId\":\"a\",\"policyId\":\"" policy "\",\"reference\":\"" policy                \
    "\",\"category\":" category ",\"expiresOn\":" expires ",\"displayName\":\"D\"" more "}"

static struct part *collect(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(exemptions));
    world_feed(world, part, 0, 0, rows);
    return world_conclude(world, part);
}

TEST(those_that_hold_are_counted_once)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            ROWS(EXEMPTION("1", SCOPE(""), "p", "\"Waiver\"", "null", ""),
                 EXEMPTION("2", SCOPE(""), "p", "\"Waiver\"", "\"2026-01-03T00:00:00Z\"", ""),
                 EXEMPTION("3", SCOPE("/a"), "p", "\"waiver\"", "\"2026-01-09T00:00:00Z\"", ""),
                 EXEMPTION("4", SCOPE("/b"), "p", "\"Mitigated\"", "\"2026-01-10T00:00:00Z\"", ""),
                 EXEMPTION("5", SCOPE("/b"), "q", "\"Mitigated\"", "\"2026-03-01T00:00:00Z\"", ""),
                 EXEMPTION("6", SCOPE("/b"), "r", "\"New\"", "null", ""),
                 EXEMPTION("7", SCOPE("/c"), "r", "null", "\"2026-01-01T00:00:00Z\"", "")));
    CHECK_FAMILY(&world, 0, "defender_exemptions",
                 "{s-1,mitigated} 2\n{s-1,other} 1\n{s-1,waiver} 2\n"
                 "{s-2,mitigated} 0\n{s-2,other} 0\n{s-2,waiver} 0\n");
    CHECK_FAMILY(&world, 0, "defender_exemptions_expiring",
                 "{s-1,30d} 2\n{s-1,7d} 1\n{s-2,30d} 0\n{s-2,7d} 0\n");
    CHECK_FAMILY(&world, 0, "defender_exemptions_expired", "{s-1} 1\n{s-2} 0\n");
}

/* The exemption of the finding of WORLD_ROW("a", "s-1", "k", ...): "category reason end". */
static const char *told(const struct world *world)
{
    static char text[200];
    char scratch[PART_ID_BYTES];
    struct finding finding;
    struct exemption found;
    part_view(world->snapshot->parts[INDEX(assessments)], 0, &finding, scratch);
    if (!exemptions_find(world->snapshot, &finding, WORLD_NOW, &found))
        return "none";
    snprintf(text, sizeof text, "%s %s %s %lld", found.category, found.title, found.reason,
             (long long)found.expires_at);
    return text;
}

TEST(a_finding_has_the_exemption_of_its_policy_that_ends_last)
{
    static const struct {
        const char *rows[3], *wanted;
    } cases[] = {
        { { EXEMPTION("1", SCOPE(""), DEFINITION, "\"Waiver\"", "null", ",\"reason\":\"R\"") },
          "waiver D R 0" },
        { { EXEMPTION("1", SCOPE("/resourceGroups/G"), DEFINITION, "\"Waiver\"", "null", "") },
          "waiver D  0" },
        { { EXEMPTION("1", SCOPE("/resourceGroups/gg"), DEFINITION, "\"Waiver\"", "null", "") },
          "none" },
        { { EXEMPTION("1", SCOPE("/resourceGroups/g/providers/a.b/c/a"), DEFINITION,
                      "\"Mitigated\"", "\"2026-02-01T00:00:00Z\"", "") },
          "mitigated D  1769904000" },
        { { EXEMPTION("1", SCOPE("/resourceGroups/g/providers/a.b/c/b"), DEFINITION,
                      "\"Mitigated\"", "null", "") },
          "none" },
        { { EXEMPTION("1", SCOPE(""), "other", "\"Waiver\"", "null", "") }, "none" },
        { { EXEMPTION("1", SCOPE(""), "", "\"Waiver\"", "null", "") }, "none" },
        { { EXEMPTION("1", SCOPE(""), DEFINITION, "\"Waiver\"", "\"2026-01-01T00:00:00Z\"", "") },
          "none" },
        { { EXEMPTION("1", SCOPE(""), DEFINITION, "\"Waiver\"", "\"2026-02-01T00:00:00Z\"", ""),
            EXEMPTION("2", SCOPE(""), DEFINITION, "\"Mitigated\"", "\"2026-02-02T00:00:00Z\"",
                      "") },
          "mitigated D  1769990400" },
        { { EXEMPTION("1", SCOPE(""), DEFINITION, "\"Waiver\"", "null", ""),
            EXEMPTION("2", SCOPE(""), DEFINITION, "\"Mitigated\"", "\"2026-02-02T00:00:00Z\"",
                      "") },
          "waiver D  0" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        world_discover(&world, WORLD_BOTH);
        struct part *part = part_create(SOURCE(catalogue));
        world_feed(
            &world, part, 0, 0,
            ROWS("{\"name\":\"k\",\"properties\":{\"policyDefinitionId\":\"" DEFINITION "\"}}"));
        world_conclude(&world, part);
        part = part_create(SOURCE(assessments));
        world_feed(&world, part, 0, 0, ROWS(WORLD_ROW("a", "s-1", "k", "High", "Unhealthy", "")));
        world_conclude(&world, part);
        CHECK_TEXT(told(&world), "none");
        collect(&world, world_rows(cases[i].rows));
        CHECK_TEXT(told(&world), cases[i].wanted);
    }
}

TEST(an_odd_row_is_counted_and_the_others_are_kept)
{
    static const char *const odd[] = {
        EXEMPTION("2", SCOPE("/x"), "p", "\"Waiver\"", "\"soon\"", ""),
        EXEMPTION("2", SCOPE("/x"), "p", "{}", "null", ""),
        "{\"id\":\"2\",\"exemptionId\":\"2\",\"subscriptionId\":\"s-1\"}",
        "{\"id\":\"2\",\"exemptionId\":\"2\",\"scope\":\"/x\",\"subscriptionId\":null}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        WORLD(world);
        world_discover(&world, "[" WORLD_ONE "]");
        struct part *part = part_create(SOURCE(exemptions));
        CHECK(!world_try(&world, part, 0, 0,
                         ROWS(EXEMPTION("1", SCOPE(""), "p", "\"Waiver\"", "null", ""), odd[i])));
        world_conclude(&world, part);
        CHECK_INT((int64_t)odd_count(&part->odd), 1);
        CHECK_FAMILY(&world, 0, "defender_exemptions",
                     "{s-1,mitigated} 0\n{s-1,other} 0\n{s-1,waiver} 1\n");
    }
}
