/* The classic secure score: rows of both sources in, points and controls out. */
#include "collectors/secure_scores.h"

#include "collectors_world.h"

enum { GRAPH, REST };
enum { SCORES, CONTROLS };

#define NUMBERS(points, max, ratio, weight)                                                        \
    ",\"current\":" points ",\"max\":" max ",\"ratio\":" ratio ",\"weight\":" weight "}"
#define SCORE(sub, points, max, ratio, weight)                                                     \
    "{\"id\":\"/subscriptions/" sub "/providers/Microsoft.Security/secureScores/ascScore\","       \
    "\"subscriptionId\":\"" sub "\"" NUMBERS(points, max, ratio, weight)
#define CONNECTOR(sub, group, name)                                                                \
    "/subscriptions/" sub "/resourceGroups/" group                                                 \
    "/providers/Microsoft.Security/securityConnectors/" name
#define OTHER(sub, name, points, max, ratio, weight)                                               \
    "{\"id\":\"" CONNECTOR(sub, "g",                                                               \
                           name) "/providers/Microsoft.Security/secureScores/ascScore\","          \
                                 "\"environment\":\"AWS\",\"subscriptionId\":\"" sub               \
                                 "\"" NUMBERS(points, max, ratio, weight)
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
            "[" SCORE("s-1", "28.84", "60", "0.4807",
                      "266") "," OTHER("s-1", "Custom", "0", "0", "0",
                                       "0") "," SCORE("S-2", "1e1", "\"12.5\"", "0.8", "\"7\"") "]",
            "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points",
                 "{s-1,aws,custom,ascscore} 0\n{s-1,azure,none,ascscore} 28.84\n"
                 "{s-2,azure,none,ascscore} 10\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_max_points",
                 "{s-1,aws,custom,ascscore} 0\n{s-1,azure,none,ascscore} 60\n"
                 "{s-2,azure,none,ascscore} 12.5\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio",
                 "{s-1,azure,none,ascscore} 0.4807\n"
                 "{s-2,azure,none,ascscore} 0.8\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_weight",
                 "{s-1,aws,custom,ascscore} 0\n{s-1,azure,none,ascscore} 266\n"
                 "{s-2,azure,none,ascscore} 7\n");
}

TEST(what_azure_does_not_tell_is_absent_not_zero)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            "[" OTHER("s-1", "null", "null", "null", "null", "0") "," OTHER(
                "s-1", "nan", "0", "0", "\"NaN\"", "0") "," OTHER("s-1", "far", "1e999", "5",
                                                                  "\"Infinity\"", "\"many\"") "]",
            "[" CONTROL("s-1", "c-1", "", "null", "null", "1e999", "") "]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio", "");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points", "{s-1,aws,nan,ascscore} 0\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_max_points",
                 "{s-1,aws,far,ascscore} 5\n{s-1,aws,nan,ascscore} 0\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_weight",
                 "{s-1,aws,nan,ascscore} 0\n{s-1,aws,null,ascscore} 0\n");
    CHECK_FAMILY(&world, 1, "defender_control_points", "");
    CHECK_FAMILY(&world, 1, "defender_control_max_points", "{s-1,azure,none,c-1} 10\n");
    CHECK_FAMILY(&world, 2, "defender_control_resources",
                 "{s-1,azure,none,c-1,not_applicable} 3\n");
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
                 "{s-1,azure,none,c-1} 1.5\n{s-2,azure,none,c-1} 0\n{s-2,azure,none,c-2} 10\n");
    CHECK_FAMILY(&world, 1, "defender_control_max_points",
                 "{s-1,azure,none,c-1} 10\n{s-2,azure,none,c-1} 10\n{s-2,azure,none,c-2} 10\n");
    CHECK_FAMILY(&world, 2, "defender_control_resources",
                 "{s-1,azure,none,c-1,healthy} 4\n{s-1,azure,none,c-1,not_applicable} "
                 "3\n{s-1,azure,none,c-1,unhealthy} 17\n"
                 "{s-2,azure,none,c-1,healthy} 0\n{s-2,azure,none,c-1,not_applicable} "
                 "3\n{s-2,azure,none,c-1,unhealthy} 0\n"
                 "{s-2,azure,none,c-2,healthy} 9\n{s-2,azure,none,c-2,not_applicable} "
                 "3\n{s-2,azure,none,c-2,unhealthy} 0\n");
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
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio", "{s-1,azure,none,ascscore} 0.25\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_weight", "{s-1,azure,none,ascscore} 3\n");
    CHECK_FAMILY(&world, 1, "defender_control_points", "{s-1,azure,none,c-9} 2\n");
    CHECK_FAMILY(&world, 2, "defender_control_resources",
                 "{s-1,azure,none,c-9,healthy} 1\n{s-1,azure,none,c-9,not_applicable} "
                 "5\n{s-1,azure,none,c-9,unhealthy} 2\n");
    CHECK_FAMILY(&world, 1, "defender_control_info", "{c-9,Nine} 1\n");
}

TEST(recommendations_of_a_control_are_keys)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = collect(
        &world, "[]",
        "[" CONTROL("s-1", "c-1", "", "0", "0", "0",
                    ",\"assessments\":[{\"id\":\"/providers/Microsoft.Security/"
                    "assessmentMetadata/AB-1\"},{\"id\":\"bare-KEY\"},{\"id\":\"/x/"
                    "\"}]") "," CONTROL("s-1", "c-2", "", "0", "0", "0",
                                        ",\"assessments\":[]") "," CONTROL("s-1", "c-3", "", "0",
                                                                           "0", "0", "") "]");
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
        "[" OTHER("s-2", "b", "1", "2", "0.5", "1") "," OTHER("s-1", "a", "2", "2", "1", "1") "]",
        "[]");
    size_t count;
    const struct secure_score *scores = secure_scores_all(part, &count);
    CHECK_INT(count, 2);
    CHECK_TEXT(scores[0].scope.connector, "b");
    CHECK_TEXT(scores[0].subscription_id, "s-2");
    CHECK_TEXT(scores[1].scope.connector, "a");
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
            "[" OTHER("s-1", "a", "1", "2", "0.5",
                      "1") "," OTHER("s-2", "a", "3", "4", "0.75",
                                     "2") "," OTHER("s-2", "b", "5", "8", "0.625", "3") "]",
            "[" CONTROL("s-2", "c-1", "Words", "6", "1", "2",
                        ",\"assessments\":[{\"id\":\"/m/K1\"}]") "]");
    for (int run = 1; run <= 2; run++) { /* carried, and carried again */
        world.context.now = WORLD_NOW + run * 60;
        world_discover(&world, "[" WORLD_ONE "]");
        struct part *part = collect(&world, "[" OTHER("s-1", "a", "2", "2", "1", "1") "]", "[]");
        CHECK_FAMILY(&world, 0, "defender_secure_score_points",
                     "{s-1,aws,a,ascscore} 2\n{s-2,aws,a,ascscore} 3\n{s-2,aws,b,ascscore} 5\n");
        CHECK_FAMILY(&world, 1, "defender_control_points", "{s-2,azure,none,c-1} 6\n");
        CHECK_FAMILY(&world, 1, "defender_control_info", "{c-1,Words} 1\n");
        size_t count;
        const struct secure_control *controls = secure_scores_controls(part, &count);
        CHECK_INT(count, 1);
        CHECK_TEXT(controls[0].assessments, "k1");
    }
    /* too old: nothing is shown rather than something that may be wrong */
    world.context.now = WORLD_NOW + WORLD_STALENESS_S + 1;
    collect(&world, "[" OTHER("s-1", "a", "2", "2", "1", "1") "]", "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points", "{s-1,aws,a,ascscore} 2\n");
    CHECK_FAMILY(&world, 1, "defender_control_info", "");
}

TEST(new_scores_replace_the_old_ones_whole)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(
        &world,
        "[" OTHER("s-1", "a", "1", "2", "0.5", "1") "," OTHER("s-1", "b", "1", "2", "0.5", "1") "]",
        "[" CONTROL("s-1", "c-1", "", "6", "1", "2", "") "]");
    collect(&world, "[" OTHER("s-1", "a", "2", "2", "1", "1") "]",
            "[" CONTROL("s-1", "c-2", "", "1", "1", "2", "") "]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_points", "{s-1,aws,a,ascscore} 2\n");
    CHECK_FAMILY(&world, 1, "defender_control_points", "{s-1,azure,none,c-2} 1\n");
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

/* --- several clouds --------------------------------------------------------------------------- */
#define OF(connector, name, environment, ratio, weight)                                            \
    "{\"id\":\"" connector "/providers/microsoft.security/securescores/" name                      \
    "\",\"subscriptionId\":\"s-1\",\"environment\":" environment NUMBERS("1", "10", ratio, weight)
#define MORE_OF(connector, id)                                                                     \
    "{\"id\":\"" connector "/providers/microsoft.security/securescores/ascscore/"                  \
    "securescorecontrols/" id "\",\"subscriptionId\":\"s-1\",\"controlId\":\"" id                  \
    "\",\"current\":1,\"max\":2}"

/* clang-format off */
static const char several[] = "["
    OF("/subscriptions/s-1", "ascscore", "\"Azure\"", "0.5", "10") ","
    OF("/subscriptions/s-1", "scoregraceexcluded", "\"Azure\"", "0.9", "10") "," /* same scope */
    OF(CONNECTOR("s-1", "rg", "Prod"), "ascScore", "\"AWS\"", "0.25", "30") ","
    OF(CONNECTOR("s-1", "rg", "Prod"), "scoreGraceExcluded", "\"AWS\"", "1", "30") ","
    OF(CONNECTOR("s-1", "rg", "repos"), "ascScore", "\"Github\"", "0.1", "1") ","
    OF(CONNECTOR("s-1", "a", "twin"), "ascScore", "\"GCP\"", "0.2", "1") ","
    OF(CONNECTOR("s-1", "b", "Twin"), "ascScore", "\"gcp\"", "0.3", "1") "]";
static const char several_controls[] = "["
    MORE_OF("/subscriptions/s-1", "c-1") ","
    MORE_OF(CONNECTOR("s-1", "rg", "Prod"), "c-1") ","
    MORE_OF(CONNECTOR("s-1", "b", "Twin"), "c-1") ","
    "{\"id\":\"/subscriptions/s-1/providers/microsoft.security/securescores/scoregraceexcluded/"
    "securescorecontrols/c-9\",\"subscriptionId\":\"s-1\",\"controlId\":\"c-9\",\"current\":1}]";
static const char broken[] = "["
    OF("/subscriptions/s-1", "ascscore", "\"Azure\"", "0.5", "10") ","
    OF(CONNECTOR("s-1", "g", "a"), "ascscore", "\"AWS\"", "0.25", "30") ","
    OF(CONNECTOR("s-1", "g", "b"), "ascscore", "\"aws\"", "0.75", "10") ","
    OF(CONNECTOR("s-1", "g", "c"), "ascscore", "\"GCP\"", "null", "5") ","
    OF(CONNECTOR("s-1", "g", "d"), "ascscore", "\"GCP\"", "0.5", "null") ","
    OF(CONNECTOR("s-1", "g", "e"), "ascscore", "\"GCP\"", "-1", "5") ","
    OF(CONNECTOR("s-1", "g", "f"), "ascscore", "\"GCP\"", "48.1", "5") ","
    OF(CONNECTOR("s-1", "g", "i"), "ascscore", "\"Oracle\"", "1", "500") "]";
static const char unassessed[] = "["
    SCORE("s-1", "0", "0", "0", "0") "," SCORE("s-2", "0", "0", "null", "0") "]";
/* clang-format on */

TEST(a_subscription_has_a_score_for_each_of_its_connectors)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = collect(&world, several, several_controls);
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio",
                 "{s-1,aws,prod,ascscore} 0.25\n{s-1,azure,none,ascscore} 0.5\n"
                 "{s-1,gcp,a/twin,ascscore} 0.2\n{s-1,gcp,b/twin,ascscore} 0.3\n"
                 "{s-1,github,repos,ascscore} 0.1\n");
    /* they do not tell their cloud: that of their score */
    CHECK_FAMILY(&world, 1, "defender_control_points",
                 "{s-1,aws,prod,c-1} 1\n{s-1,azure,none,c-1} 1\n{s-1,gcp,b/twin,c-1} 1\n");
    size_t count;
    const struct secure_score *rows = secure_scores_all(part, &count);
    CHECK_INT(count, 5);
    CHECK_TEXT(rows[0].subject, "ascscore");
    CHECK_TEXT(rows[0].scope.id, "/subscriptions/s-1");
    CHECK_TEXT(secure_scores_connector(&rows[0].scope), "");
    CHECK_TEXT(rows[1].subject, "/subscriptions/s-1/resourcegroups/rg/providers/"
                                "microsoft.security/securityconnectors/prod");
    CHECK_TEXT(secure_scores_connector(&rows[1].scope), rows[1].subject);
    static const char below[] = "/subscriptions/s-1/resourcegroups/rg/providers/"
                                "microsoft.security/securityconnectors/prod/securityentitydata/x";
    CHECK(secure_scores_counts(&rows[1].scope, below));
    CHECK(!secure_scores_counts(&rows[0].scope, below));
    CHECK(!secure_scores_counts(&rows[2].scope, below));
    CHECK(secure_scores_counts(&rows[0].scope, "/subscriptions/s-1/providers/a/b/c"));
}

#define HOLDS(connector, sub, id, keys)                                                            \
    "{\"id\":\"" connector "/providers/microsoft.security/securescores/ascscore/"                  \
    "securescorecontrols/" id "\",\"subscriptionId\":\"" sub "\",\"controlId\":\"" id              \
    "\",\"current\":1,\"max\":2,\"assessments\":[" keys "]}"
#define KEY(name) "{\"id\":\"/m/" name "\"}"

/* The id of the control a finding counts for, "" = none is known. */
static const char *control_of(const struct world *world, const char *subscription,
                              const char *resource, const char *key)
{
    const struct finding finding = { .subscription_id = subscription,
                                     .resource_id = resource,
                                     .assessment_id = key };
    const struct secure_control *control = secure_scores_control_of(world->snapshot, &finding);
    return control ? control->id : "";
}

TEST(the_control_of_a_finding_is_of_its_own_scope)
{
    static const char plain[] = "/subscriptions/s-1/resourcegroups/g/providers/a.b/c/d";
    static const char prod[] = "/subscriptions/s-1/resourcegroups/rg/providers/"
                               "microsoft.security/securityconnectors/prod/securityentitydata/x";
    static const char other[] = "/subscriptions/s-1/resourcegroups/rg/providers/"
                                "microsoft.security/securityconnectors/other/securityentitydata/x";
    WORLD(world);
    CHECK_TEXT(control_of(&world, "s-1", plain, "k-1"), "");
    world_discover(&world, WORLD_BOTH);
    collect(&world, several,
            "[" HOLDS("/subscriptions/S-1", "S-1", "c-1", KEY("K-1")) "," HOLDS(
                CONNECTOR("s-1", "rg", "Prod"), "s-1", "c-2",
                KEY("k-1") "," KEY(
                    "k-2")) "," HOLDS("/subscriptions/s-2", "s-2", "c-3",
                                      KEY("k-1")) "," HOLDS("/subscriptions/s-1", "s-1", "c-4",
                                                            KEY("k-1") "," KEY("k-3")) "]");
    CHECK_TEXT(control_of(&world, "s-1", plain, "k-1"), "c-1"); /* the first that holds it */
    CHECK_TEXT(control_of(&world, "s-1", plain, "k-3"), "c-4");
    CHECK_TEXT(control_of(&world, "s-1", plain, "k-2"), "");
    CHECK_TEXT(control_of(&world, "s-1", plain, ""), "");
    CHECK_TEXT(control_of(&world, "s-1", prod, "k-1"), "c-2");
    CHECK_TEXT(control_of(&world, "s-1", prod, "k-3"), "");
    CHECK_TEXT(control_of(&world, "s-1", other, "k-1"), "");
    CHECK_TEXT(control_of(&world, "s-2", plain, "k-1"), "c-3");
    CHECK_TEXT(control_of(&world, "s-3", plain, "k-1"), "");
    world.context.now += 60;
    world_discover(&world, "[" WORLD_ONE "]"); /* those of the second are carried over */
    collect(&world, several, "[" HOLDS("/subscriptions/s-1", "s-1", "c-5", KEY("k-9")) "]");
    CHECK_TEXT(control_of(&world, "s-1", plain, "k-1"), "");
    CHECK_TEXT(control_of(&world, "s-1", plain, "k-9"), "c-5");
    CHECK_TEXT(control_of(&world, "s-2", plain, "k-1"), "c-3");
}

TEST(averages_are_by_weight_and_leave_out_what_is_broken)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world, broken, "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_cloud_ratio", "{aws} 0.375\n{azure} 0.5\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_overall_ratio", "{} 0.4\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_rows_skipped",
                 "{missing} 2\n{out_of_range} 2\n{unknown_cloud} 1\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_connectors_told", "{} 1\n");
    /* what is out of range is no ratio, neither clamped nor shown */
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio",
                 "{s-1,aws,a,ascscore} 0.25\n{s-1,aws,b,ascscore} 0.75\n"
                 "{s-1,azure,none,ascscore} 0.5\n{s-1,gcp,d,ascscore} 0.5\n"
                 "{s-1,unknown,i,ascscore} 1\n");
}

TEST(nothing_assessed_is_no_ratio_and_nothing_broken)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world, unassessed, "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_ratio", "");
    CHECK_FAMILY(&world, 0, "defender_secure_score_max_points",
                 "{s-1,azure,none,ascscore} 0\n{s-2,azure,none,ascscore} 0\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_cloud_ratio", "");
    CHECK_FAMILY(&world, 0, "defender_secure_score_overall_ratio", "");
    CHECK_FAMILY(&world, 0, "defender_secure_score_rows_skipped",
                 "{missing} 0\n{out_of_range} 0\n{unknown_cloud} 0\n");
}

/* Lists have no connectors: what is known is not all there is. */
TEST(lists_do_not_show_azure_alone_as_all)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    world.context.variant = &SOURCE(secure_scores)->collector->variants[REST];
    CHECK_TEXT(world.context.variant->name, "rest");
    collect(&world, "[" SCORE("s-1", "1", "2", "0.5", "4") "]", "[]");
    CHECK_FAMILY(&world, 0, "defender_secure_score_connectors_told", "{} 0\n");
    CHECK_FAMILY(&world, 0, "defender_secure_score_overall_ratio", "");
    CHECK_FAMILY(&world, 0, "defender_secure_score_cloud_ratio", "{azure} 0.5\n");
}
