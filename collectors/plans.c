#include "collectors/plans.h"

#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/firsts.h"
#include "kql.h"

extern const struct collector plans_collector;

struct row {
    const char *id, *subscription_id, *plan, *tier, *sub_plan, *coverage, *replaced_by, *extensions;
    bool deprecated;
};

static const struct column columns[] = {
    COLUMN_KEY(struct row, id, "id"),
    COLUMN_ID(struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY(struct row, plan, "plan|name"),
    COLUMN_KEY(struct row, tier, "pricingTier|properties.pricingTier"),
    COLUMN_ID(struct row, sub_plan, "subPlan|properties.subPlan"),
    COLUMN_TEXT(struct row, coverage, "coverage|properties.resourcesCoverageStatus"),
    COLUMN_BOOL(struct row, deprecated, "deprecated|properties.deprecated"),
    COLUMN_IDS(struct row, replaced_by, "replacedBy|properties.replacedBy"),
    COLUMN_SWITCHES(struct row, extensions, "extensions|properties.extensions"),
    { 0 }
};

static const struct kept_kind plans = {
    KEPT_ROWS(struct plan),
    .texts = {
        KEPT_TEXT(struct plan, row_id),
        KEPT_TEXT(struct plan, name),
        KEPT_TEXT(struct plan, sub_plan),
        KEPT_TEXT(struct plan, extensions),
        KEPT_TEXT(struct plan, replaced_by),
    },
};

static const char servers[] = "virtualmachines", posture[] = "cloudposture";

/* --- reading ---------------------------------------------------------------------------------- */

/* "/subscriptions/ID/providers/Microsoft.Security/pricings/NAME": of a subscription, and not of
 * one machine in it. */
static bool is_of_subscription(const char *id)
{
    static const char start[] = "/subscriptions/", middle[] = "/providers/microsoft.security/";
    if (strncasecmp(id, start, sizeof start - 1) != 0)
        return false;
    id += sizeof start - 1;
    id += strcspn(id, "/");
    return !strncasecmp(id, middle, sizeof middle - 1);
}

static enum plan_state state_of(const char *tier)
{
    return !strcasecmp(tier, "Standard") ? PLAN_ON
           : !strcasecmp(tier, "Free")   ? PLAN_OFF
                                         : PLAN_UNTOLD;
}

static const char *const coverage_words[] = {
    [PLAN_COVERS_UNKNOWN] = "unknown",
    [PLAN_COVERS_NONE] = "none",
    [PLAN_COVERS_SOME] = "partial",
    [PLAN_COVERS_ALL] = "full",
};

static enum plan_coverage coverage_of(const char *word)
{
    return !strcasecmp(word, "FullyCovered")       ? PLAN_COVERS_ALL
           : !strcasecmp(word, "PartiallyCovered") ? PLAN_COVERS_SOME
           : !strcasecmp(word, "NotCovered")       ? PLAN_COVERS_NONE
                                                   : PLAN_COVERS_UNKNOWN;
}

static void add(struct part *part, const struct row *row, const char *subscription_id, bool is_odd)
{
    part_add_row(part, &plans, subscription_id,
                 &(struct plan){
                     .row_id = part_keep_lower(part, row->id),
                     .name = part_keep_lower(part, row->plan),
                     .sub_plan = part_keep_lower(part, row->sub_plan),
                     .extensions = part_keep_lower(part, row->extensions),
                     .replaced_by = part_keep_lower(part, row->replaced_by),
                     .state = is_odd ? PLAN_UNTOLD : state_of(row->tier),
                     .coverage = coverage_of(row->coverage),
                     .deprecated = row->deprecated,
                     .odd = is_odd,
                 });
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)query;
    const struct row *row = data;
    const char *subscription = collector_subscription(context, row->subscription_id);
    if (!*subscription) {
        error_set(error, ERROR_PARSE, "column subscriptionId is missing");
        return ODD_MISSING;
    }
    if (!is_of_subscription(row->id)) {
        part_see(part, subscription);
        return ODD_NONE;
    }
    if (state_of(row->tier) == PLAN_UNTOLD) {
        error_set(error, ERROR_PARSE, "the tier \"%.40s\" is not known", row->tier);
        return ODD_WORD;
    }
    add(part, row, subscription, false);
    return ODD_NONE;
}

/* A place for what the older part says of it. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)query;
    const struct row *row = data;
    const char *subscription = collector_subscription(context, row ? row->subscription_id : "");
    if (row && *row->id && *row->plan && *subscription && is_of_subscription(row->id))
        add(part, row, subscription, true);
}

/* --- odd rows and rows that came twice -------------------------------------------------------- */
static void keep(struct part *part, struct plan *plan, const struct plan *before)
{
    struct plan kept = *before;
    kept.subscription_id = plan->subscription_id;
    kept.row_id = plan->row_id;
    kept.name = plan->name;
    kept.sub_plan = part_keep(part, before->sub_plan);
    kept.extensions = part_keep(part, before->extensions);
    kept.replaced_by = part_keep(part, before->replaced_by);
    kept.odd = true;
    *plan = kept;
}

static void settle_odd(struct part *part, struct plan *rows, size_t count, const struct part *older)
{
    size_t older_count;
    const struct plan *before = plans_all(older, &older_count);
    CLEANUP(firsts_finish) struct firsts firsts = { 0 };
    for (size_t i = 0; i < older_count; i++)
        if (before[i].state != PLAN_UNTOLD)
            firsts_put(&firsts, before[i].row_id, strlen(before[i].row_id), i);
    for (size_t i = 0; i < count; i++) {
        size_t first = firsts_find(&firsts, rows[i].row_id, strlen(rows[i].row_id));
        if (rows[i].odd && first != SIZE_MAX)
            keep(part, &rows[i], &before[first]);
    }
}

/* Of an odd plan what was known, of one that came twice the worse: it is off. */
static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    size_t count;
    struct plan *rows = kept_all(&part->kept, &plans, &count);
    settle_odd(part, rows, count, snapshot_part(context->snapshot, part->source));
    CLEANUP(firsts_finish) struct firsts firsts = { 0 };
    for (size_t i = 0; i < count; i++) {
        struct plan *first = &rows[firsts_put(&firsts, rows[i].row_id, strlen(rows[i].row_id), i)];
        if (first == &rows[i])
            continue;
        bool is_worse = first->state == PLAN_UNTOLD ||
                        (!rows[i].odd && (first->odd || rows[i].state < first->state));
        if (is_worse)
            *first = rows[i];
        rows[i].state = PLAN_UNTOLD;
    }
    return true;
}

/* --- asking ----------------------------------------------------------------------------------- */
const struct plan *plans_all(const struct part *part, size_t *count)
{
    *count = 0;
    bool ours = part && part->source->collector == &plans_collector;
    return ours ? part_rows(part, &plans, count) : NULL;
}

const struct plan *plans_known(const struct snapshot *snapshot, const char *tenant, size_t *count)
{
    return plans_all(snapshot_part_of(snapshot, &plans_collector, tenant), count);
}

bool plans_lacks_servers_2(const struct plan *plan)
{
    return plan->state != PLAN_UNTOLD && !strcmp(plan->name, servers) && !plans_is_servers_2(plan);
}

/* Before there were two plans for servers, the one had what Plan 2 has. */
bool plans_is_servers_2(const struct plan *plan)
{
    return plan->state == PLAN_ON && !strcmp(plan->name, servers) &&
           (!*plan->sub_plan || !strcmp(plan->sub_plan, "p2"));
}

/* Whether a name is one of a list joined with ",". */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && !strncmp(at, name, length))
            return true;
    return false;
}

bool plans_is_replaced(const struct plan *plan, const struct plan *all, size_t count)
{
    for (size_t i = 0; i < count && plan->deprecated; i++)
        if (all[i].state == PLAN_ON && is_listed(plan->replaced_by, all[i].name) &&
            !strcmp(all[i].subscription_id, plan->subscription_id))
            return true;
    return false;
}

const char *plans_title(const char *name)
{
    /* clang-format off */
    static const struct { const char *name, *title; } rows[] = {
        { "AI",                            "Defender for AI services" },
        { "Api",                           "Defender for APIs" },
        { "AppServices",                   "Defender for App Service" },
        { "Arm",                           "Defender for Resource Manager" },
        { "CloudPosture",                  "Defender CSPM" },
        { "ContainerRegistry",             "Defender for container registries" },
        { "Containers",                    "Defender for Containers" },
        { "CosmosDbs",                     "Defender for Azure Cosmos DB" },
        { "Dns",                           "Defender for DNS" },
        { "KeyVaults",                     "Defender for Key Vault" },
        { "KubernetesService",             "Defender for Kubernetes" },
        { "OpenSourceRelationalDatabases", "Defender for open-source relational databases" },
        { "SqlServers",                    "Defender for Azure SQL Databases" },
        { "SqlServerVirtualMachines",      "Defender for SQL servers on machines" },
        { "StorageAccounts",               "Defender for Storage" },
        { "VirtualMachines",               "Defender for Servers" },
        { PLANS_SERVERS_2,                 "Defender for Servers Plan 2" },
    };
    /* clang-format on */
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (!strcasecmp(rows[i].name, name))
            return rows[i].title;
    return NULL;
}

/* --- families --------------------------------------------------------------------------------- */
static const struct family_2 plan_enabled = {
    .name = "defender_plan_enabled",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when a Defender plan is on in a subscription, 0 when it is off. From pricings, "
            "cached.",
    LABELS("subscription_id", "plan"),
};
static const struct family_1 servers_plan2_enabled = {
    .name = "defender_servers_plan2_enabled",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when Defender for Servers Plan 2 is on, which OS security baselines need. From "
            "pricings, cached.",
    LABELS("subscription_id"),
};
static const struct family_1 cspm_enabled = {
    .name = "defender_cspm_enabled",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when Defender CSPM is on, which attack paths and contextual risk levels need. From "
            "pricings, cached.",
    LABELS("subscription_id"),
};
static const struct family_4 plan_info = {
    .name = "defender_plan_info",
    .type = METRIC_INFO,
    .level = 2,
    .help = "A Defender plan of a subscription; coverage is full, partial or none of its "
            "resources. From pricings, cached.",
    LABELS("subscription_id", "plan", "sub_plan", "coverage"),
};
static const struct family_3 extension_enabled = {
    .name = "defender_plan_extension_enabled",
    .type = METRIC_GAUGE,
    .level = 2,
    .help = "1 when an extension of a Defender plan is on, 0 when it is off. From pricings, "
            "cached.",
    LABELS("subscription_id", "plan", "extension"),
};
static const struct family *const families[] = {
    &plan_enabled.family, &servers_plan2_enabled.family, &cspm_enabled.family,
    &plan_info.family,    &extension_enabled.family,     NULL,
};

static void emit_extensions(const struct plan *plan, struct metric_set *set)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    size_t length;
    for (const char *at = plan->extensions; *at; at += length + (at[length] == ',')) {
        length = strcspn(at, ",");
        size_t equals = strcspn(at, "=");
        if (equals >= length)
            continue;
        buf_reset(&name);
        buf_append(&name, at, equals);
        metric_add(set, &extension_enabled, !strncmp(at + equals, "=true", strlen("=true")),
                   METRIC_LABELS(plan->subscription_id, plan->name, buf_cstr(&name)));
    }
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    size_t count;
    const struct plan *all = plans_all(part, &count);
    for (size_t i = 0; i < count; i++) {
        const struct plan *plan = &all[i];
        const char *id = plan->subscription_id;
        bool on = plan->state == PLAN_ON;
        if (plan->state == PLAN_UNTOLD)
            continue;
        metric_add(set, &plan_enabled, on, METRIC_LABELS(id, plan->name));
        if (!strcmp(plan->name, servers))
            metric_add(set, &servers_plan2_enabled, plans_is_servers_2(plan), METRIC_LABELS(id));
        if (!strcmp(plan->name, posture))
            metric_add(set, &cspm_enabled, on, METRIC_LABELS(id));
        metric_add(set, &plan_info, 1,
                   METRIC_LABELS(id, plan->name, *plan->sub_plan ? plan->sub_plan : "none",
                                 coverage_words[plan->coverage]));
        emit_extensions(plan, set);
    }
}

#define LISTS(more)                                                                                \
    {                                                                                              \
        .name = "pricings",                                                                        \
        .path = "/subscriptions/{subscription}/providers/Microsoft.Security/pricings",             \
        .api_versions = "2024-01-01 2023-01-01 2022-03-01 2018-06-01", .missing_is_empty = true,   \
        .columns = columns, more                                                                   \
    }

const struct collector plans_collector = {
    .name = "plans",
    .words = "Defender plans",
    .help = "Defender plans: which are on in which subscription, with sub-plan and extensions.",
    .default_interval = "1h",
    .order = 50,
    .rights = { "Defender plans", "Security Reader", "Microsoft.Security/pricings/read" },
    .variants = {
        /* whether Resource Graph has them everywhere is not documented: then the lists are read */
        { "graph", .queries = {
            { .name = "plans_rows", .kql = kql_plans_rows, .columns = columns,
              .optional = true },
            LISTS(.only_if_empty = true),
        } },
        { "rest", .queries = { LISTS(.only_if_empty = false) } },
    },
    .families = families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .emit = emit,
};
