/* Recommendations as Azure counts them: rows of three queries in, the metrics of rows out. */
#include "collectors/assessments_summary.h"

#include "collectors_world.h"

enum { GRAPH, REST, SUMMARY };

#define RESULT(source, code, cause, risk, contextual, results, more)                               \
    "{\"id\":\"" source code cause risk contextual                                                 \
    "\",\"subscriptionId\":\"s-1\",\"source\":\"" source "\",\"statusCode\":\"" code               \
    "\",\"statusCause\":\"" cause "\",\"riskLevel\":\"" risk                                       \
    "\",\"isContextualRisk\":\"" contextual "\",\"results\":" results more "}"
#define NOWHERE ",\"onAttackPath\":0,\"exposed\":0"
#define PLACES                                                                                     \
    ",\"onAttackPath\":2,\"exposed\":1,\"oldest\":\"2026-01-01T00:00:00Z\",\"newest\":"            \
    "\"2026-01-02T00:00:00Z\""
#define RECOMMENDATION(key, risk, findings, category, grouped)                                     \
    "{\"id\":\"" key risk "\",\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" key                 \
    "\",\"riskLevel\":\"" risk "\",\"findings\":" findings ",\"title\":\"Title of " key            \
    "\",\"assessmentType\":\"BuiltIn\",\"severity\":\"High\",\"categories\":\"Compute\","          \
    "\"recommendationCategory\":\"" category "\",\"grouped\":\"" grouped "\"}"
#define RESOURCES(source, type, worst, resources, high, low)                                       \
    "{\"id\":\"" source type worst "\",\"subscriptionId\":\"s-1\",\"source\":\"" source            \
    "\",\"resourceType\":\"" type "\",\"worst\":" worst ",\"resources\":" resources                \
    ",\"critical\":0,\"high\":" high ",\"medium\":0,\"low\":" low ",\"notEvaluated\":0}"

static void summarize(struct world *world)
{
    world->context.variant = &SOURCE(assessments)->collector->variants[SUMMARY];
    CHECK(world->context.variant->summary);
}

static struct part *collect(struct world *world, const char *results, const char *recommendations,
                            const char *resources)
{
    struct part *part = part_create(SOURCE(assessments));
    world_feed(world, part, SUMMARY, SUMMARY_RESULTS, results);
    world_feed(world, part, SUMMARY, SUMMARY_RECOMMENDATIONS, recommendations);
    world_feed(world, part, SUMMARY, SUMMARY_RESOURCES, resources);
    return world_conclude(world, part);
}

/* Of the rows below. */
static const char *const summary_lines[] = {
    "defender_findings{s-1,azure,high,true} 5\n",
    "defender_findings{s-1,azure,high,false} 2\n",
    "defender_findings{s-1,azure,critical,true} 0\n",
    "defender_findings{s-1,aws,not_evaluated,false} 1\n",
    "defender_assessed_resources{s-1,azure,unhealthy} 7\n",
    "defender_assessed_resources{s-1,azure,exempt} 3\n",
    "defender_assessed_resources{s-1,azure,healthy} 40\n",
    "defender_assessed_resources{s-1,azure,not_applicable} 10\n",
    "defender_plan_off_results{s-1,azure} 6\n",
    "defender_affected_resources{s-1,azure,high} 4\n",
    "defender_affected_resources{s-1,aws,not_evaluated} 1\n",
    "defender_findings_on_attack_path{s-1,high} 2\n",
    "defender_findings_internet_exposed{s-1,high} 1\n",
    "defender_finding_oldest_timestamp_seconds{s-1,high} 1767225600\n",
    "defender_data_newest_evaluation_timestamp_seconds{s-1} 1767312000\n",
    "defender_assessment_findings{k1,high} 6\n",
    "defender_assessment_findings{k1,not_evaluated} 3\n",
    "defender_assessment_info{k1,Title of k1,Compute,high,unknown,unknown,BuiltIn,plain} 1\n",
    "defender_recommendation_findings{individual,SoftwareUpdate,high} 1\n",
    "defender_assessment_subscription_findings{k1,s-1,high} 6\n",
    "defender_assessment_subscription_findings{k1,s-1,not_evaluated} 3\n",
    "defender_resource_type_findings{a.b/c,high} 6\n",
    "defender_resource_type_findings{a.b/d,high} 1\n",
    "defender_resource_type_findings{a.b/d,low} 2\n",
};

TEST(a_summary_has_the_metrics_of_rows)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    summarize(&world);
    /* clang-format off */
    struct part *part = collect(&world,
        ROWS(RESULT("azure", "Unhealthy", "", "High", "true", "5", PLACES),
             RESULT("azure", "unhealthy", "", "High", "", "2", NOWHERE),
             RESULT("aws", "Unhealthy", "", "None", "", "1", NOWHERE),
             RESULT("azure", "Unhealthy", "Exempt", "High", "", "3", NOWHERE),
             RESULT("azure", "Healthy", "", "", "", "40", NOWHERE),
             RESULT("azure", "NotApplicable", "OffByPolicy", "", "", "4", NOWHERE),
             RESULT("azure", "NotApplicable", "UnsupportedPricingPlan", "", "", "6", NOWHERE)),
        "[" RECOMMENDATION("k1", "High", "6", "", "false") ","
            RECOMMENDATION("k1", "None", "1", "", "false") ","
            RECOMMENDATION("k1", "", "2", "", "false") ","
            RECOMMENDATION("k2", "High", "1", "SoftwareUpdate", "") "]",
        "[" RESOURCES("azure", "a.b/c", "1", "3", "6", "0") ","
            RESOURCES("azure", "a.b/d", "1", "1", "1", "2") ","
            RESOURCES("aws", "a.b/c", "4", "1", "0", "0") "]");
    /* clang-format on */
    CHECK(part->summary);
    CHECK_INT(part->finding_count, 0);
    CHECK_INT(part->closed_count, 0);
    const char *text = world_text(&world, 3);
    for (size_t i = 0; i < ARRAY_COUNT(summary_lines); i++)
        CHECK_CONTAINS(text, summary_lines[i]);
    CHECK(!strstr(text, "defender_assessment_findings{k2"));
    CHECK(!strstr(text, "defender_finding_info{"));
}

TEST(odd_rows_of_a_summary_leave_the_others)
{
    static const struct {
        int query;
        const char *row;
    } cases[] = {
        { SUMMARY_RESULTS, "[" RESULT("azure", "Sick", "", "High", "", "1", NOWHERE) "]" },
        { SUMMARY_RESULTS, "[" RESULT("azure", "Unhealthy", "", "Awful", "", "1", NOWHERE) "]" },
        { SUMMARY_RESULTS, "[{\"id\":\"x\",\"subscriptionId\":\"s-1\",\"statusCode\":null}]" },
        { SUMMARY_RESULTS, "[" RESULT("azure", "Healthy", "", "", "", "\"many\"", NOWHERE) "]" },
        { SUMMARY_RESULTS, "[" RESULT("azure", "Healthy", "", "", "", "1", "") "]" },
        { SUMMARY_RECOMMENDATIONS, "[" RECOMMENDATION("k1", "Awful", "1", "", "") "]" },
        { SUMMARY_RECOMMENDATIONS, "[" RECOMMENDATION("k1", "High", "null", "", "") "]" },
        { SUMMARY_RESOURCES, "[" RESOURCES("azure", "a.b/c", "1", "1", "null", "0") "]" },
        { SUMMARY_RECOMMENDATIONS, "[{\"id\":\"x\",\"subscriptionId\":\"s-1\"}]" },
        { SUMMARY_RESOURCES, "[" RESOURCES("azure", "a.b/c", "5", "1", "1", "0") "]" },
        { SUMMARY_RESOURCES, "[" RESOURCES("azure", "a.b/c", "-1", "1", "1", "0") "]" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        world_discover(&world, "[" WORLD_ONE "]");
        summarize(&world);
        struct part *part = part_create(SOURCE(assessments));
        CHECK(!world_try(&world, part, SUMMARY, (size_t)cases[i].query, cases[i].row));
        world_feed(&world, part, SUMMARY, SUMMARY_RESULTS,
                   "[" RESULT("azure", "Unhealthy", "", "Low", "", "9", NOWHERE) "]");
        world_conclude(&world, part);
        CHECK_INT(odd_count(&part->odd), 1);
        CHECK_CONTAINS(world_text(&world, 0), "defender_findings{s-1,azure,low,false} 9\n");
        CHECK_CONTAINS(world_text(&world, 0), "defender_affected_resources{s-1,azure,high} 0\n");
    }
}

TEST(a_summary_of_a_denied_subscription_is_carried)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    summarize(&world);
    collect(&world, "[" RESULT("azure", "Unhealthy", "", "Low", "", "9", NOWHERE) "]",
            "[" RECOMMENDATION("k1", "Low", "9", "", "false") "]",
            "[" RESOURCES("azure", "a.b/c", "3", "4", "0", "9") "]");
    world.broken[0] = true; /* as of a list */
    collect(&world, "[]", "[]", "[]");
    const char *text = world_text(&world, 1);
    CHECK_CONTAINS(text, "defender_findings{s-1,azure,low,false} 9\n");
    CHECK_CONTAINS(text, "defender_affected_resources{s-1,azure,low} 4\n");
    CHECK_CONTAINS(text, "defender_assessment_findings{k1,low} 9\n");
    CHECK_CONTAINS(text, "defender_resource_type_findings{a.b/c,low} 9\n");
}
