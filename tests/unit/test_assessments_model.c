/* Grouped and individual recommendations: told apart, counted once, never a series for each. */
#include "collectors/assessments_model.h"

#include "collectors/assessments.h"
#include "collectors_world.h"

#define CATEGORY(word) ",\"recommendationCategory\":\"" word "\",\"categories\":\"Compute\""
#define UPDATE CATEGORY("SoftwareUpdate")
#define GROUPED ",\"grouped\":\"true\",\"categories\":\"Compute\""
#define MACHINES "1195afff-c881-495e-9bc5-1486211ae03f" /* vulnerabilities of machines */
#define ROW(id, key, risk, code, more) WORLD_ROW(id, "s-1", key, risk, code, more)

static struct part *collect(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(assessments));
    world_feed(world, part, 0, 0, rows);
    return world_conclude(world, part);
}

TEST(a_row_tells_its_model)
{
    static const struct {
        const char *category;
        bool grouped;
        enum finding_model model;
    } cases[] = {
        { "", false, MODEL_PLAIN },
        { "", true, MODEL_GROUPED },
        { "Unknown", false, MODEL_PLAIN },
        { "unknown", true, MODEL_GROUPED },
        { "SoftwareUpdate", false, MODEL_INDIVIDUAL },
        { "System updates", true, MODEL_INDIVIDUAL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(assessments_model_of(cases[i].category, cases[i].grouped), cases[i].model);
}

TEST(a_grouped_one_is_known_by_its_key_or_its_title)
{
    static const struct {
        const char *key, *title, *kind;
    } cases[] = {
        { "C0B7CFC6-3172-465a-b378-53c7ff2cc0d5", "x", "SoftwareUpdate" },
        { "k", "Exposed secrets found on machines should be removed", "ExposedSecrets" },
        { "k", "GitHub repositories should have code scanning findings resolved",
          "CodeVulnerabilities" },
        { "k", "Repositories should have infrastructure as code scanning findings resolved",
          "IacVulnerabilities" },
        { "k", "SQL databases should have vulnerability findings resolved", "SqlVulnerabilities" },
        { "k", "Machines should have vulnerability findings resolved", "SoftwareUpdate" },
        { "k", "System updates should be installed", "SoftwareUpdate" },
        { "1f655fb7-63ca-4980-91a3-56dbc2b715c6", "Vulnerabilities in security configuration", "" },
        { "k", "Storage accounts should restrict network access", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(assessments_model_kind(cases[i].key, cases[i].title), cases[i].kind);
}

TEST(individual_ones_are_a_category_and_no_series_each)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part =
        collect(&world, ROWS(ROW("m1", "p1", "High", "Unhealthy", UPDATE),
                             ROW("m1", "p2", "High", "Unhealthy", UPDATE),
                             ROW("m2", "p3", "Low", "Unhealthy", CATEGORY("ExposedSecrets")),
                             ROW("m2", "g1", "Medium", "Unhealthy",
                                 ",\"grouped\":\"true\",\"categories\":"
                                 "\"Data\""),
                             ROW("m3", "k1", "Low", "Unhealthy", ",\"categories\":\"Compute\"")));
    CHECK_INT(part->finding_count, 5);
    CHECK_FAMILY(&world, 1, "defender_recommendation_findings",
                 "{grouped,Data,medium} 1\n{individual,ExposedSecrets,low} 1\n"
                 "{individual,SoftwareUpdate,high} 2\n");
    CHECK_FAMILY(&world, 1, "defender_assessment_findings", "{g1,medium} 1\n{k1,low} 1\n");
    CHECK_FAMILY(&world, 2, "defender_assessment_subscription_findings",
                 "{g1,s-1,medium} 1\n{k1,s-1,low} 1\n");
    const char *text = world_text(&world, 2);
    CHECK_CONTAINS(text,
                   "defender_assessment_info{g1,T,Data,high,unknown,unknown,unknown,grouped} 1\n");
    CHECK_CONTAINS(text,
                   "defender_assessment_info{k1,T,Compute,high,unknown,unknown,unknown,plain} 1\n");
    CHECK(!strstr(text, "p1"));
    char scratch[PART_ID_BYTES];
    struct finding view;
    for (size_t i = 0; i < part->finding_count; i++) {
        part_view(part, i, &view, scratch);
        if (!strcmp(view.assessment_id, "p1")) {
            CHECK_TEXT(view.category, "SoftwareUpdate");
            CHECK_INT(view.model, MODEL_INDIVIDUAL);
        }
    }
}

TEST(a_grouped_one_is_left_out_where_individual_ones_tell_the_same)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part =
        collect(&world, ROWS(ROW("M1", MACHINES, "High", "Unhealthy", GROUPED),
                             ROW("m1", "p1", "", "Healthy", UPDATE), /* healthy ones tell, too */
                             ROW("m2", MACHINES, "High", "Unhealthy", GROUPED),
                             ROW("m2", "p2", "High", "Unhealthy", CATEGORY("ExposedSecrets")),
                             ROW("m3", "k1", "High", "Unhealthy", ""),
                             ROW("m3", "p1", "High", "Unhealthy", UPDATE)));
    CHECK_FAMILY(&world, 1, "defender_assessment_findings", "{" MACHINES ",high} 1\n{k1,high} 1\n");
    CHECK_FAMILY(&world, 0, "defender_assessed_resources",
                 "{s-1,azure,exempt} 0\n{s-1,azure,healthy} 1\n{s-1,azure,not_applicable} "
                 "0\n{s-1,azure,unhealthy} 4\n");
    CHECK_INT(part->finding_count, 4);
    CHECK_INT(part->closed_count, 2);
    int retired = 0;
    for (size_t i = 0; i < part->closed_count; i++)
        retired += part->closed[i].reason == REASON_RETIRED;
    CHECK_INT(retired, 1);
}

/* A row of the key "secrets", which only its title explains. */
#define SECRETS(id, title, code)                                                                   \
    "{\"id\":\"/subscriptions/s-1/resourcegroups/g/providers/a.b/c/" id                            \
    "/providers/microsoft.security/assessments/secrets\",\"assessmentKey\":\"Secrets\","           \
    "\"subscriptionId\":\"s-1\",\"resourceId\":\"/subscriptions/s-1/resourcegroups/g/providers/"   \
    "a.b/c/" id "\",\"resourceType\":\"a.b/c\",\"title\":\"" title "\",\"severity\":\"High\","     \
    "\"riskLevel\":\"High\",\"statusCode\":\"" code "\"" GROUPED "}"
#define SECRET CATEGORY("ExposedSecrets")

/* The only one that is open may have none, and the one with a title may come first or last. */
TEST(a_grouped_row_without_a_title_is_called_as_the_others)
{
    static const char *const orders[][4] = {
        { SECRETS("m1", "", "Unhealthy"), ROW("m1", "p1", "High", "Unhealthy", SECRET),
          SECRETS("m0", "Exposed secrets should be removed", "Healthy") },
        { SECRETS("m0", "Exposed secrets should be removed", "Healthy"),
          ROW("m1", "p1", "High", "Unhealthy", SECRET), SECRETS("m1", "", "Unhealthy") },
        { SECRETS("m1", "", "Unhealthy"), ROW("m1", "p1", "High", "Unhealthy", SECRET),
          SECRETS("m0", "Exposed secrets should be removed", "Unhealthy") },
    };
    for (size_t i = 0; i < ARRAY_COUNT(orders); i++) {
        WORLD(world);
        world_discover(&world, "[" WORLD_ONE "]");
        struct part *part = collect(&world, world_rows(orders[i]));
        CHECK_INT(part->finding_count, i == 2 ? 2 : 1);
        size_t retired = 0;
        for (size_t j = 0; j < part->closed_count; j++)
            retired += part->closed[j].reason == REASON_RETIRED;
        CHECK_INT(retired, 1);
    }
}

TEST(rules_of_baselines_are_left_to_their_collector)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = collect(
        &world, ROWS(ROW("m1", "p1", "High", "Unhealthy", CATEGORY("OperatingSystemBaseline"))));
    CHECK_INT(part->finding_count, 0);
    CHECK_INT(part->cover[0].collected_at, WORLD_NOW);
}

TEST(rows_are_counted_by_model)
{
    uint64_t rows[MODEL_COUNT];
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = collect(&world, ROWS(ROW("m1", "p1", "", "Healthy", UPDATE),
                                             ROW("m1", "p2", "High", "Unhealthy", UPDATE),
                                             ROW("m2", "g1", "", "NotApplicable", GROUPED)));
    CHECK(assessments_models(part, rows));
    CHECK_INT(rows[MODEL_INDIVIDUAL], 2);
    CHECK_INT(rows[MODEL_GROUPED], 1);
    CHECK_INT(rows[MODEL_PLAIN], 0);
    CHECK(!assessments_models(world.snapshot->parts[INDEX(subscriptions)], rows));
    CHECK(!assessments_models(NULL, rows));
}
