#include "tenant.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compliance.h"
#include "core/compiler.h"
#include "draw.h"
#include "exemptions.h"
#include "governance.h"
#include "remediations.h"
#include "names.h"
#include "outside.h"
#include "subassessments.h"
#include "summaries.h"
#include "tags.h"

const char *const tenant_status_words[] = { "Healthy", "Unhealthy", "NotApplicable" };
const char *const tenant_cause_words[] = {
    [CAUSE_NONE] = "",
    [CAUSE_EXEMPT] = "Exempt",
    [CAUSE_OFF] = "OffByPolicy",
    [CAUSE_PLAN] = "UnsupportedPricingPlan",
    [CAUSE_DATA] = "MissingDataOrUnsupported",
    [CAUSE_HEARTBEAT] = "NoHeartbeat",
    [CAUSE_NA] = "NA",
};
const char *const tenant_risk_words[] = { "", "None", "Low", "Medium", "High", "Critical" };
const char *const tenant_factor_words[TENANT_FACTORS] = {
    "Internet exposure", "Lateral movement", "Sensitive data",
    "Critical resource", "Vulnerabilities",  "Elevated privileges",
};

static void *many(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes);
    if (!memory)
        abort();
    return memory;
}

static int compare_subscriptions(const void *left, const void *right)
{
    return strcmp(((const struct subscription *)left)->id,
                  ((const struct subscription *)right)->id);
}

static void build_subscriptions(struct tenant *tenant)
{
    const struct tenant_options *options = &tenant->options;
    tenant->subscription_count = options->subscriptions + options->disabled;
    tenant->subscriptions = many(tenant->subscription_count, sizeof *tenant->subscriptions);
    for (size_t i = 0; i < tenant->subscription_count; i++) {
        struct subscription *subscription = &tenant->subscriptions[i];
        draw_guid(options->seed, DRAW_SUBSCRIPTION, i, subscription->id);
        subscription->disabled = i >= options->subscriptions;
        subscription->servers_plan2 = i % 4 != 3;
        subscription->posture_plan = i % 3 != 2;
        names_subscription(subscription, i, &tenant->texts);
    }
    qsort(tenant->subscriptions, tenant->subscription_count, sizeof *tenant->subscriptions,
          compare_subscriptions);
}

/* --- resources ------------------------------------------------------------------------------- */

/* Whether a resource is assessed for a recommendation at all. */
static bool picks(const struct tenant *tenant, const struct resource *resource, size_t number)
{
    const struct recommendation *row = &tenant->catalogue.rows[number];
    unsigned kind = resource->kind == KIND_AWS_OLD   ? KIND_AWS
                    : resource->kind == KIND_GCP_OLD ? KIND_GCP
                                                     : resource->kind;
    if (!(row->kinds & 1u << kind))
        return false;
    if (row->baseline >= 0)
        return resource->machine >= 0 && row->baseline == resource->os;
    return resource->kind == KIND_SUBSCRIPTION ||
           draw_below(tenant->options.seed, DRAW_PICK,
                      (uint64_t)resource->serial * tenant->catalogue.count + number, 100) < 80;
}

static uint32_t count_picks(const struct tenant *tenant, const struct resource *resource)
{
    uint32_t count = 0;
    for (size_t i = 0; i < tenant->catalogue.count; i++)
        count += picks(tenant, resource, i);
    return count;
}

struct plan {
    struct tenant *tenant;
    size_t capacity, budget; /* assessments left to place */
    size_t machines;
};

/* Add a resource while the budget lasts; the last one is assessed for what is left of it. */
static void plan_add(struct plan *plan, size_t subscription, enum kind kind, int machine_os)
{
    struct tenant *tenant = plan->tenant;
    if (tenant->resource_count == plan->capacity) {
        plan->capacity = plan->capacity ? plan->capacity * 2 : 1024;
        tenant->resources = realloc(tenant->resources, plan->capacity * sizeof *tenant->resources);
        if (!tenant->resources)
            abort();
    }
    struct resource *resource = &tenant->resources[tenant->resource_count];
    *resource = (struct resource){ .subscription = (uint32_t)subscription,
                                   .serial = (uint32_t)tenant->resource_count,
                                   .kind = (uint8_t)kind,
                                   .machine = -1,
                                   .connector = -1 };
    resource->os = machine_os >= 0 ? (uint8_t)machine_os : resource->serial % 3 == 0;
    if (machine_os >= 0)
        resource->machine = (int32_t)plan->machines++;
    resource->count = count_picks(tenant, resource);
    if (resource->count > plan->budget)
        resource->count = (uint32_t)plan->budget;
    if (!resource->count)
        return;
    plan->budget -= resource->count;
    const struct subscription *of = &tenant->subscriptions[subscription];
    bool is_outside = tenant->options.multicloud && outside_is(kind);
    resource->id = is_outside ? outside_id(resource, of, &tenant->texts)
                              : names_resource(resource, of, &tenant->texts);
    tenant->resource_count++;
}

/* Subscriptions differ in size: the share of a few is large. */
static size_t pick_subscription(const struct tenant *tenant, uint64_t number)
{
    for (;; number += UINT64_C(1) << 40) {
        uint32_t count = (uint32_t)tenant->subscription_count;
        uint32_t one = draw_below(tenant->options.seed, DRAW_PLAN, number * 4, count);
        uint32_t other = draw_below(tenant->options.seed, DRAW_PLAN, number * 4 + 1, count);
        size_t chosen = one < other ? one : other;
        if (!tenant->subscriptions[chosen].disabled)
            return chosen;
    }
}

static void build_resources(struct tenant *tenant)
{
    /* clang-format off */
    static const uint8_t mix[] = {
        KIND_VM, KIND_VM, KIND_VM, KIND_VM, KIND_ARC, KIND_ON_PREMISE, KIND_STORAGE, KIND_STORAGE,
        KIND_STORAGE, KIND_STORAGE, KIND_SQL, KIND_DATABASE, KIND_DATABASE, KIND_VAULT, KIND_VAULT,
        KIND_AKS, KIND_WEB, KIND_WEB, KIND_WEB, KIND_REGISTRY, KIND_SUBNET, KIND_SUBNET,
        KIND_COSMOS, KIND_AWS, KIND_GCP, /* with --multicloud: */
        KIND_AWS, KIND_AWS, KIND_AWS_OLD, KIND_GCP, KIND_GCP_OLD, KIND_GITHUB, KIND_GITHUB,
        KIND_DEVOPS,
    };
    enum { PLAIN_MIX = 25 };
    /* clang-format on */
    struct plan plan = { .tenant = tenant, .budget = tenant->options.assessments };
    uint32_t choices = tenant->options.multicloud ? ARRAY_COUNT(mix) : PLAIN_MIX;
    for (size_t s = 0; s < tenant->subscription_count; s++)
        if (!tenant->subscriptions[s].disabled)
            plan_add(&plan, s, KIND_SUBSCRIPTION, -1);
    for (size_t m = 0; m < tenant->options.machines && plan.budget; m++)
        plan_add(&plan, pick_subscription(tenant, m), m % 4 == 3 ? KIND_ARC : KIND_VM,
                 m % 5 < 3 ? OS_WINDOWS : OS_LINUX);
    for (uint64_t n = 0; plan.budget; n++)
        plan_add(&plan, pick_subscription(tenant, 1000000 + n),
                 (enum kind)mix[draw_below(tenant->options.seed, DRAW_PLAN, n * 4 + 2, choices)],
                 -1);
    tenant->machine_count = plan.machines;
}

struct sorting {
    const char *key;
    struct resource resource;
};

static int compare_sorting(const void *left, const void *right)
{
    return strcmp(((const struct sorting *)left)->key, ((const struct sorting *)right)->key);
}

/* In the order of the lower-case ids of what hangs below them. */
static void sort_resources(struct tenant *tenant)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct sorting *sorting = many(tenant->resource_count, sizeof *sorting);
    for (size_t i = 0; i < tenant->resource_count; i++) {
        buf_reset(&key);
        buf_printf(&key, "%s/providers/microsoft.security/", tenant->resources[i].id);
        sorting[i].key = tenant_lower(&scratch, buf_cstr(&key));
        sorting[i].resource = tenant->resources[i];
    }
    qsort(sorting, tenant->resource_count, sizeof *sorting, compare_sorting);
    int32_t machine = 0;
    for (size_t i = 0; i < tenant->resource_count; i++) {
        tenant->resources[i] = sorting[i].resource;
        if (tenant->resources[i].machine >= 0)
            tenant->resources[i].machine = machine++;
    }
    free(sorting);
}

/* --- assessments ----------------------------------------------------------------------------- */

void tenant_rate(const struct tenant *tenant, struct assessment *assessment, uint64_t number)
{
    static const char *const severities[] = { "", "", "Low", "Medium", "High", "Critical" };
    const struct recommendation *row = &tenant->catalogue.rows[assessment->recommendation];
    const struct resource *resource = &tenant->resources[assessment->resource];
    uint64_t dice = draw(tenant->options.seed, DRAW_RISK, number);
    assessment->contextual = false;
    assessment->factors = 0;
    assessment->attack_paths = 0;
    if (tenant->options.unrated) {
        assessment->risk = RISK_MISSING;
        return;
    }
    if (assessment->status != TENANT_UNHEALTHY) {
        assessment->risk = dice % 10 < 8 ? RISK_WORD_NONE : RISK_MISSING;
        return;
    }
    if (dice % 100 < 4) {
        assessment->risk = dice % 100 < 2 ? RISK_MISSING : RISK_WORD_NONE;
        return;
    }
    assessment->risk = RISK_MEDIUM;
    for (uint8_t level = RISK_LOW; level <= RISK_CRITICAL; level++)
        if (strcmp(severities[level], row->severity) == 0)
            assessment->risk = level;
    if (!tenant->subscriptions[resource->subscription].posture_plan)
        return;
    uint32_t step = dice >> 8 & 15; /* context raises some and lowers some */
    if (step < 4 && assessment->risk < RISK_CRITICAL)
        assessment->risk++;
    else if (step < 6 && assessment->risk > RISK_LOW)
        assessment->risk--;
    assessment->contextual = (dice >> 12 & 7) != 0;
    if (assessment->contextual)
        assessment->factors = (uint8_t)(dice >> 16 & dice >> 24 & ((1 << TENANT_FACTORS) - 1));
    if (assessment->contextual && assessment->risk >= RISK_HIGH && (dice >> 32 & 3) == 0)
        assessment->attack_paths = (uint8_t)(1 + (dice >> 34) % 4);
}

static void date_lately(const struct tenant *tenant, struct assessment *assessment, uint64_t number,
                        bool without_first)
{
    uint64_t seed = tenant->options.seed;
    uint32_t age = draw_below(seed, DRAW_TIME, number, 1 << 16);
    age = (uint32_t)((uint64_t)age * age >> 8); /* most are recent; up to 194 days */
    assessment->changed_at = (uint32_t)(tenant->options.now - 60 - age);
    assessment->first_at = without_first
                               ? 0
                               : assessment->changed_at -
                                     draw_below(seed, DRAW_TIME, number + (1u << 30), 200 * 86400);
}

/* Debts of years. Some never changed, some have no date at all, some one that cannot be. */
static void date_long_ago(const struct tenant *tenant, struct assessment *assessment,
                          uint64_t number)
{
    enum { DAY = 86400, YOUNGEST = 40 };
    uint32_t days = draw_below(tenant->options.seed, DRAW_TIME, number,
                               (uint32_t)(tenant->options.oldest_days - YOUNGEST));
    uint32_t since = (uint32_t)(tenant->options.now - (int64_t)(YOUNGEST + days) * DAY);
    assessment->first_at = number % 40 == 1 ? 0 : since;
    assessment->changed_at = number % 40 < 2    ? 0
                             : number % 40 == 2 ? (uint32_t)tenant->options.now + 30 * DAY
                                                : since;
}

static void begin_assessment(struct tenant *tenant, struct assessment *assessment, uint64_t number)
{
    static const uint8_t causes[] = { CAUSE_EXEMPT, CAUSE_OFF,       CAUSE_PLAN,
                                      CAUSE_DATA,   CAUSE_HEARTBEAT, CAUSE_NA };
    uint64_t seed = tenant->options.seed;
    uint32_t dice = draw_below(seed, DRAW_STATE, number, 1000);
    assessment->status = dice < 650   ? TENANT_HEALTHY
                         : dice < 850 ? TENANT_UNHEALTHY
                                      : TENANT_NOT_APPLICABLE;
    assessment->cause = CAUSE_NONE;
    if (assessment->status == TENANT_NOT_APPLICABLE)
        assessment->cause = causes[draw_below(seed, DRAW_CAUSE, number, ARRAY_COUNT(causes))];
    else if (dice >= 640 && dice < 650)
        assessment->cause = CAUSE_EXEMPT; /* healthy by exemption */
    assessment->was_open = assessment->status == TENANT_UNHEALTHY;
    assessment->untitled = draw_below(seed, DRAW_CAUSE, number + (1u << 30), 200) == 0;
    if (tenant->options.oldest_days)
        date_long_ago(tenant, assessment, number);
    else
        date_lately(tenant, assessment, number, dice % 50 == 7);
    tenant_rate(tenant, assessment, number);
}

static void build_assessments(struct tenant *tenant)
{
    tenant->assessments = many(tenant->options.assessments, sizeof *tenant->assessments);
    for (size_t r = 0; r < tenant->resource_count; r++) {
        struct resource *resource = &tenant->resources[r];
        uint32_t left = resource->count;
        resource->first = (uint32_t)tenant->assessment_count;
        for (size_t i = 0; i < tenant->catalogue.count && left; i++) {
            /* the baseline comes with every machine, even with the last of the budget */
            if (!picks(tenant, resource, i))
                continue;
            struct assessment *assessment = &tenant->assessments[tenant->assessment_count];
            assessment->resource = (uint32_t)r;
            assessment->recommendation = (uint16_t)i;
            begin_assessment(tenant, assessment, tenant->assessment_count++);
            left--;
        }
    }
}

/* --- machines -------------------------------------------------------------------------------- */

static void build_machines(struct tenant *tenant)
{
    static const uint16_t rules[OS_COUNT] = { RULES_WINDOWS, RULES_LINUX };
    tenant->machines = many(tenant->machine_count, sizeof *tenant->machines);
    for (size_t r = 0; r < tenant->resource_count; r++) {
        const struct resource *resource = &tenant->resources[r];
        if (resource->machine < 0)
            continue;
        uint64_t m = (uint64_t)resource->machine;
        struct machine *machine = &tenant->machines[m];
        bool plan = tenant->subscriptions[resource->subscription].servers_plan2;
        machine->resource = (uint32_t)r;
        machine->os = resource->os;
        machine->rules = m < tenant->options.wide_machines ? RULES_MAX : rules[resource->os];
        machine->state = m % 13 == 6   ? MACHINE_PENDING
                         : m % 13 == 9 ? MACHINE_STALE
                                       : MACHINE_FRESH;
        if (m < tenant->options.wide_machines)
            machine->state = MACHINE_FRESH;
        machine->forms = !plan ? FORM_B : m % 11 == 5 ? FORM_A : FORM_A | FORM_B;
        uint32_t ago = draw_below(tenant->options.seed, DRAW_MACHINE, m + (1u << 20), 900);
        machine->checked_at = machine->state == MACHINE_PENDING ? 0 : tenant->now - ago;
        if (machine->state == MACHINE_STALE)
            machine->checked_at -= 11 * 86400;
        baseline_fill(&tenant->baseline, machine, m);
        tenant_judge_machine(tenant, machine);
    }
}

void tenant_judge_machine(struct tenant *tenant, struct machine *machine)
{
    const struct resource *resource = &tenant->resources[machine->resource];
    uint16_t wanted = (uint16_t)tenant->catalogue.baseline[machine->os];
    for (uint32_t i = resource->first; i < resource->first + resource->count; i++) {
        struct assessment *assessment = &tenant->assessments[i];
        if (assessment->recommendation != wanted)
            continue;
        assessment->cause = CAUSE_NONE;
        assessment->status = baseline_failing(machine) ? TENANT_UNHEALTHY : TENANT_HEALTHY;
        if (!(machine->forms & FORM_A)) {
            assessment->status = TENANT_NOT_APPLICABLE;
            assessment->cause = CAUSE_PLAN;
        } else if (machine->state == MACHINE_PENDING) {
            assessment->status = TENANT_NOT_APPLICABLE;
            assessment->cause = CAUSE_DATA;
        }
        assessment->was_open |= assessment->status == TENANT_UNHEALTHY;
        tenant_rate(tenant, assessment, i);
    }
}

/* --- all of it ------------------------------------------------------------------------------- */

void tenant_build(struct tenant *tenant, const struct tenant_options *options, const char *id)
{
    *tenant = (struct tenant){ .options = *options, .now = options->now };
    snprintf(tenant->id, sizeof tenant->id, "%s", id);
    catalogue_build(&tenant->catalogue, options->seed, options->recommendations,
                    options->individual, options->multicloud);
    baseline_build(&tenant->baseline, options->seed);
    build_subscriptions(tenant);
    if (options->subscriptions)
        build_resources(tenant);
    sort_resources(tenant);
    outside_connect(tenant);
    tenant->scores = many(tenant->scope_count, sizeof *tenant->scores);
    build_assessments(tenant);
    build_machines(tenant);
    tags_build(tenant);
}

void tenant_finish(struct tenant *tenant)
{
    catalogue_finish(&tenant->catalogue);
    baseline_finish(&tenant->baseline);
    free(tenant->subscriptions);
    free(tenant->resources);
    free(tenant->assessments);
    free(tenant->machines);
    free(tenant->scores);
    outside_finish(tenant);
    tags_finish(tenant);
    compliance_finish(tenant);
    exemptions_finish(tenant);
    governance_finish(tenant);
    remediations_finish(tenant);
    subassessments_finish(tenant);
    summaries_finish(tenant);
    arena_finish(&tenant->texts);
    *tenant = (struct tenant){ 0 };
}

const struct subscription *tenant_subscription_of(const struct tenant *tenant, const char *id)
{
    static const char head[] = "/subscriptions/";
    for (size_t i = 0; i < tenant->subscription_count; i++)
        if (!strncasecmp(id, head, sizeof head - 1) &&
            !strncasecmp(id + sizeof head - 1, tenant->subscriptions[i].id, 36))
            return &tenant->subscriptions[i];
    return NULL;
}

bool tenant_is_in_table(const struct resource *resource)
{
    return resource->kind != KIND_SUBSCRIPTION && resource->kind != KIND_SUBNET &&
           resource->kind != KIND_ON_PREMISE && !outside_is(resource->kind);
}

const char *const tenant_model_words[] = { "both", "grouped", "individual" };

enum tenant_model tenant_model_of(const struct tenant *tenant, const struct resource *resource)
{
    return tenant->subscriptions[resource->subscription].model;
}

bool tenant_tells(const struct tenant *tenant, const struct assessment *assessment)
{
    const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
    enum tenant_model model = tenant_model_of(tenant, &tenant->resources[assessment->resource]);
    return known->baseline >= 0 || (!(known->grouped && model == TENANT_INDIVIDUAL) &&
                                    !(*known->individual && model == TENANT_GROUPED));
}

bool tenant_existed(const struct resource *resource, uint32_t generation)
{
    if (resource->gone)
        return resource->gone_since > generation;
    return resource->back_since <= generation;
}
