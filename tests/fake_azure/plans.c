#include "plans.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "rows.h"

/* As their rows are ordered. */
static const struct known {
    const char *name, *replaced_by, *extensions[3]; /* the first extension is on */
} known[PLANS_COUNT] = {
    { "AI", NULL, { 0 } },
    { "Api", NULL, { 0 } },
    { "AppServices", NULL, { 0 } },
    { "Arm", NULL, { 0 } },
    { "CloudPosture", NULL, { "AgentlessVmScanning", "SensitiveDataDiscovery", NULL } },
    { "ContainerRegistry", "Containers", { 0 } },
    { "Containers", NULL, { "ContainerRegistriesVulnerabilityAssessments", NULL } },
    { "CosmosDbs", NULL, { 0 } },
    { "Dns", "VirtualMachines", { 0 } },
    { "KeyVaults", NULL, { 0 } },
    { "KubernetesService", "Containers", { 0 } },
    { "OpenSourceRelationalDatabases", NULL, { 0 } },
    { "SqlServers", NULL, { 0 } },
    { "SqlServerVirtualMachines", NULL, { 0 } },
    { "StorageAccounts", NULL, { "OnUploadMalwareScanning", NULL } },
    { "VirtualMachines", NULL, { "MdeDesignatedSubscription", "FileIntegrityMonitoring", NULL } },
};
enum { POSTURE = 4, SERVERS = 15 };

static bool is_on(const struct tenant *tenant, size_t subscription, size_t plan)
{
    const struct subscription *of = &tenant->subscriptions[subscription];
    if (of->plans_off & 1u << plan || known[plan].replaced_by)
        return false;
    return plan == POSTURE ? of->posture_plan : plan == SERVERS || (subscription + plan) % 3;
}

static const char *sub_plan(const struct tenant *tenant, size_t subscription, size_t plan)
{
    if (!is_on(tenant, subscription, plan))
        return "";
    if (plan == SERVERS)
        return tenant->subscriptions[subscription].servers_plan2 ? "P2" : "P1";
    return strcmp(known[plan].name, "StorageAccounts") ? "" : "DefenderForStorageV2";
}

bool plans_turn(struct subscription *subscription, const char *name, bool on)
{
    for (size_t i = 0; i < PLANS_COUNT; i++)
        if (!strcasecmp(known[i].name, name)) {
            subscription->plans_off =
                on ? subscription->plans_off & ~(1u << i) : subscription->plans_off | 1u << i;
            return true;
        }
    return false;
}

static const char *tier(bool on)
{
    return on ? "Standard" : "Free";
}

static const char *coverage(bool on)
{
    return on ? "FullyCovered" : "NotCovered";
}

static void write_extensions(bool on, size_t plan, struct json_writer *writer)
{
    for (size_t i = 0; known[plan].extensions[i]; i++) {
        json_open(writer, NULL, '{');
        json_add_text(writer, "name", known[plan].extensions[i]);
        json_add_text(writer, "isEnabled", on && !i ? "True" : "False");
        json_close(writer, '}');
    }
}

void plans_write(const struct tenant *tenant, size_t subscription, size_t plan, const char *version,
                 struct json_writer *writer)
{
    char id[200];
    bool on = is_on(tenant, subscription, plan);
    snprintf(id, sizeof id, "/subscriptions/%s/providers/Microsoft.Security/pricings/%s",
             tenant->subscriptions[subscription].id, known[plan].name);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "name", known[plan].name);
    json_add_text(writer, "type", "Microsoft.Security/pricings");
    json_open(writer, "properties", '{');
    json_add_text(writer, "pricingTier", tier(on));
    if (strcmp(version, "2022-03-01") >= 0 && *sub_plan(tenant, subscription, plan))
        json_add_text(writer, "subPlan", sub_plan(tenant, subscription, plan));
    json_add_text(writer, "freeTrialRemainingTime", "PT0S");
    if (strcmp(version, "2024-01-01") >= 0)
        json_add_text(writer, "resourcesCoverageStatus", coverage(on));
    if (strcmp(version, "2022-03-01") >= 0 && known[plan].replaced_by) {
        json_add_bool(writer, "deprecated", true);
        json_open(writer, "replacedBy", '[');
        json_add_text(writer, NULL, known[plan].replaced_by);
        json_close(writer, ']');
    }
    if (strcmp(version, "2023-01-01") >= 0 && *known[plan].extensions) {
        json_open(writer, "extensions", '[');
        write_extensions(on, plan, writer);
        json_close(writer, ']');
    }
    json_close(writer, '}');
    json_close(writer, '}');
}

void plans_dump(const struct tenant *tenant, size_t subscription, struct json_writer *writer)
{
    json_open(writer, "plans", '[');
    for (size_t i = 0; i < PLANS_COUNT; i++) {
        json_open(writer, NULL, '{');
        json_add_text(writer, "name", known[i].name);
        json_add_bool(writer, "on", is_on(tenant, subscription, i));
        json_add_text(writer, "subPlan", sub_plan(tenant, subscription, i));
        json_add_bool(writer, "deprecated", known[i].replaced_by != NULL);
        json_open(writer, "extensions", '[');
        write_extensions(is_on(tenant, subscription, i), i, writer);
        json_close(writer, ']');
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

/* --- rows of Resource Graph ------------------------------------------------------------------- */
struct plan_row {
    const char *id, *subscriptionId, *plan, *pricingTier, *subPlan, *coverage, *deprecated,
        *replacedBy, *extensions;
};

/* clang-format off */
static const struct field fields[] = {
    TEXT(struct plan_row, id),
    TEXT(struct plan_row, subscriptionId),
    TEXT(struct plan_row, plan),
    TEXT(struct plan_row, pricingTier),
    TEXT(struct plan_row, subPlan),
    TEXT(struct plan_row, coverage),
    TEXT(struct plan_row, deprecated),
    JSON(struct plan_row, replacedBy),
    JSON(struct plan_row, extensions),
    { 0 }
};
/* clang-format on */

static size_t count(const struct view *view)
{
    return view->tenant->subscription_count * PLANS_COUNT;
}

static bool present(const struct view *view, size_t position)
{
    size_t subscription = position / PLANS_COUNT;
    return view->in_scope[subscription] && !view->tenant->subscriptions[subscription].disabled;
}

static void fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    size_t subscription = position / PLANS_COUNT, plan = position % PLANS_COUNT;
    const struct tenant *tenant = view->tenant;
    bool on = is_on(tenant, subscription, plan);
    CLEANUP(buf_finish) struct buf extensions = { 0 };
    struct json_writer writer = { .out = &extensions };
    struct plan_row *row = out;
    json_open(&writer, NULL, '[');
    write_extensions(on, plan, &writer);
    json_close(&writer, ']');
    row->subscriptionId = tenant->subscriptions[subscription].id;
    row->id = tenant_lower(
        scratch, rows_print(scratch, "/subscriptions/%s/providers/microsoft.security/pricings/%s",
                            row->subscriptionId, known[plan].name));
    row->plan = known[plan].name;
    row->pricingTier = tier(on);
    row->subPlan = sub_plan(tenant, subscription, plan);
    row->coverage = coverage(on);
    row->deprecated = known[plan].replaced_by ? "true" : "";
    row->replacedBy =
        known[plan].replaced_by ? rows_print(scratch, "[\"%s\"]", known[plan].replaced_by) : "null";
    row->extensions = *known[plan].extensions ? arena_text(scratch, buf_cstr(&extensions)) : "null";
}

const struct rows rows_plans[] = {
    { "plans_rows", count, present, fill, fields, sizeof(struct plan_row) },
    { 0 },
};
