#include "collectors/snapshot/cloud_kind.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"

/* clang-format off */
const char *const cloud_kind_words[] = {
    [CLOUD_AZURE] = "azure", [CLOUD_AWS] = "aws", [CLOUD_GCP] = "gcp", [CLOUD_GITHUB] = "github",
    [CLOUD_AZUREDEVOPS] = "azuredevops", [CLOUD_GITLAB] = "gitlab",
    [CLOUD_DOCKERHUB] = "dockerhub", [CLOUD_JFROG] = "jfrog", [CLOUD_UNKNOWN] = "unknown",
    [CLOUD_COUNT] = NULL,
};
const char *const cloud_kind_names[] = {
    [CLOUD_AZURE] = "Azure", [CLOUD_AWS] = "AWS", [CLOUD_GCP] = "GCP", [CLOUD_GITHUB] = "GitHub",
    [CLOUD_AZUREDEVOPS] = "Azure DevOps", [CLOUD_GITLAB] = "GitLab",
    [CLOUD_DOCKERHUB] = "Docker Hub", [CLOUD_JFROG] = "JFrog", [CLOUD_UNKNOWN] = "Other cloud",
    [CLOUD_COUNT] = NULL,
};
const char *const cloud_kind_account_words[] = {
    [CLOUD_AZURE] = "subscription", [CLOUD_AWS] = "account", [CLOUD_GCP] = "project",
    [CLOUD_GITHUB] = "owner", [CLOUD_AZUREDEVOPS] = "organization", [CLOUD_GITLAB] = "group",
    [CLOUD_DOCKERHUB] = "organization", [CLOUD_JFROG] = "instance", [CLOUD_UNKNOWN] = "account",
    [CLOUD_COUNT] = NULL,
};

/* What else Azure writes. source: resourceDetails.Source, Defender for Cloud's own queries. */
static const struct {
    const char *word;
    enum cloud_kind cloud;
} others[] = {
    { "onpremise", CLOUD_AZURE }, { "onpremisesql", CLOUD_AZURE },
};
/* What an id without a word says. source: Microsoft.Security/securityConnectors. */
static const struct {
    const char *inside;
    enum cloud_kind cloud;
} marks[] = {
    { "/securityentitydata/aws-", CLOUD_AWS },
    { "/securityentitydata/gcp-", CLOUD_GCP },
    { "/securityentitydata/gar-gcp-", CLOUD_GCP },
    { "/githubowners/", CLOUD_GITHUB },
    { "/azuredevopsorgs/", CLOUD_AZUREDEVOPS },
    { "/gitlabgroups/", CLOUD_GITLAB },
};
/* clang-format on */

/* Where a text has a mark, which begins with a slash, in any case. */
static const char *find_mark(const char *text, const char *mark)
{
    size_t length = strlen(mark);
    while ((text = strchr(text, '/')) && strncasecmp(text + 1, mark + 1, length - 1) != 0)
        text++;
    return text;
}

enum cloud_kind cloud_kind_of(const char *word, const char *id)
{
    for (int cloud = 0; cloud < CLOUD_COUNT; cloud++)
        if (!strcasecmp(cloud_kind_words[cloud], word))
            return (enum cloud_kind)cloud;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (!strcasecmp(others[i].word, word))
            return others[i].cloud;
    if (*word)
        return CLOUD_UNKNOWN;
    for (size_t i = 0; i < ARRAY_COUNT(marks); i++)
        if (find_mark(id, marks[i].inside))
            return marks[i].cloud;
    return cloud_kind_connector(id) ? CLOUD_UNKNOWN : CLOUD_AZURE;
}

/* What follows the first `mark` in a text (any case), and how long it is up to one of `ends`. */
static const char *behind(const char *text, const char *mark, const char *ends, size_t *length)
{
    const char *at = find_mark(text, mark);
    at = at ? at + strlen(mark) : "";
    *length = strcspn(at, ends);
    return at;
}

const char *cloud_kind_connector_name(const char *id, size_t *length)
{
    return behind(id, "/providers/microsoft.security/securityconnectors/", "/", length);
}

size_t cloud_kind_connector(const char *id)
{
    size_t length;
    const char *name = cloud_kind_connector_name(id, &length);
    return length ? (size_t)(name - id) + length : 0;
}

/* The segment of an ARN: arn:partition:service:region:account:resource. */
static const char *arn_segment(const char *arn, int segment, size_t *length)
{
    for (; segment && *arn; segment--)
        arn += strcspn(arn, ":") + (arn[strcspn(arn, ":")] == ':');
    *length = strcspn(arn, ":");
    return arn;
}

static bool is_arn(const char *native_id)
{
    return !strncasecmp(native_id, "arn:", strlen("arn:"));
}

/* The first of these that a text has something behind. */
static const char *first_behind(const char *text, const char *const *wanted, size_t *length)
{
    *length = 0;
    const char *found = "";
    for (; *wanted && !*length; wanted++)
        found = behind(text, *wanted, "/", length);
    return *length ? found : "";
}

const char *cloud_kind_region(const char *native_id, size_t *length)
{
    static const char *const places[] = { "/regions/", "/zones/", "/locations/", NULL };
    if (is_arn(native_id))
        return arn_segment(native_id, 3, length);
    return first_behind(native_id, places, length);
}

const char *cloud_kind_account(const char *native_id, const char *resource_id, size_t *length)
{
    static const char *const projects[] = { "/projects/", NULL };
    static const char *const owners[] = { "/githubowners/", "/azuredevopsorgs/", "/gitlabgroups/",
                                          NULL };
    if (is_arn(native_id))
        return arn_segment(native_id, 4, length);
    const char *owner = first_behind(resource_id, owners, length);
    return *length ? owner : first_behind(native_id, projects, length);
}
