/* Regulatory compliance: rows of both sources in, standards and what fails them out; and which
 * controls of the benchmark a finding counts for. */
#include "collectors/compliance.h"

#include "collectors_world.h"

enum { GRAPH, REST };
enum { STANDARDS, CONTROLS, RESULTS, BENCHMARK };

#define MCSB "Microsoft-cloud-security-benchmark"
#define STANDARD_ID(sub, name)                                                                     \
    "/subscriptions/" sub "/providers/Microsoft.Security/regulatoryComplianceStandards/" name
#define CONTROL_ID(sub, name, control)                                                             \
    STANDARD_ID(sub, name) "/regulatoryComplianceControls/" control
#define STANDARD(sub, name, state, numbers)                                                        \
    "{\"id\":\"" STANDARD_ID(sub, name) "\",\"subscriptionId\":\"" sub "\",\"standard\":\"" name   \
                                        "\",\"state\":" state numbers "}"
#define NUMBERS(passed, failed, skipped, unsupported)                                              \
    ",\"passedControls\":" passed ",\"failedControls\":" failed ",\"skippedControls\":" skipped    \
    ",\"unsupportedControls\":" unsupported
#define CONTROL(name, control, title)                                                              \
    "{\"id\":\"" name "|" control "\",\"standard\":\"" name "\",\"control\":\"" control            \
    "\",\"title\":\"" title "\"}"
#define FAILED(sub, name, control, failed)                                                         \
    "{\"id\":\"" sub "|" name "|" control "\",\"subscriptionId\":\"" sub "\",\"standard\":\"" name \
    "\",\"control\":\"" control "\",\"failed\":" failed "}"
#define LINK(name, control, key, type, category)                                                   \
    "{\"id\":\"" name control key category "\",\"standard\":\"" name "\",\"control\":\"" control   \
    "\",\"assessmentKey\":\"" key "\",\"assessmentType\":\"" type "\",\"category\":\"" category    \
    "\"}"
/* As lists have it: everything in the id and in properties. */
#define LISTED_STANDARD(sub, name, failed)                                                         \
    "{\"id\":\"" STANDARD_ID(sub, name) "\",\"name\":\"" name "\",\"type\":\"t\",\"properties\":{" \
                                        "\"state\":\"Failed\",\"passedControls\":14,"              \
                                        "\"failedControls\":" failed ",\"skippedControls\":0,"     \
                                        "\"unsupportedControls\":87}}"
#define LISTED_CONTROL(sub, name, control, title, state)                                           \
    "{\"id\":\"" CONTROL_ID(sub, name, control) "\",\"name\":\"" control "\",\"properties\":{"     \
                                                "\"description\":\"" title "\",\"state\":\"" state \
                                                "\",\"passedAssessments\":1}}"
#define RESULT(sub, name, control, key, failed, more)                                              \
    "{\"id\":\"" CONTROL_ID(sub, name,                                                             \
                            control) "/regulatoryComplianceAssessments/" key "\",\"name\":\"" key  \
                                     "\",\"properties\":{"                                         \
                                     "\"description\":\"D\",\"state\":\"Failed\","                 \
                                     "\"passedResources\":1,\"failedResources\":" failed more "}}"
#define TYPE(type) ",\"assessmentType\":\"" type "\""
#define SCOPE(scope) ",\"scope\":\"" scope "\""

struct rows {
    const char *standards, *controls, *results, *benchmark;
};

static struct part *collect(struct world *world, struct rows rows)
{
    struct part *part = part_create(SOURCE(compliance));
    const char *all[] = { rows.standards, rows.controls, rows.results, rows.benchmark };
    for (size_t query = 0; query < ARRAY_COUNT(all); query++)
        if (all[query])
            world_try(world, part, GRAPH, query, all[query]);
    return world_conclude(world, part);
}

static void check_domain(struct world *world, const char *wanted, const char *file, int line)
{
    CLEANUP(buf_finish) struct buf got = { 0 };
    static const char head[] = "defender_compliance_";
    buf_text(&got, "");
    for (const char *at = world_text(world, 2); *at; at += strcspn(at, "\n") + 1)
        if (!strncmp(at, head, sizeof head - 1))
            buf_append(&got, at + sizeof head - 1, strcspn(at, "\n") + 2 - sizeof head);
    test_check_text(buf_cstr(&got), wanted, file, line, "exposition");
}
#define CHECK_DOMAIN(world, wanted) check_domain(world, wanted, __FILE__, __LINE__)

static const char both_sources[] =
    "controls{s-1,azure-cis-1.1.0-(new),failed} 10\n"
    "controls{s-1,azure-cis-1.1.0-(new),passed} 14\n"
    "controls{s-1,azure-cis-1.1.0-(new),skipped} 0\n"
    "controls{s-1,azure-cis-1.1.0-(new),unsupported} 87\n"
    "controls{s-1,microsoft-cloud-security-benchmark,failed} 2\n"
    "controls{s-1,microsoft-cloud-security-benchmark,passed} 14\n"
    "controls{s-1,microsoft-cloud-security-benchmark,skipped} 0\n"
    "controls{s-1,microsoft-cloud-security-benchmark,unsupported} 87\n"
    "ratio{s-1,azure-cis-1.1.0-(new)} 0.5833333333333334\n"
    "ratio{s-1,microsoft-cloud-security-benchmark} 0.875\n"
    "control_failed_resources{s-1,azure-cis-1.1.0-(new),1.1} 3\n"
    "control_failed_resources{s-1,microsoft-cloud-security-benchmark,NS-2} 7\n"
    "control_info{azure-cis-1.1.0-(new),1.1,Use MFA} 1\n"
    "control_info{microsoft-cloud-security-benchmark,LT.2,Log} 1\n"
    "control_info{microsoft-cloud-security-benchmark,NS-2,Secure services} 1\n";

TEST(summaries_of_the_graph_are_told)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(
        &world,
        (struct rows){
            .standards =
                "[" STANDARD("s-1", MCSB, "\"Failed\"", NUMBERS("14", "2", "0", "87")) "," STANDARD(
                    "s-1", "Azure-CIS-1.1.0-(New)", "\"failed\"",
                    NUMBERS("14", "10", "0", "87")) "]",
            .controls = "[" CONTROL(MCSB, "NS-2", "Secure services") "," CONTROL(
                "azure-cis-1.1.0-(new)", "1.1", "Use MFA") "," CONTROL(MCSB, "LT.2", "Log") "]",
            .results = "[" FAILED("S-1", MCSB, "NS-2",
                                  "7") "," FAILED("s-1", "Azure-CIS-1.1.0-(New)", "1.1", "3") "]",
        });
    CHECK_DOMAIN(&world, both_sources);
    CHECK_FAMILY(&world, 1, "defender_compliance_control_failed_resources", ""); /* level 2 */
}

TEST(lists_say_the_same_in_pieces)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = part_create(SOURCE(compliance));
    world.context.subscription_id = "s-1"; /* rows of lists do not say whose they are */
    world_feed(&world, part, REST, STANDARDS,
               "[" LISTED_STANDARD("s-1", MCSB, "2") "," LISTED_STANDARD(
                   "s-1", "Azure-CIS-1.1.0-(New)", "10") "]");
    world_feed(
        &world, part, REST, CONTROLS,
        "[" LISTED_CONTROL("s-1", MCSB, "NS-2", "Secure services", "Failed") "," LISTED_CONTROL(
            "s-1", MCSB, "LT.2", "Log", "Passed") "," LISTED_CONTROL("s-1", "Azure-CIS-1.1.0-(New)",
                                                                     "1.1", "Use MFA",
                                                                     "Failed") "]");
    world_feed(
        &world, part, REST, RESULTS,
        "[" RESULT("s-1", MCSB, "NS-2", "k-1", "4", SCOPE("Subscription")) "," RESULT(
            "s-1", MCSB, "NS-2", "k-2", "3",
            SCOPE(
                "MultiCloudAggregation")) "," RESULT("s-1", MCSB, "NS-2", "k-3", "100",
                                                     SCOPE(
                                                         "SecurityConnector")) "," RESULT("s-1",
                                                                                          "Azure-"
                                                                                          "CIS-1.1."
                                                                                          "0-(New)",
                                                                                          "1.1",
                                                                                          "k-1",
                                                                                          "3",
                                                                                          "") "]");
    world.context.subscription_id = NULL;
    world_conclude(&world, part);
    CHECK_DOMAIN(&world, both_sources);
}

TEST(only_what_fails_is_asked_for_one_by_one)
{
    bool (*has_below)(size_t, const void *) = SOURCE(compliance)->collector->has_below;
    struct { /* as the collector's row begins */
        const char *id, *subscription_id, *standard, *control, *title, *state;
    } row = { .state = "Passed" };
    CHECK(has_below(STANDARDS, &row));
    CHECK(!has_below(CONTROLS, &row));
    row.state = "Failed";
    CHECK(has_below(CONTROLS, &row));
    row.state = ""; /* nobody knows */
    CHECK(has_below(CONTROLS, &row));
    row.state = "Unsupported";
    CHECK(!has_below(CONTROLS, &row));
}

TEST(what_is_not_told_is_absent)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world,
            (struct rows){
                .standards = "[" STANDARD(
                    "s-1", "A", "\"Unsupported\"",
                    NUMBERS("null", "0", "\"x\"",
                            "5")) "," STANDARD("s-1", "B", "\"Skipped\"",
                                               NUMBERS("0", "0", "4",
                                                       "0")) "," STANDARD("s-1", "C", "\"Passed\"",
                                                                          NUMBERS("4", "0", "0",
                                                                                  "0")) "]",
                .results = "[" FAILED("s-1", "B", "1", "null") "," FAILED("s-1", "B", "2", "0") "]",
            });
    CHECK_DOMAIN(&world, "controls{s-1,a,failed} 0\ncontrols{s-1,a,unsupported} 5\n"
                         "controls{s-1,b,failed} 0\ncontrols{s-1,b,passed} 0\n"
                         "controls{s-1,b,skipped} 4\ncontrols{s-1,b,unsupported} 0\n"
                         "controls{s-1,c,failed} 0\ncontrols{s-1,c,passed} 4\n"
                         "controls{s-1,c,skipped} 0\ncontrols{s-1,c,unsupported} 0\n"
                         "ratio{s-1,c} 1\n");
}

#define GOOD STANDARD("s-1", "A", "\"Failed\"", NUMBERS("1", "3", "0", "0"))

TEST(an_odd_standard_stays_as_it_was)
{
    static const char *const odd[] = {
        "null", "\"\"", "\"Pending\"", "7", "{}",
    };
    static const char was[] = "{s-1,a} 0.25\n";
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf rows = { 0 };
        world_discover(&world, "[" WORLD_ONE "]");
        collect(&world, (struct rows){ .standards = "[" GOOD "]" });
        CHECK_FAMILY(&world, 0, "defender_compliance_ratio", was);
        buf_printf(&rows,
                   "[" STANDARD("s-1", "A", "%s", NUMBERS("4", "0", "0", "0")) "," STANDARD(
                       "s-1", "B", "\"Failed\"", NUMBERS("1", "1", "0", "0")) "]",
                   odd[i]);
        struct part *part = collect(&world, (struct rows){ .standards = buf_cstr(&rows) });
        CHECK_INT(odd_count(&part->odd), 1);
        CHECK_FAMILY(&world, 0, "defender_compliance_ratio", "{s-1,a} 0.25\n{s-1,b} 0.5\n");
    }
}

TEST(an_odd_standard_nobody_knew_is_nothing)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world,
            (struct rows){
                .standards = "[" STANDARD(
                    "s-1", "A", "null",
                    NUMBERS("4", "0", "0",
                            "0")) ","
                                  "{\"id\":null},{\"standard\":\"x\",\"state\":\"Passed\"}]" });
    CHECK_DOMAIN(&world, "");
}

TEST(an_odd_result_leaves_its_control_as_it_was)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    world.context.subscription_id = "s-1";
    for (int turn = 0; turn < 2; turn++) {
        struct part *part = part_create(SOURCE(compliance));
        world_feed(&world, part, REST, RESULTS,
                   "[" RESULT("s-1", "A", "1", "k-1", "4", "") "," RESULT("s-1", "A", "2", "k-1",
                                                                          "1", "") "]");
        CHECK(turn ==
              !world_try(&world, part, REST, RESULTS,
                         turn ? "[{\"id\":\"" CONTROL_ID(
                                    "s-1", "A",
                                    "1") "/regulatoryComplianceAssessments/k-2\",\"name\":null}]"
                              : "[" RESULT("s-1", "A", "1", "k-2", "5", "") "]"));
        world_conclude(&world, part);
        CHECK_FAMILY(&world, 2, "defender_compliance_control_failed_resources",
                     "{s-1,a,1} 9\n{s-1,a,2} 1\n");
    }
}

TEST(an_odd_control_keeps_what_failed_it)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    world.context.subscription_id = "s-1";
    for (int turn = 0; turn < 2; turn++) {
        struct part *part = part_create(SOURCE(compliance));
        if (turn)
            CHECK(!world_try(&world, part, REST, CONTROLS,
                             "[{\"id\":\"" CONTROL_ID("s-1", "A", "1") "\",\"name\":null}]"));
        else
            world_feed(&world, part, REST, RESULTS,
                       "[" RESULT("s-1", "A", "1", "k-1", "4", "") "]");
        world_conclude(&world, part);
        CHECK_FAMILY(&world, 2, "defender_compliance_control_failed_resources", "{s-1,a,1} 4\n");
    }
}

TEST(a_row_of_something_else_is_counted_and_left_out)
{
    static const char *const foreign[] = {
        "[{\"id\":\"/subscriptions/s-1/providers/a.b/c/d\",\"name\":\"k\",\"properties\":{"
        "\"failedResources\":9}}]",
        "[{\"id\":\"" STANDARD_ID("s-1", "A") "\",\"name\":\"A\",\"properties\":{}}]",
        "[null]",
        "[7]",
        "[{}]",
    };
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++) {
        WORLD(world);
        world_discover(&world, "[" WORLD_ONE "]");
        world.context.subscription_id = "s-1";
        struct part *part = part_create(SOURCE(compliance));
        world_feed(&world, part, REST, RESULTS, "[" RESULT("s-1", "A", "1", "k-1", "4", "") "]");
        CHECK(!world_try(&world, part, REST, RESULTS, foreign[i]));
        world_conclude(&world, part);
        CHECK_INT(odd_count(&part->odd), 1);
        CHECK_DOMAIN(&world, "control_failed_resources{s-1,a,1} 4\n");
    }
}

TEST(of_rows_that_came_twice_the_worse_holds)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world,
            (struct rows){
                .standards = "[" GOOD "," STANDARD(
                    "s-1", "A", "\"Passed\"",
                    NUMBERS("4", "0", "0", "0")) "," STANDARD("s-1", "A", "null",
                                                              NUMBERS("0", "9", "0", "0")) "]",
                .results = "[" FAILED("s-1", "A", "1", "2") "," FAILED("s-1", "A", "1", "5") "]",
            });
    CHECK_FAMILY(&world, 0, "defender_compliance_ratio", "{s-1,a} 0.25\n");
    CHECK_FAMILY(&world, 2, "defender_compliance_control_failed_resources", "{s-1,a,1} 5\n");
}

TEST(the_benchmark_has_two_names_and_is_one)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(
        &world,
        (struct rows){
            .standards = "[" STANDARD(
                "s-1", "Azure-Security-Benchmark", "\"Failed\"",
                NUMBERS(
                    "0", "9", "0",
                    "0")) "," STANDARD("s-1", "MICROSOFT-cloud-security-benchmark", "\"Failed\"",
                                       NUMBERS(
                                           "3", "1", "0",
                                           "0")) "," STANDARD("s-2", "Azure-Security-Benchmark",
                                                              "\"Failed\"",
                                                              NUMBERS(
                                                                  "1", "1", "0",
                                                                  "0")) "," STANDARD("s-2",
                                                                                     MCSB "-v2",
                                                                                     "\"Failed\"",
                                                                                     NUMBERS(
                                                                                         "1", "9",
                                                                                         "0",
                                                                                         "0")) "]",
            .results = "[" FAILED("s-1", "Azure-Security-Benchmark", "NS-1", "70") "," FAILED(
                "s-1", MCSB, "NS-1", "5") "," FAILED("s-2", "azure-security-benchmark", "NS-1",
                                                     "6") "]",
        });
    CHECK_FAMILY(&world, 0, "defender_compliance_ratio",
                 "{s-1,microsoft-cloud-security-benchmark} 0.75\n"
                 "{s-2,microsoft-cloud-security-benchmark} 0.5\n"
                 "{s-2,microsoft-cloud-security-benchmark-v2} 0.1\n");
    CHECK_FAMILY(&world, 2, "defender_compliance_control_failed_resources",
                 "{s-1,microsoft-cloud-security-benchmark,NS-1} 5\n"
                 "{s-2,microsoft-cloud-security-benchmark,NS-1} 6\n");
}

TEST(what_cannot_be_read_any_more_stays_with_its_names)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world, (struct rows){
                        .standards = "[" GOOD "]",
                        .controls = "[" CONTROL("a", "1", "One") "]",
                        .results = "[" FAILED("s-1", "A", "1", "2") "]",
                        .benchmark = "[" LINK(MCSB, "NS-2", "k-1", "AssessmentResult", "") "]",
                    });
    world.broken[0] = true;
    collect(&world, (struct rows){ 0 });
    CHECK_FAMILY(&world, 2, "defender_compliance_control_info", "{a,1,One} 1\n");
    CHECK_FAMILY(&world, 2, "defender_compliance_control_failed_resources", "{s-1,a,1} 2\n");
    CHECK_FAMILY(&world, 0, "defender_compliance_ratio", "{s-1,a} 0.25\n");
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct finding finding = { .source = SOURCE(assessments),
                                     .assessment_id = "k-1",
                                     .category = "" };
    CHECK_TEXT(compliance_benchmark(world.snapshot, &finding, &arena), "MCSB NS-2");
    world.context.now += WORLD_STALENESS_S + 1;
    collect(&world, (struct rows){ 0 });
    CHECK_DOMAIN(&world, "");
}

TEST(a_finding_counts_for_controls_of_the_benchmark)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(
        &world,
        (struct rows){
            .standards = "[" GOOD "]",
            .benchmark = "[" LINK(MCSB, "NS-7", "K-1", "AssessmentResult", "") "," LINK(
                "Azure-Security-Benchmark", "NS-2", "k-1", "AssessmentResult",
                "") "," LINK(MCSB, "NS-2", "k-1", "AssessmentResult",
                             "") "," LINK(MCSB "-v2", "LT.2.1", "k-1", "AssessmentResult",
                                          "") "," LINK("PCI-DSS-4", "1.1", "k-1",
                                                       "AssessmentResult",
                                                       "") "," LINK(MCSB, "LT.2", "k-2",
                                                                    "AssessmentResult",
                                                                    "k-9") "," LINK(MCSB, "PV-6",
                                                                                    "11112222",
                                                                                    "assessmentCate"
                                                                                    "gory",
                                                                                    "SoftwareUpdat"
                                                                                    "e") "]",
        });
    static const struct {
        const char *key, *category, *text;
        enum finding_model model;
    } cases[] = {
        { "k-1", "", "MCSB NS-2, NS-7, MCSB v2 LT-2.1", MODEL_PLAIN },
        { "k-2", "", "MCSB LT-2", MODEL_PLAIN },
        { "k-9", "", "", MODEL_PLAIN },
        { "k-3", "SoftwareUpdate", "MCSB PV-6", MODEL_INDIVIDUAL },
        { "k-3", "SoftwareUpdate", "", MODEL_PLAIN },
        { "11112222", "", "", MODEL_PLAIN },
    };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct finding finding = {
            .source = SOURCE(assessments),
            .assessment_id = cases[i].key,
            .category = cases[i].category,
            .model = cases[i].model,
        };
        CHECK_TEXT(compliance_benchmark(world.snapshot, &finding, &arena), cases[i].text);
    }
}

TEST(a_text_names_a_few_controls)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world,
            (struct rows){
                .standards = "[" GOOD "]",
                .benchmark =
                    "[" LINK(MCSB, "A-1", "k", "", "") "," LINK(MCSB, "A-2", "k", "", "") "," LINK(
                        MCSB, "A-3", "k", "",
                        "") "," LINK(MCSB, "A-4", "k", "",
                                     "") "," LINK(MCSB, "A-5", "k", "",
                                                  "") "," LINK(MCSB, "A-6", "k", "", "") "]",
            });
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct finding finding = { .source = SOURCE(assessments),
                                     .assessment_id = "k",
                                     .category = "" };
    CHECK_TEXT(compliance_benchmark(world.snapshot, &finding, &arena),
               "MCSB A-1, A-2, A-3, A-4, A-5");
}
