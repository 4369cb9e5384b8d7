#include "paths.h"

#include <stdio.h>
#include <string.h>

#include "draw.h"

enum { PATHS_MAX = 4, NODES = 4, LINKS = 3 }; /* of a resource, of a path */
enum node { NODE_INTERNET, NODE_RESOURCE, NODE_IDENTITY, NODE_VAULT };

/* The number stands in front: names are in the order of their resources. */
char *paths_name(const struct tenant *tenant, size_t resource, unsigned number, char out[37])
{
    char head[9];
    draw_guid(tenant->options.seed, DRAW_PATH, resource * 8u + number, out);
    snprintf(head, sizeof head, "%08x", (unsigned)(resource * 8u + number));
    memcpy(out, head, 8);
    return out;
}

/* The worst risk of its open findings that lie on the path; RISK_MISSING = there is no path. */
static enum risk risk_of(const struct view *view, const struct resource *resource, unsigned number)
{
    enum risk worst = RISK_MISSING;
    for (uint32_t i = resource->first; i < resource->first + resource->count; i++) {
        const struct assessment *assessment = &view->tenant->assessments[i];
        if (rows_assessment_present(view, i) && assessment->status == TENANT_UNHEALTHY &&
            assessment->attack_paths > number && assessment->risk > worst)
            worst = (enum risk)assessment->risk;
    }
    return worst;
}

static bool has_graph(size_t path)
{
    return path % 2 == 0;
}

static bool is_there(const struct view *view, size_t path)
{
    const struct resource *resource = &view->tenant->resources[path / PATHS_MAX];
    return view->in_scope[resource->subscription] &&
           view->tenant->subscriptions[resource->subscription].posture_plan &&
           risk_of(view, resource, path % PATHS_MAX) != RISK_MISSING;
}

static const struct subscription *subscription_of(const struct view *view, size_t path)
{
    const struct tenant *tenant = view->tenant;
    return &tenant->subscriptions[tenant->resources[path / PATHS_MAX].subscription];
}

static const char *id_of(const struct view *view, size_t path, struct arena *scratch)
{
    char name[37];
    return rows_print(scratch, "/subscriptions/%s/providers/microsoft.security/attackpaths/%s",
                      subscription_of(view, path)->id,
                      paths_name(view->tenant, path / PATHS_MAX, path % PATHS_MAX, name));
}

static const char *last_of(const char *id)
{
    const char *slash = strrchr(id, '/');
    return slash ? slash + 1 : id;
}

/* --- plans ------------------------------------------------------------------------------------ */

struct plan_row {
    const char *id, *subscriptionId, *tier;
};
static const struct field plan_fields[] = {
    TEXT(struct plan_row, id),
    TEXT(struct plan_row, subscriptionId),
    TEXT(struct plan_row, tier),
    { 0 },
};

static size_t plan_count(const struct view *view)
{
    return view->tenant->subscription_count;
}

static bool plan_present(const struct view *view, size_t position)
{
    return view->in_scope[position] && !view->tenant->subscriptions[position].disabled;
}

static void plan_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct subscription *of = &view->tenant->subscriptions[position];
    struct plan_row *row = out;
    row->id = rows_print(
        scratch, "/subscriptions/%s/providers/microsoft.security/pricings/cloudposture", of->id);
    row->subscriptionId = of->id;
    row->tier = of->posture_plan ? "Standard" : "Free";
}

/* --- paths ------------------------------------------------------------------------------------ */

struct path_row {
    const char *id, *subscriptionId, *pathId, *title, *pathType, *riskLevel, *potentialImpact,
        *factors, *entryEntity, *targetEntity, *entryName, *targetName, *isPartial, *description,
        *remediation;
    int64_t entities;
};
/* clang-format off */
static const struct field path_fields[] = {
    TEXT(struct path_row, id), TEXT(struct path_row, subscriptionId), TEXT(struct path_row, pathId),
    TEXT(struct path_row, title), TEXT(struct path_row, pathType), TEXT(struct path_row, riskLevel),
    TEXT(struct path_row, potentialImpact), TEXT(struct path_row, factors),
    TEXT(struct path_row, entryEntity), TEXT(struct path_row, targetEntity),
    TEXT(struct path_row, entryName), TEXT(struct path_row, targetName),
    TEXT(struct path_row, isPartial), INTEGER(struct path_row, entities),
    TEXT(struct path_row, description), TEXT(struct path_row, remediation), { 0 }
};
/* clang-format on */

static size_t path_count(const struct view *view)
{
    return view->tenant->resource_count * PATHS_MAX;
}

static const char *vault_of(const struct view *view, size_t path, struct arena *scratch)
{
    return rows_print(scratch, "kv-%s", subscription_of(view, path)->word);
}

static void path_fill(const struct view *view, size_t path, void *out, struct arena *scratch)
{
    const struct resource *resource = &view->tenant->resources[path / PATHS_MAX];
    bool graph = has_graph(path);
    struct path_row *row = out;
    row->id = id_of(view, path, scratch);
    row->subscriptionId = subscription_of(view, path)->id;
    row->pathId = graph ? last_of(row->id) : "";
    row->title = graph ? "Internet exposed resource leads to a key vault"
                       : "Exposed resource with weak authorization";
    row->pathType = graph ? "InternetExposed" : "WeakAuthorization";
    row->riskLevel = graph ? "" : tenant_risk_words[risk_of(view, resource, path % PATHS_MAX)];
    row->potentialImpact = graph ? "DataExposure" : "";
    row->factors = graph ? "DataExposure,CredentialAccess" : "Internet exposure,Weak authorization";
    row->entryEntity = graph ? "internet" : "";
    row->targetEntity = graph ? "vault" : "";
    row->entryName = graph ? "" : last_of(resource->id);
    row->targetName = graph ? "" : vault_of(view, path, scratch);
    row->isPartial = graph ? "" : "false";
    row->entities = graph ? NODES : 0;
    row->description = "Whoever is on the internet can get to what should stay secret.";
    row->remediation = graph ? "<p>Close one of the steps.</p>" : "";
}

/* --- entities and steps ----------------------------------------------------------------------- */

struct node_row {
    const char *id, *subscriptionId, *path, *entity, *resourceId, *entityType, *entityName;
};
static const struct field node_fields[] = {
    TEXT(struct node_row, id),         TEXT(struct node_row, subscriptionId),
    TEXT(struct node_row, path),       TEXT(struct node_row, entity),
    TEXT(struct node_row, resourceId), TEXT(struct node_row, entityType),
    TEXT(struct node_row, entityName), { 0 },
};

/* In the order of their keys. */
static const enum node node_order[NODES] = { NODE_IDENTITY, NODE_INTERNET, NODE_RESOURCE,
                                             NODE_VAULT };
static const char *const node_keys[NODES] = {
    [NODE_INTERNET] = "internet",
    [NODE_RESOURCE] = "resource",
    [NODE_IDENTITY] = "identity",
    [NODE_VAULT] = "vault",
};

static size_t node_count(const struct view *view)
{
    return path_count(view) * NODES;
}

static bool node_present(const struct view *view, size_t position)
{
    return has_graph(position / NODES) && is_there(view, position / NODES);
}

static const char *below(const struct view *view, size_t path, const char *tail,
                         struct arena *scratch)
{
    return rows_print(scratch, "/subscriptions/%s/resourcegroups/rg-shared/providers/%s",
                      subscription_of(view, path)->id, tail);
}

static void node_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    size_t path = position / NODES;
    const struct resource *resource = &view->tenant->resources[path / PATHS_MAX];
    const char *word = subscription_of(view, path)->word;
    const char *identity = rows_print(scratch, "id-%s", word);
    enum node node = node_order[position % NODES];
    struct node_row *row = out;
    row->path = id_of(view, path, scratch);
    row->subscriptionId = subscription_of(view, path)->id;
    row->entity = node_keys[node];
    row->id = rows_print(scratch, "%s|%s", row->path, row->entity);
    row->resourceId = "";
    row->entityType = row->entity;
    row->entityName = "Internet";
    if (node == NODE_RESOURCE) {
        row->resourceId = tenant_lower(scratch, resource->id);
        row->entityName = last_of(resource->id);
    } else if (node == NODE_IDENTITY) {
        row->entityName = identity;
        row->resourceId = below(
            view, path,
            rows_print(scratch, "microsoft.managedidentity/userassignedidentities/%s", identity),
            scratch);
    } else if (node == NODE_VAULT) {
        row->entityName = vault_of(view, path, scratch);
        row->resourceId =
            below(view, path, rows_print(scratch, "microsoft.keyvault/vaults/%s", row->entityName),
                  scratch);
    }
}

struct link_row {
    const char *id, *subscriptionId, *path, *fromEntity, *toEntity;
};
static const struct field link_fields[] = {
    TEXT(struct link_row, id),       TEXT(struct link_row, subscriptionId),
    TEXT(struct link_row, path),     TEXT(struct link_row, fromEntity),
    TEXT(struct link_row, toEntity), { 0 },
};
static const enum node link_ends[LINKS][2] = { { NODE_IDENTITY, NODE_VAULT },
                                               { NODE_INTERNET, NODE_RESOURCE },
                                               { NODE_RESOURCE, NODE_IDENTITY } };

static size_t link_count(const struct view *view)
{
    return path_count(view) * LINKS;
}

static bool link_present(const struct view *view, size_t position)
{
    return has_graph(position / LINKS) && is_there(view, position / LINKS);
}

static void link_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    size_t path = position / LINKS;
    struct link_row *row = out;
    row->path = id_of(view, path, scratch);
    row->subscriptionId = subscription_of(view, path)->id;
    row->fromEntity = node_keys[link_ends[position % LINKS][0]];
    row->toEntity = node_keys[link_ends[position % LINKS][1]];
    row->id = rows_print(scratch, "%s|%s|%s", row->path, row->fromEntity, row->toEntity);
}

/* clang-format off */
const struct rows rows_paths[] = {
    { "attack_paths_plans_rows", plan_count, plan_present, plan_fill, plan_fields,
      sizeof(struct plan_row) },
    { "attack_paths_rows", path_count, is_there, path_fill, path_fields, sizeof(struct path_row) },
    { "attack_paths_nodes_rows", node_count, node_present, node_fill, node_fields,
      sizeof(struct node_row) },
    { "attack_paths_links_rows", link_count, link_present, link_fill, link_fields,
      sizeof(struct link_row) },
    { 0 }
};
/* clang-format on */
