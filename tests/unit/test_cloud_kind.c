/* What Azure's words and ids say of the cloud a resource is of. */
#include "collectors/snapshot/cloud_kind.h"

#include <stdio.h>
#include <string.h>

#include "core/compiler.h"
#include "test.h"

#define CONNECTOR                                                                                  \
    "/subscriptions/s/resourcegroups/g/providers/microsoft.security/securityconnectors/c"

TEST(a_word_in_any_case_is_one_cloud)
{
    static const struct {
        const char *word, *id;
        enum cloud_kind kind;
    } cases[] = {
        { "Azure", "/subscriptions/s", CLOUD_AZURE },
        { "OnPremise", "/subscriptions/s", CLOUD_AZURE },
        { "OnPremiseSql", "/subscriptions/s", CLOUD_AZURE },
        { "", "/subscriptions/s/providers/a/b/c", CLOUD_AZURE },
        { "AWS", "", CLOUD_AWS },
        { "Aws", "", CLOUD_AWS },
        { "gcp", "", CLOUD_GCP },
        { "Github", "", CLOUD_GITHUB },
        { "GitHub", "", CLOUD_GITHUB },
        { "AzureDevOps", "", CLOUD_AZUREDEVOPS },
        { "GitLab", "", CLOUD_GITLAB },
        { "DockerHub", "", CLOUD_DOCKERHUB },
        { "JFrog", "", CLOUD_JFROG },
        { "OCI", "/subscriptions/s", CLOUD_UNKNOWN },
        { "", CONNECTOR "/securityentitydata/aws-iam-user-u", CLOUD_AWS },
        { "", CONNECTOR "/securityEntityData/gar-gcp-repository-r-eu", CLOUD_GCP },
        { "", CONNECTOR "/devops/default/gitHubOwners/o/repos/r", CLOUD_GITHUB },
        { "", CONNECTOR "/devops/default/azureDevOpsOrgs/o/projects/p/repos/r", CLOUD_AZUREDEVOPS },
        { "", CONNECTOR "/devops/default/gitLabGroups/g/projects/p", CLOUD_GITLAB },
        { "", CONNECTOR, CLOUD_UNKNOWN },
        /* what stands below securityentitydata may be Azure's own */
        { "", "/subscriptions/s/providers/m/managedclusters/k/securityentitydata/namespace-a",
          CLOUD_AZURE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(cloud_kind_of(cases[i].word, cases[i].id), cases[i].kind);
}

static const char *piece(const char *text, size_t length)
{
    static char out[100];
    snprintf(out, sizeof out, "%.*s", (int)length, text);
    return out;
}

TEST(an_id_below_a_connector_names_it)
{
    size_t length;
    const char *upper = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Security/"
                        "securityConnectors/Prod-AWS/securityentitydata/aws-x";
    const char *name = cloud_kind_connector_name(upper, &length);
    CHECK_TEXT(piece(name, length), "Prod-AWS");
    CHECK_INT(cloud_kind_connector(upper), strstr(upper, "/securityentitydata") - upper);
    CHECK_INT(cloud_kind_connector(CONNECTOR), strlen(CONNECTOR));
    CHECK_INT(cloud_kind_connector("/subscriptions/s/providers/a/b/c"), 0);
    CHECK_INT(cloud_kind_connector("/subscriptions/s/providers/microsoft.security/"
                                   "securityconnectors/"),
              0);
}

TEST(native_ids_say_where_and_whose)
{
    static const struct {
        const char *native, *resource, *region, *account;
    } cases[] = {
        { "arn:aws:ec2:eu-west-2:123456789012:instance/i-1", "", "eu-west-2", "123456789012" },
        { "arn:aws:s3:::bucket", "", "", "" },
        { "arn:aws", "", "", "" },
        { "//compute.googleapis.com/projects/pay/zones/europe-west3-a/instances/vm", "",
          "europe-west3-a", "pay" },
        { "https://github.com/acme/shop", CONNECTOR "/devops/default/githubOwners/acme/repos/shop",
          "", "acme" },
        { "https://dev.azure.com/org/projects/x",
          CONNECTOR "/devops/default/azureDevOpsOrgs/org/projects/p/repos/r", "", "org" },
        { "", "/subscriptions/s", "", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t length;
        const char *found = cloud_kind_region(cases[i].native, &length);
        CHECK_TEXT(piece(found, length), cases[i].region);
        found = cloud_kind_account(cases[i].native, cases[i].resource, &length);
        CHECK_TEXT(piece(found, length), cases[i].account);
    }
}
