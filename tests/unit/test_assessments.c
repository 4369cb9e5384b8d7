/* Recommendations: rows of both sources in, counts, findings and facts out. */
#include "collectors/assessments.h"

#include "collectors_world.h"

enum { GRAPH, REST };
#define TIMES(changed) ",\"statusChangeDate\":\"" changed "\""

static struct part *collect(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(assessments));
    world_feed(world, part, GRAPH, 0, rows);
    return world_conclude(world, part);
}

static struct finding only_finding(const struct part *part, char scratch[PART_ID_BYTES])
{
    struct finding view = { 0 };
    CHECK_INT(part->finding_count, 1);
    part_view(part, 0, &view, scratch);
    return view;
}

TEST(every_status_is_counted_and_only_unhealthy_ones_are_open)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = collect(&world, ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy", ""),
                                             WORLD_ROW("b", "s-1", "k1", "", "healthy", ""),
                                             WORLD_ROW("c", "s-1", "k1", "", "HEALTHY", ""),
                                             WORLD_ROW("d", "s-1", "k1", "", "NotApplicable", ""),
                                             WORLD_ROW("e", "s-1", "k1", "High", "Unhealthy",
                                                       ",\"statusCause\":"
                                                       "\"Exempt\"")));
    CHECK_FAMILY(&world, 0, "defender_assessed_resources",
                 "{s-1,azure,exempt} 1\n{s-1,azure,healthy} 2\n{s-1,azure,not_applicable} "
                 "1\n{s-1,azure,unhealthy} 1\n");
    CHECK_INT(part->finding_count, 1);
    CHECK_INT(part->closed_count, 4);
    CHECK(!part->truncated);
}

/* What is of a cloud that is not looked at is no 0, and nothing is concluded from it. */
TEST(clouds_are_left_out)
{
    for (int azure = 0; azure < 2; azure++) {
        WORLD(world);
        world_discover(&world, WORLD_BOTH);
        struct part *part = part_create(SOURCE(assessments));
        part->clouds_out = azure ? 1U << CLOUD_AZURE : 1U << CLOUD_AWS;
        world_feed(&world, part, GRAPH, 0,
                   ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy", ""),
                        WORLD_ROW("b", "s-1", "k1", "High", "Unhealthy", ",\"source\":\"aws\""),
                        WORLD_ROW("c", "s-1", "k1", "", "Healthy", ",\"source\":\"aws\"")));
        world_conclude(&world, part);
        CHECK_FAMILY(&world, 0, "defender_assessed_resources",
                     azure ? "{s-1,aws,exempt} 0\n{s-1,aws,healthy} 1\n"
                             "{s-1,aws,not_applicable} 0\n{s-1,aws,unhealthy} 1\n"
                           : "{s-1,azure,exempt} 0\n{s-1,azure,healthy} 0\n"
                             "{s-1,azure,not_applicable} 0\n{s-1,azure,unhealthy} 1\n"
                             "{s-2,azure,exempt} 0\n{s-2,azure,healthy} 0\n"
                             "{s-2,azure,not_applicable} 0\n{s-2,azure,unhealthy} 0\n");
        CHECK_INT(part->finding_count, 1);
        CHECK_INT(part->closed_count, azure);
        CHECK_INT(part->frozen_count, azure ? 1 : 2);
        CLEANUP(buf_finish) struct buf out = { 0 };
        assessments_left_out(world.snapshot, "s-1", &out);
        assessments_left_out(world.snapshot, "s-2", &out);
        CHECK_TEXT(buf_cstr(&out), azure ? "azure" : "aws");
    }
}

TEST(a_recommendation_is_known_whatever_its_status)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part =
        collect(&world, ROWS(WORLD_ROW("a", "s-1", "K-Well", "", "Healthy", ""),
                             WORLD_ROW("b", "s-1", "K-Well", "", "NotApplicable", ""),
                             WORLD_ROW("c", "s-1", "k-open", "High", "Unhealthy", ""),
                             WORLD_ROW("d", "s-1", "k-one", "", "Healthy",
                                       ",\"recommendationCategory\":\"SoftwareUpdate\"")));
    static const char *const known[] = { "", "k-well", "k-open", "SoftwareUpdate" };
    CHECK_INT(part->known.count, ARRAY_COUNT(known));
    for (uint32_t i = 0; i < part->known.count; i++)
        CHECK_TEXT(intern_text(&part->known, i), known[i]);
}

/* Why the only row of a run is not open. */
static int reason_of(const char *rows)
{
    WORLD(world);
    struct part *part = collect(&world, rows);
    CHECK_INT(part->closed_count, 1);
    return part->closed_count ? part->closed[0].reason : -1;
}

TEST(closed_rows_say_why)
{
    CHECK_INT(reason_of(ROWS(WORLD_ROW("a", "s", "k", "", "Healthy", ""))), REASON_FIXED);
    CHECK_INT(reason_of(ROWS(WORLD_ROW("a", "s", "k", "", "NotApplicable", ""))),
              REASON_NOT_APPLICABLE);
    CHECK_INT(reason_of(ROWS(WORLD_ROW("a", "s", "k", "", "NotApplicable",
                                       ",\"statusCause\":\"OffByPolicy\""))),
              REASON_NOT_APPLICABLE);
    CHECK_INT(reason_of(ROWS(WORLD_ROW("a", "s", "k", "", "NotApplicable",
                                       ",\"statusCause\":\"unsupportedpricingplan\""))),
              REASON_PLAN_OFF);
    CHECK_INT(reason_of(ROWS(
                  WORLD_ROW("a", "s", "k", "", "NotApplicable", ",\"statusCause\":\"exempt\""))),
              REASON_EXEMPTED);
    CHECK_INT(reason_of(ROWS(WORLD_ROW("a", "s", "k", "", "Healthy",
                                       ",\"statusCause\":\"UnsupportedPricingPlan\""))),
              REASON_FIXED);
}

TEST(what_a_plan_that_is_off_leaves_out_is_counted)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(
        &world,
        ROWS(WORLD_ROW("a", "s-1", "k", "", "NotApplicable",
                       ",\"statusCause\":\"UnsupportedPricingPlan\""),
             WORLD_ROW("b", "s-1", "k", "", "NotApplicable",
                       ",\"statusCause\":\"UnsupportedPricingPlan\",\"source\":\"Aws\""),
             WORLD_ROW("c", "s-1", "k", "", "NotApplicable", ",\"statusCause\":\"OffByPolicy\""),
             WORLD_ROW("d", "s-1", "k", "Low", "Unhealthy",
                       ",\"statusCause\":\"UnsupportedPricingPlan\"")));
    CHECK_FAMILY(&world, 0, "defender_plan_off_results",
                 "{s-1,aws} 1\n{s-1,azure} 1\n{s-2,azure} 0\n");
}

TEST(findings_are_counted_by_risk_and_where_it_comes_from)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            ROWS(WORLD_ROW("a", "s-1", "k1", "Critical", "Unhealthy", ",\"isContextualRisk\":true"),
                 WORLD_ROW("b", "s-1", "k1", "critical", "Unhealthy",
                           ",\"isContextualRisk\":\"false\""),
                 WORLD_ROW("c", "s-1", "k1", "None", "Unhealthy", ""),
                 WORLD_ROW("c", "s-2", "k1", "Medium", "Unhealthy", "")));
    CHECK_FAMILY(
        &world, 0, "defender_findings",
        "{s-1,azure,critical,false} 1\n{s-1,azure,critical,true} 1\n{s-1,azure,high,false} 0\n"
        "{s-1,azure,high,true} 0\n{s-1,azure,low,false} 0\n{s-1,azure,low,true} 0\n"
        "{s-1,azure,medium,false} 0\n{s-1,azure,medium,true} 0\n{s-1,azure,not_evaluated,false} 1\n"
        "{s-1,azure,not_evaluated,true} 0\n"
        "{s-2,azure,critical,false} 0\n{s-2,azure,critical,true} 0\n{s-2,azure,high,false} 0\n"
        "{s-2,azure,high,true} 0\n{s-2,azure,low,false} 0\n{s-2,azure,low,true} 0\n"
        "{s-2,azure,medium,false} 1\n{s-2,azure,medium,true} 0\n{s-2,azure,not_evaluated,false} 0\n"
        "{s-2,azure,not_evaluated,true} 0\n");
}

TEST(a_resource_counts_once_at_its_worst)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    /* the worst comes first, in the middle and last */
    collect(&world, ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy", ""),
                         WORLD_ROW("a", "s-1", "k2", "Low", "Unhealthy", ""),
                         WORLD_ROW("b", "s-1", "k1", "Low", "Unhealthy", ""),
                         WORLD_ROW("b", "s-1", "k2", "Critical", "Unhealthy", ""),
                         WORLD_ROW("b", "s-1", "k3", "Medium", "Unhealthy", ""),
                         WORLD_ROW("c", "s-1", "k1", "", "Unhealthy", ""),
                         WORLD_ROW("d", "s-1", "k1", "", "Healthy", "")));
    CHECK_FAMILY(
        &world, 0, "defender_affected_resources",
        "{s-1,azure,critical} 1\n{s-1,azure,high} 1\n{s-1,azure,low} 0\n{s-1,azure,medium} 0\n"
        "{s-1,azure,not_evaluated} 1\n");
}

TEST(many_resources_do_not_run_into_each_other)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf rows = { 0 };
    world_discover(&world, WORLD_BOTH);
    for (int i = 0; i < 600; i++)
        buf_printf(&rows,
                   "%s{\"id\":\"/subscriptions/s-%d/resourcegroups/g%d/providers/a.b/c/n%d/"
                   "providers/microsoft.security/assessments/k%d\",\"assessmentKey\":\"k%d\","
                   "\"subscriptionId\":\"s-%d\",\"resourceId\":\"/subscriptions/s-%d/"
                   "resourcegroups/g%d/providers/a.b/c/n%d\",\"riskLevel\":\"%s\","
                   "\"statusCode\":\"Unhealthy\"}",
                   i ? "," : "[", i % 2 + 1, i % 7, i / 2, i % 2, i % 2, i % 2 + 1, i % 2 + 1,
                   i % 7, i / 2, i % 3 ? "High" : "Low");
    buf_char(&rows, ']');
    collect(&world, buf_cstr(&rows));
    /* every row is a resource of its own: group, name or subscription differ */
    CHECK_FAMILY(
        &world, 0, "defender_affected_resources",
        "{s-1,azure,critical} 0\n{s-1,azure,high} 200\n{s-1,azure,low} 100\n{s-1,azure,medium} 0\n"
        "{s-1,azure,not_evaluated} 0\n{s-2,azure,critical} 0\n{s-2,azure,high} "
        "200\n{s-2,azure,low} 100\n"
        "{s-2,azure,medium} 0\n{s-2,azure,not_evaluated} 0\n");
    CHECK_FAMILY(&world, 2, "defender_assessment_subscription_findings",
                 "{k0,s-1,high} 200\n{k0,s-1,low} 100\n{k1,s-2,high} 200\n{k1,s-2,low} 100\n");
}

TEST(what_makes_a_finding_urgent_is_counted)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world,
            ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy",
                           ",\"attackPathCount\":3,\"riskFactors\":\"Internet exposure\""),
                 WORLD_ROW("b", "s-1", "k1", "High", "Unhealthy",
                           ",\"attackPathCount\":1,\"riskFactors\":\"Sensitive data\""),
                 WORLD_ROW("c", "s-1", "k1", "Low", "Unhealthy", ",\"attackPathCount\":0")));
    CHECK_FAMILY(&world, 0, "defender_findings_on_attack_path",
                 "{s-1,critical} 0\n{s-1,high} 2\n{s-1,low} 0\n{s-1,medium} 0\n"
                 "{s-1,not_evaluated} 0\n");
    CHECK_FAMILY(&world, 0, "defender_findings_internet_exposed",
                 "{s-1,critical} 0\n{s-1,high} 1\n{s-1,low} 0\n{s-1,medium} 0\n"
                 "{s-1,not_evaluated} 0\n");
}

TEST(ages_are_the_oldest_open_and_the_newest_of_all)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world,
            ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy", TIMES("2025-06-01T00:00:00Z")),
                 WORLD_ROW("b", "s-1", "k1", "High", "Unhealthy", TIMES("2025-05-01T00:00:00Z")),
                 WORLD_ROW("c", "s-1", "k1", "High", "Unhealthy", TIMES("0001-01-01T00:00:00Z")),
                 WORLD_ROW("d", "s-1", "k1", "Low", "Unhealthy", ""),
                 WORLD_ROW("e", "s-1", "k1", "High", "Healthy", TIMES("2025-12-31T00:00:00Z")),
                 WORLD_ROW("f", "s-1", "k1", "High", "Healthy", TIMES("2025-01-01T00:00:00Z"))));
    CHECK_FAMILY(&world, 0, "defender_finding_oldest_timestamp_seconds",
                 "{s-1,high} 1746057600\n"); /* 2025-05-01; the low one has no date */
    CHECK_FAMILY(&world, 0, "defender_data_newest_evaluation_timestamp_seconds",
                 "{s-1} 1767139200\n"); /* 2025-12-31 */
}

TEST(equal_results_count_once_and_of_others_the_worse)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    collect(&world, ROWS(WORLD_ROW("a", "s-1", "k", "High", "Healthy", ""),
                         WORLD_ROW("A", "s-1", "k", "High", "Unhealthy", ""),
                         WORLD_ROW("a", "s-1", "k", "Critical", "Unhealthy", ""),
                         WORLD_ROW("b", "s-1", "k", "High", "Healthy", ""),
                         WORLD_ROW("B", "s-1", "k", "High", "Healthy", "")));
    CHECK_FAMILY(&world, 0, "defender_assessed_resources",
                 "{s-1,azure,exempt} 0\n{s-1,azure,healthy} 1\n{s-1,azure,not_applicable} "
                 "0\n{s-1,azure,unhealthy} 1\n");
    CHECK_CONTAINS(world_text(&world, 0), "defender_findings{s-1,azure,critical,false} 1\n");
    CHECK_CONTAINS(world_text(&world, 0), "defender_findings{s-1,azure,high,false} 0\n");
}

TEST(rows_without_what_identifies_them_are_odd)
{
    WORLD(world);
    static const struct {
        const char *row, *column;
    } cases[] = {
        { "[{\"subscriptionId\":\"s\",\"statusCode\":\"Healthy\"}]", "id" },
        { "[{\"id\":\"x\",\"statusCode\":\"Healthy\"}]", "subscriptionId" },
        { "[{\"id\":\"x\",\"subscriptionId\":\"s\"}]", "statusCode" },
        { "[{\"id\":\"x\",\"subscriptionId\":\"s\",\"statusCode\":\"Healthy\","
          "\"attackPathCount\":[]}]",
          "attackPathCount" },
        { "[{\"id\":\"x\",\"subscriptionId\":\"s\",\"statusCode\":\"Healthy\","
          "\"statusChangeDate\":\"yesterday\"}]",
          "statusChangeDate" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct part *part = part_create(SOURCE(assessments));
        CHECK(!world_try(&world, part, GRAPH, 0, cases[i].row));
        CHECK_INT(world.error.code, ERROR_PARSE);
        CHECK_CONTAINS(world.error.message, cases[i].column);
        part_release(part);
    }
}

#define LISTED(id, name, details)                                                                  \
    "[{\"id\":\"" id "\",\"name\":\"" name "\",\"properties\":{\"resourceDetails\":{" details      \
    "},\"status\":{\"code\":\"Unhealthy\"}}}]"

TEST(lists_name_their_resource_in_many_ways)
{
    static const struct {
        const char *rows, *resource, *type;
    } cases[] = {
        { LISTED("/x", "k", "\"Id\":\"/subscriptions/s-1/resourceGroups/g/providers/a.b/c/d\""),
          "/subscriptions/s-1/resourcegroups/g/providers/a.b/c/d", "a.b/c" },
        { LISTED("/x", "k", "\"ResourceId\":\"/subscriptions/s-1/providers/a.b/c/d\""),
          "/subscriptions/s-1/providers/a.b/c/d", "a.b/c" },
        { LISTED("/x", "k", "\"azureresourceid\":\"/subscriptions/s-1\""), "/subscriptions/s-1",
          "microsoft.resources/subscriptions" },
        { LISTED("/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Security/"
                 "securityConnectors/C/securityentitydata/aws-s3-bucket-b/providers/"
                 "Microsoft.Security/assessments/K",
                 "K", "\"NativeResourceId\":\"arn:aws:s3:::b\",\"Source\":\"AWS\""),
          "/subscriptions/s-1/resourcegroups/g/providers/microsoft.security/securityconnectors/c/"
          "securityentitydata/aws-s3-bucket-b",
          "s3" },
        /* nothing is named: the id of the assessment hangs on it */
        { LISTED("/subscriptions/s-1/resourceGroups/g/providers/A.B/C/d/providers/"
                 "Microsoft.Security/assessments/K",
                 "K", "\"Source\":\"OnPremise\""),
          "/subscriptions/s-1/resourcegroups/g/providers/a.b/c/d", "a.b/c" },
        { LISTED("/subscriptions/s-1/providers/Microsoft.Security/assessments/K", "K", ""),
          "/subscriptions/s-1", "microsoft.resources/subscriptions" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        char scratch[PART_ID_BYTES];
        struct part *part = part_create(SOURCE(assessments));
        world.context.subscription_id = "s-1";
        world_feed(&world, part, REST, 0, cases[i].rows);
        world.context.subscription_id = NULL;
        world_conclude(&world, part);
        struct finding finding = only_finding(part, scratch);
        CHECK_TEXT(finding.resource_id, cases[i].resource);
        CHECK_TEXT(finding.resource_type, cases[i].type);
        CHECK_TEXT(finding.subscription_id, "s-1");
    }
}

#define CONNECTOR                                                                                  \
    "/subscriptions/s-1/resourcegroups/g/providers/microsoft.security/securityconnectors/prod-aws"
#define OUTSIDE(id, details)                                                                       \
    "[{\"id\":\"" CONNECTOR id "/providers/microsoft.security/assessments/k\","                    \
    "\"assessmentKey\":\"k\",\"subscriptionId\":\"s-1\",\"resourceId\":\"" CONNECTOR id "\","      \
    "\"resourceType\":\"x\",\"statusCode\":\"Unhealthy\"," details "}]"

TEST(resources_outside_azure_have_the_names_of_their_cloud)
{
    static const struct {
        const char *rows;
        enum cloud_kind cloud;
        const char *type, *name, *account, *location, *native_id;
    } cases[] = {
        /* new kind: everything is told */
        { OUTSIDE("/securityentitydata/aws-ec2-instance-i-1-eu-west-2",
                  "\"source\":\"AWS\",\"nativeId\":\"arn:aws:ec2:eu-west-2:12:instance/i-1\","
                  "\"account\":\"123456789012\",\"resourceName\":\"Web-1\","
                  "\"region\":\"eu-west-1\",\"provider\":\"EC2\",\"nativeType\":\"Instance\""),
          CLOUD_AWS, "ec2-instance", "Web-1", "123456789012", "eu-west-1",
          "arn:aws:ec2:eu-west-2:12:instance/i-1" },
        /* old kinds: the native id has to say it */
        { OUTSIDE("/x/aws-b", "\"source\":\"aws\",\"nativeId\":\"arn:aws:s3:::b\","
                              "\"account\":\"12\""),
          CLOUD_AWS, "s3", "aws-b", "12", "", "arn:aws:s3:::b" },
        { OUTSIDE("/x/root", "\"source\":\"Aws\",\"nativeId\":\"AWS::::Account:12\""), CLOUD_AWS,
          "account", "root", "", "", "AWS::::Account:12" },
        { OUTSIDE("/x/vm", "\"source\":\"gcp\",\"nativeId\":"
                           "\"//compute.googleapis.com/projects/pay/zones/z-a/instances/vm\""),
          CLOUD_GCP, "microsoft.security/securityconnectors/x", "vm", "pay", "z-a",
          "//compute.googleapis.com/projects/pay/zones/z-a/instances/vm" },
        { OUTSIDE("/devops/default/githubowners/acme/repos/shop",
                  "\"source\":\"GitHub\",\"nativeId\":\"https://github.com/acme/shop\""),
          CLOUD_GITHUB, "microsoft.security/securityconnectors/devops/githubowners/repos", "shop",
          "acme", "", "https://github.com/acme/shop" },
        { OUTSIDE("/securityentitydata/oci-x", "\"source\":\"OCI\""), CLOUD_UNKNOWN,
          "microsoft.security/securityconnectors/securityentitydata", "oci-x", "", "", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        char scratch[PART_ID_BYTES];
        struct part *part = collect(&world, cases[i].rows);
        struct finding finding = only_finding(part, scratch);
        CHECK_INT(finding.cloud, cases[i].cloud);
        CHECK_TEXT(finding.resource_type, cases[i].type);
        CHECK_TEXT(finding.resource_name, cases[i].name);
        CHECK_TEXT(finding.account, cases[i].account);
        CHECK_TEXT(finding.location, cases[i].location);
        CHECK_TEXT(finding.native_id, cases[i].native_id);
        CHECK_TEXT(finding.connector, "prod-aws");
    }
}

/* Zeros of a cloud only where there is something of it. */
TEST(counts_tell_clouds_apart)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world, ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy", ""),
                         WORLD_ROW("b", "s-1", "k1", "High", "Unhealthy", ",\"source\":\"AWS\""),
                         WORLD_ROW("b", "s-1", "k2", "Low", "Unhealthy", ",\"source\":\"Aws\""),
                         WORLD_ROW("c", "s-2", "k1", "", "Healthy", ",\"source\":\"GitHub\"")));
    CHECK_FAMILY(&world, 0, "defender_affected_resources",
                 "{s-1,aws,critical} 0\n{s-1,aws,high} 1\n{s-1,aws,low} 0\n{s-1,aws,medium} 0\n"
                 "{s-1,aws,not_evaluated} 0\n"
                 "{s-1,azure,critical} 0\n{s-1,azure,high} 1\n{s-1,azure,low} 0\n"
                 "{s-1,azure,medium} 0\n{s-1,azure,not_evaluated} 0\n"
                 "{s-2,azure,critical} 0\n{s-2,azure,high} 0\n{s-2,azure,low} 0\n"
                 "{s-2,azure,medium} 0\n{s-2,azure,not_evaluated} 0\n"
                 "{s-2,github,critical} 0\n{s-2,github,high} 0\n{s-2,github,low} 0\n"
                 "{s-2,github,medium} 0\n{s-2,github,not_evaluated} 0\n");
    CHECK_FAMILY(&world, 0, "defender_assessed_resources",
                 "{s-1,aws,exempt} 0\n{s-1,aws,healthy} 0\n{s-1,aws,not_applicable} 0\n"
                 "{s-1,aws,unhealthy} 2\n{s-1,azure,exempt} 0\n{s-1,azure,healthy} 0\n"
                 "{s-1,azure,not_applicable} 0\n{s-1,azure,unhealthy} 1\n"
                 "{s-2,azure,exempt} 0\n{s-2,azure,healthy} 0\n{s-2,azure,not_applicable} 0\n"
                 "{s-2,azure,unhealthy} 0\n{s-2,github,exempt} 0\n{s-2,github,healthy} 1\n"
                 "{s-2,github,not_applicable} 0\n{s-2,github,unhealthy} 0\n");
    CHECK_CONTAINS(world_text(&world, 0), "defender_findings{s-1,aws,low,false} 1\n");
}

TEST(lists_count_paths_and_join_factors)
{
    WORLD(world);
    char scratch[PART_ID_BYTES];
    struct part *part = part_create(SOURCE(assessments));
    world.context.subscription_id = "s-1";
    world_feed(&world, part, REST, 0,
               "[{\"id\":\"/x\",\"name\":\"K\",\"properties\":{\"status\":{\"code\":\"Unhealthy\","
               "\"statusChangeDate\":\"2025-05-01T00:00:00Z\","
               "\"firstEvaluationDate\":\"2025-01-01T00:00:00Z\"},\"displayName\":\"Own\","
               "\"metadata\":{\"severity\":\"Low\",\"categories\":[\"Data\",\"Iot\"],"
               "\"assessmentType\":\"CustomerManaged\"},\"risk\":{\"level\":\"Medium\","
               "\"isContextualRisk\":true,\"riskFactors\":[\"Internet exposure\",\"b\"],"
               "\"attackPathsReferences\":[\"1\",\"2\"]}}}]");
    world_conclude(&world, part);
    struct finding finding = only_finding(part, scratch);
    CHECK_INT(finding.attack_paths, 2);
    CHECK_TEXT(finding.risk_factors, "Internet exposure,b");
    CHECK(finding.internet_exposed);
    CHECK(finding.contextual);
    CHECK_INT(finding.risk, RISK_MEDIUM);
    CHECK_INT(finding.severity, SEVERITY_LOW);
    CHECK_TEXT(finding.title, "Own");
    CHECK_TEXT(finding.category, "Data,Iot");
    CHECK_INT(finding.changed_at, 1746057600);
    CHECK_INT(finding.first_seen_at, 1735689600);
}

TEST(facts_come_from_the_row_or_else_from_the_catalogue)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *catalogue = part_create(SOURCE(catalogue));
    world_feed(&world, catalogue, 0, 0,
               "[{\"name\":\"K1\",\"properties\":{\"displayName\":\"Theirs\",\"severity\":\"Low\","
               "\"categories\":[\"Data\"],\"implementationEffort\":\"High\","
               "\"userImpact\":\"Low\",\"assessmentType\":\"BuiltIn\"}},"
               "{\"name\":\"K2\",\"properties\":{\"displayName\":\"Two\",\"severity\":\"High\"}}]");
    world_conclude(&world, catalogue);
    collect(&world, ROWS(WORLD_ROW("a", "s-1", "K1", "High", "Unhealthy", ""),
                         "{\"id\":\"/b\",\"assessmentKey\":\"k2\",\"subscriptionId\":\"s-1\","
                         "\"statusCode\":\"Unhealthy\"}",
                         "{\"id\":\"/c\",\"assessmentKey\":\"k3\",\"subscriptionId\":\"s-1\","
                         "\"statusCode\":\"Unhealthy\"}",
                         WORLD_ROW("d", "s-1", "k4", "High", "Healthy", "")));
    CHECK_FAMILY(&world, 1, "defender_assessment_info",
                 "{k1,T,Data,high,High,Low,BuiltIn,plain} 1\n" /* title, severity: the row's */
                 "{k2,Two,unknown,high,unknown,unknown,unknown,plain} 1\n"
                 "{k3,unknown,unknown,unknown,unknown,unknown,unknown,plain} 1\n"); /* k4 is fine */
}

TEST(lists_tell_grouped_ones_by_their_link_and_the_catalogue_what_they_are_of)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *catalogue = part_create(SOURCE(catalogue));
    world_feed(&world, catalogue, 0, 0,
               "[{\"name\":\"K1\",\"properties\":{\"displayName\":\"One\",\"severity\":\"Low\","
               "\"categories\":[\"Data\"]}}]");
    world_conclude(&world, catalogue);
    struct part *part = part_create(SOURCE(assessments));
    world.context.subscription_id = "s-1";
    world_feed(
        &world, part, REST, 0,
        "[{\"id\":\"/a\",\"name\":\"K1\",\"properties\":{\"status\":{\"code\":\"Unhealthy\"},"
        "\"additionalData\":{\"subAssessmentsLink\":\"/a/subAssessments\"}}},"
        "{\"id\":\"/b\",\"name\":\"K2\",\"properties\":{\"status\":{\"code\":\"Unhealthy\"},"
        "\"additionalData\":{}}}]");
    world_conclude(&world, part);
    CHECK_FAMILY(&world, 1, "defender_recommendation_findings", "{grouped,Data,not_evaluated} 1\n");
    CHECK_FAMILY(&world, 1, "defender_assessment_info",
                 "{k1,One,Data,low,unknown,unknown,unknown,grouped} 1\n"
                 "{k2,unknown,unknown,unknown,unknown,unknown,unknown,plain} 1\n");
}

TEST(sums_over_subscriptions_have_no_zeros)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world, ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy", ""),
                         WORLD_ROW("a", "s-2", "k1", "High", "Unhealthy", ""),
                         WORLD_ROW("b", "s-2", "k1", "Low", "Unhealthy", ""),
                         WORLD_ROW("b", "s-2", "k2", "Low", "Unhealthy", ""),
                         WORLD_ROW("c", "s-2", "k3", "Low", "Healthy", "")));
    CHECK_FAMILY(&world, 1, "defender_assessment_findings",
                 "{k1,high} 2\n{k1,low} 1\n{k2,low} 1\n");
    CHECK_FAMILY(&world, 1, "defender_resource_type_findings", "{a.b/c,high} 2\n{a.b/c,low} 2\n");
    CHECK_FAMILY(&world, 2, "defender_assessment_subscription_findings",
                 "{k1,s-1,high} 1\n{k1,s-2,high} 1\n{k1,s-2,low} 1\n{k2,s-2,low} 1\n");
    CHECK_FAMILY(&world, 1, "defender_assessment_subscription_findings", ""); /* level 2 */
}

TEST(a_carried_subscription_keeps_its_counts)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            ROWS(WORLD_ROW("a", "s-1", "k", "High", "Unhealthy", ""),
                 WORLD_ROW("b", "s-2", "k", "Low", "Unhealthy", TIMES("2025-05-01T00:00:00Z")),
                 WORLD_ROW("c", "s-2", "k", "Low", "Healthy", "")));
    for (int run = 1; run <= 2; run++) {
        world.context.now = WORLD_NOW + run * 60;
        world_discover(&world, "[" WORLD_ONE "]");
        struct part *part = collect(&world, ROWS(WORLD_ROW("d", "s-1", "k", "Low", "Healthy", "")));
        CHECK_FAMILY(&world, 0, "defender_assessed_resources",
                     "{s-1,azure,exempt} 0\n{s-1,azure,healthy} 1\n{s-1,azure,not_applicable} "
                     "0\n{s-1,azure,unhealthy} 0\n"
                     "{s-2,azure,exempt} 0\n{s-2,azure,healthy} 1\n{s-2,azure,not_applicable} 0\n"
                     "{s-2,azure,unhealthy} 1\n");
        CHECK_FAMILY(&world, 0, "defender_data_newest_evaluation_timestamp_seconds",
                     "{s-2} 1746057600\n");
        CHECK_INT(part->finding_count, 1);
    }
}

TEST(only_the_worst_findings_are_named)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf rows = { 0 };
    enum { LIMIT = 5000 };
    world_discover(&world, "[" WORLD_ONE "]");
    for (int i = 0; i < LIMIT + 10; i++)
        buf_printf(&rows,
                   "%s{\"id\":\"/i%d\",\"assessmentKey\":\"k\",\"subscriptionId\":\"s-1\","
                   "\"resourceId\":\"r%d\",\"riskLevel\":\"%s\",\"statusCode\":\"Unhealthy\"}",
                   i ? "," : "[", i, i,
                   i < 20    ? "Low"
                   : i == 20 ? "Critical"
                             : "High");
    buf_char(&rows, ']');
    collect(&world, buf_cstr(&rows));
    size_t critical = 0, high = 0, low = 0, all = 0;
    const char *text = world_text(&world, 3);
    for (const char *at = text; (at = strstr(at, "defender_finding_info{")); at++) {
        const char *end = strchr(at, '\n');
        all++;
        critical += !strncmp(end - strlen("critical} 1"), "critical} 1", 11);
        high += !strncmp(end - strlen("high} 1"), "high} 1", 7);
        low += !strncmp(end - strlen("low} 1"), "low} 1", 6);
    }
    CHECK_INT(all, LIMIT);
    CHECK_INT(critical, 1);
    CHECK_INT(high, LIMIT + 10 - 21);
    CHECK_INT(low, 10);
}
