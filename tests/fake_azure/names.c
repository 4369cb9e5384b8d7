#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/compiler.h"
#include "draw.h"

/* clang-format off */
static const struct { const char *title, *word; } businesses[] = {
    { "Payments", "payments" }, { "Retail", "retail" },       { "Data Platform", "data" },
    { "Logistics", "logistics" }, { "Web Shop", "shop" },     { "Identity", "identity" },
    { "Analytics", "analytics" }, { "HR", "hr" },             { "Manufacturing", "plants" },
    { "Integration", "integration" },
};
static const struct { const char *title, *word; } environments[] = {
    { "Prod", "prod" }, { "Test", "test" }, { "Dev", "dev" }, { "Sandbox", "sbx" },
};
static const char *const management_groups[] = { "Contoso Production", "Contoso Non-Production",
                                                 "Contoso Sandboxes", "Contoso Décommissioned" };

static const struct shape {
    const char *provider, *type, *child; /* type of the parent when there is a child */
    const char *name;                    /* of the (child) resource: word, environment, serial */
    const char *source, *resource_type;  /* of resourceDetails */
} shapes[KIND_COUNT] = {
    [KIND_SUBSCRIPTION] = { "Microsoft.Resources", "subscriptions", NULL, "",
                            "Azure", "Subscription" },
    [KIND_VM]         = { "Microsoft.Compute", "virtualMachines", NULL, "vm-%s-%s-%04u",
                          "Azure", "virtualMachines" },
    [KIND_ARC]        = { "Microsoft.HybridCompute", "machines", NULL, "SRV-%s-%s-%04u",
                          "Azure", "machines" },
    [KIND_ON_PREMISE] = { "Microsoft.OperationalInsights", "workspaces", "onPremiseMachines",
                          "dc-%s-%s-%04u", "OnPremise", "" },
    [KIND_STORAGE]    = { "Microsoft.Storage", "storageAccounts", NULL, "st%s%s%06u",
                          "Azure", "storageAccounts" },
    [KIND_SQL]        = { "Microsoft.Sql", "servers", NULL, "sql-%s-%s-%04u",
                          "Azure", "servers" },
    [KIND_DATABASE]   = { "Microsoft.Sql", "servers", "databases", "db_%s_%s_%04u",
                          "Azure", "servers/databases" },
    [KIND_VAULT]      = { "Microsoft.KeyVault", "vaults", NULL, "kv-%s-%s-%05u",
                          "Azure", "vaults" },
    [KIND_AKS]        = { "Microsoft.ContainerService", "managedClusters", NULL, "aks-%s-%s-%04u",
                          "Azure", "managedClusters" },
    [KIND_WEB]        = { "Microsoft.Web", "sites", NULL, "app-%s-%s-%04u",
                          "Azure", "sites" },
    [KIND_REGISTRY]   = { "Microsoft.ContainerRegistry", "registries", NULL, "cr%s%s%05u",
                          "Azure", "registries" },
    [KIND_SUBNET]     = { "Microsoft.Network", "virtualNetworks", "subnets", "snet-%s-%s-%04u",
                          "Azure", "virtualNetworks/subnets" },
    [KIND_COSMOS]     = { "Microsoft.DocumentDB", "databaseAccounts", NULL, "cosmos-%s-%s-%04u",
                          "Azure", "databaseAccounts" },
    [KIND_AWS]        = { "Microsoft.Security", "securityConnectors", "securityentitydata",
                          "aws-s3-bucket-%s-%s-%04u", "Aws", "S3.Bucket" },
    [KIND_GCP]        = { "Microsoft.Security", "securityConnectors", "securityentitydata",
                          "gcp-storage-bucket-%s-%s-%04u", "Gcp", "Storage.Bucket" },
    /* named by outside.c */
    [KIND_AWS_OLD]    = { .source = "AWS", .resource_type = "" },
    [KIND_GCP_OLD]    = { .source = "GCP", .resource_type = "" },
    [KIND_GITHUB]     = { .source = "GitHub", .resource_type = "repos" },
    [KIND_DEVOPS]     = { .source = "AzureDevOps", .resource_type = "repos" },
};
/* clang-format on */

void names_subscription(struct subscription *subscription, size_t number, struct arena *texts)
{
    size_t business = number % ARRAY_COUNT(businesses);
    /* the first ones mix the environments too */
    size_t environment = (number + number / ARRAY_COUNT(businesses)) % ARRAY_COUNT(environments);
    size_t round = number / (ARRAY_COUNT(businesses) * ARRAY_COUNT(environments));
    char name[96], suffix[24] = "";
    if (round)
        snprintf(suffix, sizeof suffix, " %zu", round + 1);
    snprintf(name, sizeof name, "Contoso %s %s%s", businesses[business].title,
             environments[environment].title, suffix);
    subscription->name = arena_text(texts, number == 6 ? "Contoso \"R&D\" <Labor> Küche" : name);
    subscription->word = businesses[business].word;
    subscription->environment = environments[environment].word;
    subscription->group = number % 9 == 8 ? -1 : environment == 0 ? 0 : environment == 3 ? 2 : 1;
}

const char *names_management_group(int number)
{
    bool known = number >= 0 && number < (int)ARRAY_COUNT(management_groups);
    return known ? management_groups[number] : NULL;
}

static void upper(char *text)
{
    for (; *text; text++)
        *text = (char)toupper((unsigned char)*text);
}

/* A few resource groups per subscription; one in seven is written in capitals. */
static void group_name(const struct resource *resource, const struct subscription *subscription,
                       char *out, size_t bytes)
{
    static const char *const roles[] = { "app", "data", "network", "shared", "web" };
    uint32_t number = draw_below(0, DRAW_RESOURCE, resource->serial / 6, 25);
    snprintf(out, bytes, "rg-%s-%s-%s-%02u", subscription->word, subscription->environment,
             roles[number % ARRAY_COUNT(roles)], number);
    if (number % 7 == 3)
        upper(out);
}

const char *names_resource(const struct resource *resource, const struct subscription *subscription,
                           struct arena *texts)
{
    const struct shape *shape = &shapes[resource->kind];
    char id[TENANT_ID_BYTES], guid[37], group[96], name[128], parent[128] = "", tail[48] = "";
    memcpy(guid, subscription->id, sizeof guid);
    if (resource->serial % 53 == 11)
        upper(guid); /* both casings occur in ids */
    if (resource->kind == KIND_SUBSCRIPTION) {
        snprintf(id, sizeof id, "/subscriptions/%s", subscription->id);
        return arena_text(texts, id);
    }
    group_name(resource, subscription, group, sizeof group);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(name, sizeof name, shape->name, subscription->word, subscription->environment,
             resource->serial);
#pragma GCC diagnostic pop
    if (resource->kind == KIND_ON_PREMISE)
        snprintf(tail, sizeof tail, "_%08x", (unsigned)draw(0, DRAW_RESOURCE, resource->serial));
    if (shape->child)
        snprintf(parent, sizeof parent, "/%s-%s-%02u/%s",
                 resource->kind == KIND_SUBNET ? "vnet" : shape->type, subscription->word,
                 resource->serial % 12, shape->child);
    snprintf(id, sizeof id, "/subscriptions/%s/resourceGroups/%s/providers/%s/%s%s/%s%s", guid,
             group, shape->provider, shape->type, parent, name, tail);
    return arena_text(texts, id);
}

const char *tenant_source(const struct resource *resource)
{
    return shapes[resource->kind].source;
}

const char *tenant_resource_type(const struct resource *resource)
{
    return shapes[resource->kind].resource_type;
}
