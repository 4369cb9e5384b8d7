#include "outside.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "core/hash.h"
#include "draw.h"
#include "rows.h"

/* clang-format off */
static const struct shape {
    const char *connector;                /* head of its name */
    const char *environment;              /* of scores */
    const char *sources[2];               /* of rows: spelled in several ways */
    const char *tail;                     /* of the id: word, environment, serial */
    const char *provider, *type; /* of the new kind */
} shapes[KIND_COUNT] = {
    [KIND_AWS] = { "aws", "AWS", { "Aws", "AWS" },
                   "securityentitydata/aws-ec2-instance-i-%s-%s-%04u-eu-west-2",
                   "ec2", "instance" },
    [KIND_AWS_OLD] = { "aws", "AWS", { "AWS", "aws" }, "awsResources/bucket-%s-%s-%04u",
                       "", "" },
    [KIND_GCP] = { "gcp", "GCP", { "Gcp", "GCP" },
                   "securityentitydata/gcp-compute-instance-vm-%s-%s-%04u-europe-west3",
                   "compute", "instance" },
    [KIND_GCP_OLD] = { "gcp", "GCP", { "GCP", "gcp" }, "gcpResources/sql-%s-%s-%04u",
                       "", "" },
    [KIND_GITHUB] = { "gh", "Github", { "GitHub", "Github" },
                      "devops/default/gitHubOwners/contoso-%s/repos/%s-service-%04u",
                      "", "" },
    [KIND_DEVOPS] = { "ado", "AzureDevOps", { "AzureDevOps", "azuredevops" },
                      "devops/default/azureDevOpsOrgs/contoso/projects/%s/repos/%s-app-%04u",
                      "", "" },
};
/* clang-format on */

bool outside_is(enum kind kind)
{
    return shapes[kind].connector != NULL;
}

static const struct shape *shape_of(const struct resource *resource)
{
    return &shapes[resource->kind];
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* Every fifth is below a second connector of the same name in another resource group; one in seven
 * ids of GitHub is written in another casing. */
const char *outside_id(const struct resource *resource, const struct subscription *subscription,
                       struct arena *texts)
{
    const struct shape *shape = shape_of(resource);
    char tail[256], id[TENANT_ID_BYTES];
    snprintf(tail, sizeof tail, shape->tail, subscription->word, subscription->environment,
             resource->serial);
    snprintf(id, sizeof id,
             "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Security/securityConnectors/"
             "%s-%s/%s",
             subscription->id, resource->serial % 5 == 4 ? "rg-multicloud-2" : "RG-Multicloud",
             shape->connector, subscription->word, tail);
#pragma GCC diagnostic pop
    char *owners = strstr(id, "/gitHubOwners/");
    if (owners && resource->serial % 7 == 3)
        memcpy(owners, "/githubowners/", strlen("/githubowners/"));
    return arena_text(texts, id);
}

/* An account of 12 digits, the same for all that is below one connector. */
static uint64_t number_of(const struct resource *resource)
{
    const char *end = strstr(resource->id, "/securityConnectors/");
    return 100000000000 + hash_bytes(resource->id, (size_t)(end - resource->id)) % 900000000000;
}

static const char *native_of(enum kind kind, const char *account, const char *place,
                             const char *name, struct arena *scratch)
{
    static const char google[] = "googleapis.com/projects";
    switch (kind) {
    case KIND_AWS:
        return rows_print(scratch, "arn:aws:ec2:%s:%s:instance/%s", place, account, name);
    case KIND_AWS_OLD:
        return rows_print(scratch, "arn:aws:s3:::%s", name);
    case KIND_GCP:
        return rows_print(scratch, "//compute.%s/%s/zones/%s/instances/%s", google, account, place,
                          name);
    case KIND_GCP_OLD:
        return rows_print(scratch, "//sqladmin.%s/%s/instances/%s", google, account, name);
    case KIND_GITHUB:
        return rows_print(scratch, "https://github.com/%s/%s", account, name);
    default:
        return rows_print(scratch, "https://dev.azure.com/contoso/_git/%s", name);
    }
}

void outside_describe(const struct resource *resource, const struct subscription *subscription,
                      struct arena *scratch, struct outside *out)
{
    const struct shape *shape = shape_of(resource);
    const char *last = strrchr(resource->id, '/') + 1;
    bool is_aws = resource->kind == KIND_AWS || resource->kind == KIND_AWS_OLD;
    bool is_gcp = resource->kind == KIND_GCP || resource->kind == KIND_GCP_OLD;
    *out = (struct outside){ .source = shape->sources[resource->serial % 2],
                             .account = "",
                             .name = "",
                             .region = "",
                             .provider = shape->provider,
                             .type = shape->type };
    const char *account = rows_print(scratch, "contoso-%s", subscription->word);
    if (is_aws)
        account = rows_print(scratch, "%llu", (unsigned long long)number_of(resource));
    if (is_aws || resource->kind == KIND_GCP_OLD)
        out->account = account;
    else if (is_gcp) /* a number; the readable name is in the native id alone */
        out->account = rows_print(scratch, "%llu", (unsigned long long)number_of(resource));
    const char *place = is_aws ? "eu-west-2" : "europe-west3-a", *name = last;
    if (*shape->provider) { /* the new kind */
        out->name = name =
            rows_print(scratch, "%s-%04u", is_aws ? "i-0a1b2c3d" : "vm", resource->serial);
        out->region = is_aws ? place : "";
    }
    out->native_id = native_of(resource->kind, account, place, name, scratch);
}

/* --- connectors ------------------------------------------------------------------------------- */
static size_t connector_length(const char *id)
{
    static const char mark[] = "/securityConnectors/";
    const char *name = strstr(id, mark) + strlen(mark);
    return (size_t)(name - id) + strcspn(name, "/");
}

static int compare_connectors(const void *left, const void *right)
{
    const struct connector *a = left, *b = right;
    if (a->subscription != b->subscription)
        return a->subscription < b->subscription ? -1 : 1;
    return strcasecmp(a->id, b->id);
}

static int32_t find_connector(const struct tenant *tenant, const char *id, size_t length)
{
    for (size_t i = 0; i < tenant->connector_count; i++)
        if (strlen(tenant->connectors[i].id) == length &&
            !strncasecmp(tenant->connectors[i].id, id, length))
            return (int32_t)i;
    return -1;
}

static void add_connector(struct tenant *tenant, const struct resource *resource)
{
    size_t length = connector_length(resource->id), bytes = sizeof *tenant->connectors;
    if (find_connector(tenant, resource->id, length) >= 0)
        return;
    tenant->connectors = realloc(tenant->connectors, (tenant->connector_count + 1) * bytes);
    if (!tenant->connectors)
        abort();
    tenant->connectors[tenant->connector_count++] = (struct connector){
        .id = arena_copy(&tenant->texts, resource->id, length),
        .subscription = resource->subscription,
        .kind = resource->kind,
    };
}

void outside_connect(struct tenant *tenant)
{
    for (size_t r = 0; r < tenant->resource_count && tenant->options.multicloud; r++)
        if (outside_is(tenant->resources[r].kind))
            add_connector(tenant, &tenant->resources[r]);
    if (tenant->connector_count)
        qsort(tenant->connectors, tenant->connector_count, sizeof *tenant->connectors,
              compare_connectors);
    for (size_t r = 0; r < tenant->resource_count; r++) {
        struct resource *resource = &tenant->resources[r];
        bool is_below = tenant->options.multicloud && outside_is(resource->kind);
        resource->connector =
            !is_below ? -1 : find_connector(tenant, resource->id, connector_length(resource->id));
    }
    tenant->scope_count = tenant->subscription_count + tenant->connector_count;
    tenant->scopes = calloc(tenant->scope_count + 1, sizeof *tenant->scopes);
    if (!tenant->scopes)
        abort();
    for (size_t s = 0, c = 0, at = 0; s < tenant->subscription_count; s++) {
        tenant->scopes[at++] = (struct scope){ (uint32_t)s, NULL };
        for (; c < tenant->connector_count && tenant->connectors[c].subscription == s; c++)
            tenant->scopes[at++] = (struct scope){ (uint32_t)s, &tenant->connectors[c] };
    }
}

void outside_finish(struct tenant *tenant)
{
    free(tenant->connectors);
    free(tenant->scopes);
}

const char *outside_environment(const struct connector *connector)
{
    return connector ? shapes[connector->kind].environment : "Azure";
}
