#include "hunting.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "core/compiler.h"
#include "draw.h"
#include "kql.h"

enum { CRITICALITIES = 5 }; /* 0, the highest, to 3, and -1: not said */

/* clang-format off */
static const char *const labels[KIND_COUNT] = {
    [KIND_VM]         = "microsoft.compute/virtualmachines",
    [KIND_ARC]        = "microsoft.hybridcompute/machines",
    [KIND_ON_PREMISE] = "device",
    [KIND_STORAGE]    = "microsoft.storage/storageaccounts",
    [KIND_SQL]        = "microsoft.sql/servers",
    [KIND_VAULT]      = "microsoft.keyvault/vaults",
    [KIND_AKS]        = "microsoft.containerservice/managedclusters",
    [KIND_AWS]        = "ec2.instance",
    [KIND_GCP]        = "compute.instances",
};
static const struct { const char *name, *type; } schema[] = {
    { "id", "String" }, { "nodeLabel", "String" }, { "criticality", "Int32" },
    { "nodes", "Int64" }, { "internetExposed", "Int64" }, { "vulnerable", "Int64" },
    { "exposedAndVulnerable", "Int64" },
};
/* clang-format on */

struct group {
    int64_t nodes, exposed, vulnerable, both;
};

static void count(const struct tenant *tenant, struct group groups[KIND_COUNT][CRITICALITIES])
{
    uint64_t seed = tenant->options.seed;
    for (size_t i = 0; i < tenant->resource_count; i++) {
        const struct resource *resource = &tenant->resources[i];
        if (resource->gone || !labels[resource->kind])
            continue;
        uint32_t step = draw_below(seed, DRAW_EXPOSURE, resource->serial, 60);
        struct group *group = &groups[resource->kind][step % CRITICALITIES];
        bool exposed = step % 3 == 0, vulnerable = step % 4 == 0;
        group->nodes++;
        group->exposed += exposed;
        group->vulnerable += vulnerable;
        group->both += exposed && vulnerable;
    }
}

static void write_group(struct json_writer *writer, const char *label, int criticality,
                        const struct group *group)
{
    char id[80];
    snprintf(id, sizeof id, "%s|%d", label, criticality);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "nodeLabel", label);
    json_add_integer(writer, "criticality", criticality);
    json_add_integer(writer, "nodes", group->nodes);
    json_add_integer(writer, "internetExposed", group->exposed);
    json_add_integer(writer, "vulnerable", group->vulnerable);
    json_add_integer(writer, "exposedAndVulnerable", group->both);
    json_close(writer, '}');
}

static void write_schema(struct json_writer *writer)
{
    json_open(writer, "schema", '[');
    for (size_t i = 0; i < ARRAY_COUNT(schema); i++) {
        json_open(writer, NULL, '{');
        json_add_text(writer, "name", schema[i].name);
        json_add_text(writer, "type", schema[i].type);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

/* The query without the comment lines it begins with and the line feed it ends with. */
static bool is_known(const char *query)
{
    const char *text = kql_exposure_nodes;
    while (!strncmp(text, "//", 2))
        text += strcspn(text, "\n") + 1;
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n')
        length--;
    return strlen(query) == length && !strncmp(query, text, length);
}

void hunting_answer(struct request *request, struct reply *reply)
{
    struct group groups[KIND_COUNT][CRITICALITIES] = { 0 };
    struct json_writer writer = { .out = &reply->body };
    cJSON *body = cJSON_Parse(buf_cstr(&request->body));
    const char *query = cJSON_GetStringValue(cJSON_GetObjectItem(body, "Query"));
    bool known = query && is_known(query);
    cJSON_Delete(body);
    if (!known) {
        reply_error(reply, 400, "BadRequest",
                    "The query is none the stand-in knows. Fix semantic errors in your query.");
        return;
    }
    count(&request->fake->tenant, groups);
    reply->status = 200;
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "@odata.context",
                  "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security."
                  "huntingQueryResults");
    write_schema(&writer);
    json_open(&writer, "results", '[');
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int i = 0; i < CRITICALITIES; i++)
            if (groups[kind][i].nodes)
                write_group(&writer, labels[kind], i == CRITICALITIES - 1 ? -1 : i,
                            &groups[kind][i]);
    json_close(&writer, ']');
    json_close(&writer, '}');
}
