#include "alerts.h"

#include <string.h>

#include "draw.h"

enum { EVERY = 6, RAISED_MAX = 40, TAKEN_UP = 4, CLOSED = 8 }; /* generations */

/* clang-format off */
static const struct {
    const char *type, *title, *intent;
    const char *severity;
} kinds[] = {
    { "VM_SuspiciousLogin", "Sign-in from an unusual place", "InitialAccess", "High" },
    { "VM_Miner", "Digital coins are being mined", "Execution, Impact", "High" },
    { "KV_ManyReads", "Secrets are read very often", "CredentialAccess, Collection", "Medium" },
    { "NET_Scan", "Ports are being probed", "PreAttack", "Low" },
    { "VM_Tunnel", "Names are asked for as if to tunnel", "CommandAndControl", "Medium" },
    { "TEST_Notice", "An unusual request was seen", "Unknown", "Informational" },
};
/* clang-format on */

/* An alert as it is told; texts live in scratch. */
struct alert_row {
    const char *id, *subscriptionId, *status, *severity, *title, *alertType, *intent, *isIncident,
        *generatedAt, *resourceId, *description, *remediation;
    int64_t entities;
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static uint32_t drawn(const struct view *view, size_t resource, enum draw_stream stream,
                      uint32_t below)
{
    const struct tenant *tenant = view->tenant;
    return draw_below(tenant->options.seed, stream, tenant->resources[resource].serial, below);
}

/* Generation it was raised at; half of them were there from the start. */
static uint32_t raised_at(const struct view *view, size_t resource)
{
    uint32_t at = drawn(view, resource, DRAW_ALERT_TIME, 2 * RAISED_MAX);
    return at < RAISED_MAX ? 0 : at - RAISED_MAX;
}

static bool present(const struct view *view, size_t resource)
{
    return view->in_scope[view->tenant->resources[resource].subscription] &&
           drawn(view, resource, DRAW_ALERT, EVERY) == 0 &&
           raised_at(view, resource) <= view->generation;
}

/* Independent of when it was raised. */
static uint32_t drawn_besides(const struct view *view, size_t resource, uint32_t below)
{
    const struct tenant *tenant = view->tenant;
    return (uint32_t)(draw(tenant->options.seed, DRAW_ALERT_TIME,
                           tenant->resources[resource].serial) &
                      0xffff) %
           below;
}

/* Those of the start have been there for a while, each its own. */
static const char *status_of(const struct view *view, size_t resource)
{
    uint32_t raised = raised_at(view, resource);
    uint32_t age = view->generation - raised;
    if (!raised)
        age += drawn_besides(view, resource, CLOSED + 2);
    if (age >= CLOSED)
        return drawn_besides(view, resource, 1000) % 2 ? "Resolved" : "Dismissed";
    return age >= TAKEN_UP ? "InProgress" : "Active";
}

/* Returns the id of what else it names. */
static const char *describe(const struct view *view, size_t resource, struct alert_row *row,
                            struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    const struct resource *of = &tenant->resources[resource];
    const struct subscription *subscription = &tenant->subscriptions[of->subscription];
    uint32_t kind = drawn(view, resource, DRAW_ALERT_KIND, KINDS);
    char time[TENANT_TIME_BYTES];
    const char *status = status_of(view, resource);
    bool open = !strcmp(status, "Active") || !strcmp(status, "InProgress");
    *row = (struct alert_row){
        .id = rows_print(scratch,
                         "/subscriptions/%s/providers/microsoft.security/locations/westeurope/"
                         "alerts/%08zx",
                         subscription->id, resource),
        .subscriptionId = subscription->id,
        .status = status,
        .severity = kinds[kind].severity,
        .title = kinds[kind].title,
        .alertType = kinds[kind].type,
        .intent = kinds[kind].intent,
        .isIncident = kind == 1 ? "true" : "false",
        .generatedAt =
            arena_text(scratch, tenant_time(tenant->options.now - 60 * (int64_t)(of->serial + 1),
                                            of->serial, time)),
        .resourceId = tenant_lower(scratch, of->id),
        .description = open ? "Something was seen that somebody should look at.\r\nIt may be an "
                              "attack."
                            : "",
        .remediation = open ? "1. Find out who it was.\n2. End it." : "",
        .entities = 3,
    };
    return rows_print(scratch,
                      "/subscriptions/%s/resourcegroups/rg-shared/providers/"
                      "microsoft.keyvault/vaults/kv-%s",
                      subscription->id, subscription->word);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct field alert_fields[] = {
    TEXT(struct alert_row, id), TEXT(struct alert_row, subscriptionId),
    TEXT(struct alert_row, status), TEXT(struct alert_row, severity),
    TEXT(struct alert_row, title), TEXT(struct alert_row, alertType),
    TEXT(struct alert_row, intent), TEXT(struct alert_row, isIncident),
    TEXT(struct alert_row, generatedAt), TEXT(struct alert_row, resourceId),
    INTEGER(struct alert_row, entities), TEXT(struct alert_row, description),
    TEXT(struct alert_row, remediation), { 0 }
};
/* clang-format on */

static size_t alert_count(const struct view *view)
{
    return view->tenant->resource_count;
}

static void alert_fill(const struct view *view, size_t resource, void *out, struct arena *scratch)
{
    describe(view, resource, out, scratch);
}

struct named_row {
    const char *id, *subscriptionId, *alert, *resourceId;
};
static const struct field named_fields[] = {
    TEXT(struct named_row, id),
    TEXT(struct named_row, subscriptionId),
    TEXT(struct named_row, alert),
    TEXT(struct named_row, resourceId),
    { 0 },
};

/* Each open one names its resource and a vault. */
static size_t named_count(const struct view *view)
{
    return 2 * view->tenant->resource_count;
}

static bool named_present(const struct view *view, size_t position)
{
    if (!present(view, position / 2))
        return false;
    const char *status = status_of(view, position / 2);
    return !strcmp(status, "Active") || !strcmp(status, "InProgress");
}

static void named_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    struct alert_row alert;
    struct named_row *row = out;
    const char *vault = describe(view, position / 2, &alert, scratch);
    bool vault_first = strcmp(vault, alert.resourceId) < 0;
    row->subscriptionId = alert.subscriptionId;
    row->alert = alert.id;
    row->resourceId = vault_first == (position % 2 == 0) ? vault : alert.resourceId;
    row->id = rows_print(scratch, "%s|%s", row->alert, row->resourceId);
}

void alerts_dump(const struct view *view, struct json_writer *writer)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    json_open(writer, "alerts", '[');
    for (size_t i = 0; i < alert_count(view); i++) {
        struct alert_row row;
        if (!present(view, i))
            continue;
        arena_reset(&scratch);
        const char *vault = describe(view, i, &row, &scratch);
        json_open(writer, NULL, '{');
        json_add_text(writer, "id", row.id);
        json_add_text(writer, "subscriptionId", row.subscriptionId);
        json_add_text(writer, "status", row.status);
        json_add_text(writer, "severity", row.severity);
        json_add_text(writer, "title", row.title);
        json_add_text(writer, "intent", row.intent);
        json_add_text(writer, "resourceId", row.resourceId);
        json_add_text(writer, "names", vault);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

/* clang-format off */
const struct rows rows_alerts[] = {
    { "security_alerts_rows", alert_count, present, alert_fill, alert_fields,
      sizeof(struct alert_row) },
    { "security_alerts_resources_rows", named_count, named_present, named_fill, named_fields,
      sizeof(struct named_row) },
    { 0 }
};
/* clang-format on */
