#include "prerequisites.h"

#include <string.h>

#include "core/compiler.h"
#include "draw.h"

struct machine_row {
    const char *id, *subscriptionId, *machine, *machineKind, *os, *power, *identityType;
    int64_t configuration, configurationWorks, logAnalytics;
};

/* clang-format off */
static const struct field fields[] = {
    TEXT(struct machine_row, id),
    TEXT(struct machine_row, subscriptionId),
    TEXT(struct machine_row, machine),
    TEXT(struct machine_row, machineKind),
    TEXT(struct machine_row, os),
    TEXT(struct machine_row, power),
    TEXT(struct machine_row, identityType),
    INTEGER(struct machine_row, configuration),
    INTEGER(struct machine_row, configurationWorks),
    INTEGER(struct machine_row, logAnalytics),
    { 0 }
};
/* clang-format on */

static size_t count(const struct view *view)
{
    return view->tenant->resource_count;
}

static bool present(const struct view *view, size_t position)
{
    const struct resource *resource = &view->tenant->resources[position];
    return (resource->kind == KIND_VM || resource->kind == KIND_ARC) &&
           view->in_scope[resource->subscription] && tenant_existed(resource, view->generation);
}

/* One of so many. */
static bool is_one_of(const struct tenant *tenant, const struct resource *resource, uint64_t what,
                      uint32_t many)
{
    return !draw_below(tenant->options.seed, DRAW_PREREQUISITE, resource->serial * 8u + what, many);
}

static void fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    const struct resource *resource = &tenant->resources[position];
    struct machine_row *row = out;
    bool arc = resource->kind == KIND_ARC, away = is_one_of(tenant, resource, 0, 6);
    row->id = tenant_lower(scratch, resource->id);
    row->subscriptionId = tenant->subscriptions[resource->subscription].id;
    row->machine = strrchr(row->id, '/') + 1;
    row->machineKind = arc ? "arc" : "vm";
    row->os = resource->os == OS_LINUX ? "linux" : "windows";
    row->power = arc ? (away ? "Disconnected" : "Connected")
                     : (away ? "PowerState/deallocated" : "PowerState/running");
    row->identityType = arc || !is_one_of(tenant, resource, 1, 6) ? "SystemAssigned" : "";
    row->configuration = !arc && !is_one_of(tenant, resource, 2, 4);
    row->configurationWorks = row->configuration && !is_one_of(tenant, resource, 3, 6);
    row->logAnalytics = is_one_of(tenant, resource, 4, 4);
}

void prerequisites_dump(const struct view *view, struct json_writer *writer)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    json_open(writer, "prerequisites", '[');
    for (size_t i = 0; i < count(view); i++) {
        struct machine_row row;
        if (!present(view, i))
            continue;
        arena_reset(&scratch);
        fill(view, i, &row, &scratch);
        json_open(writer, NULL, '{');
        json_add_text(writer, "machineId", row.id);
        json_add_text(writer, "subscriptionId", row.subscriptionId);
        json_add_text(writer, "kind", row.machineKind);
        json_add_text(writer, "os", row.os);
        json_add_text(writer, "power", row.power);
        json_add_text(writer, "identityType", row.identityType);
        json_add_integer(writer, "configuration", row.configuration);
        json_add_integer(writer, "configurationWorks", row.configurationWorks);
        json_add_integer(writer, "logAnalytics", row.logAnalytics);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

const struct rows rows_prerequisites[] = {
    { "prerequisites_rows", count, present, fill, fields, sizeof(struct machine_row) },
    { 0 },
};
