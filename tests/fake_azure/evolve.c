#include "evolve.h"

#include <stdlib.h>
#include <string.h>

#include "draw.h"

const char *const evolve_words[] = {
    [EVOLVE_OPENED] = "opened",   [EVOLVE_FIXED] = "fixed",       [EVOLVE_REOPENED] = "reopened",
    [EVOLVE_RERATED] = "rerated", [EVOLVE_EXEMPTED] = "exempted", [EVOLVE_DELETED] = "deleted",
};

enum { DRAWS_PER_STEP = 1 << 20 };

struct step {
    struct evolve *evolve;
    struct tenant *tenant;
    int64_t at;
    uint64_t next_draw;
};

static uint32_t dice(struct step *step, uint32_t below)
{
    return draw_below(step->tenant->options.seed, DRAW_STEP, step->next_draw++, below);
}

/* Room for one more in an array that grows. */
static void *grown(void *array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 64;
    array = realloc(array, *capacity * bytes);
    if (!array)
        abort();
    return array;
}

static void record(struct step *step, enum evolve_kind kind, size_t number, int rule, int from,
                   int to)
{
    struct evolve *evolve = step->evolve;
    evolve->events =
        grown(evolve->events, evolve->count, &evolve->capacity, sizeof *evolve->events);
    evolve->events[evolve->count++] = (struct evolve_event){
        .generation = step->tenant->generation,
        .at = step->at,
        .assessment = (uint32_t)number,
        .rule = (int16_t)rule,
        .kind = (uint8_t)kind,
        .from = (uint8_t)from,
        .to = (uint8_t)to,
    };
}

/* When a change is dated that is told of now; never before the one that it follows. */
static uint32_t date_of(struct step *step, const struct assessment *assessment)
{
    int64_t late_s = step->tenant->options.late_s;
    bool late = late_s && assessment->changed_at + late_s < step->at;
    int64_t at = step->at + step->tenant->options.date_skew_s;
    return (uint32_t)(at - (late ? (int64_t)dice(step, (uint32_t)late_s + 1) : 0));
}

static void change_status(struct step *step, size_t number, enum status status, enum cause cause)
{
    struct assessment *assessment = &step->tenant->assessments[number];
    enum status from = assessment->status;
    assessment->status = (uint8_t)status;
    assessment->cause = (uint8_t)cause;
    assessment->changed_at = date_of(step, assessment);
    tenant_rate(step->tenant, assessment, number + step->next_draw);
    if (status == TENANT_UNHEALTHY)
        record(step, assessment->was_open ? EVOLVE_REOPENED : EVOLVE_OPENED, number, -1, (int)from,
               (int)status);
    else if (from == TENANT_UNHEALTHY)
        record(step, cause == CAUSE_EXEMPT ? EVOLVE_EXEMPTED : EVOLVE_FIXED, number, -1, (int)from,
               (int)status);
    assessment->was_open |= status == TENANT_UNHEALTHY;
}

static void rerate(struct step *step, size_t number)
{
    struct assessment *assessment = &step->tenant->assessments[number];
    uint8_t from = assessment->risk;
    uint8_t to = (uint8_t)(RISK_LOW + dice(step, RISK_CRITICAL - RISK_LOW + 1));
    if (from == to)
        to = to == RISK_CRITICAL ? RISK_LOW : (uint8_t)(to + 1);
    assessment->risk = to;
    assessment->contextual = true;
    assessment->factors |= (uint8_t)(1u << dice(step, TENANT_FACTORS));
    assessment->attack_paths = to >= RISK_HIGH ? (uint8_t)dice(step, 3) : 0;
    record(step, EVOLVE_RERATED, number, -1, from, to);
}

/* Something happens to one assessment that was picked at random. */
static void touch(struct step *step, size_t number)
{
    struct tenant *tenant = step->tenant;
    struct assessment *assessment = &tenant->assessments[number];
    uint32_t luck = dice(step, 100);
    if (tenant->resources[assessment->resource].gone ||
        tenant->catalogue.rows[assessment->recommendation].baseline >= 0)
        return;
    if (assessment->status == TENANT_HEALTHY) {
        if (luck < 25)
            change_status(step, number, TENANT_UNHEALTHY, CAUSE_NONE);
    } else if (assessment->status == TENANT_UNHEALTHY) {
        if (luck < 60)
            change_status(step, number, TENANT_HEALTHY, CAUSE_NONE);
        else if (luck < 85 && !tenant->options.unrated)
            rerate(step, number);
        else
            change_status(step, number, TENANT_NOT_APPLICABLE, CAUSE_EXEMPT);
    } else if (assessment->cause == CAUSE_EXEMPT && luck < 40) {
        change_status(step, number, TENANT_UNHEALTHY, CAUSE_NONE); /* the exemption ran out */
    }
}

/* The youngest open finding of some, by its number; SIZE_MAX = none of these is open. */
static size_t pick_young(struct step *step)
{
    const struct tenant *tenant = step->tenant;
    size_t found = SIZE_MAX;
    for (int i = 0; i < 40; i++) {
        uint32_t number = dice(step, (uint32_t)tenant->assessment_count);
        const struct assessment *assessment = &tenant->assessments[number];
        if (assessment->status == TENANT_UNHEALTHY &&
            !tenant->resources[assessment->resource].gone &&
            tenant->catalogue.rows[assessment->recommendation].baseline < 0 &&
            (found == SIZE_MAX || assessment->changed_at > tenant->assessments[found].changed_at))
            found = number;
    }
    return found;
}

/* Exemptions last for a few generations; of what is fixed or gone meanwhile nothing is told. */
static void exempt(struct step *step)
{
    enum { LASTS = 3 };
    struct evolve *evolve = step->evolve;
    struct tenant *tenant = step->tenant;
    for (size_t i = 0; i < tenant->options.exemptions; i++) {
        size_t number = pick_young(step);
        if (number == SIZE_MAX)
            continue;
        change_status(step, number, TENANT_NOT_APPLICABLE, CAUSE_EXEMPT);
        evolve->exempted = grown(evolve->exempted, evolve->exempted_count,
                                 &evolve->exempted_capacity, sizeof *evolve->exempted);
        evolve->exempted[evolve->exempted_count++] = (uint32_t)number;
    }
    while (evolve->exempted_count > LASTS * tenant->options.exemptions) {
        uint32_t number = evolve->exempted[0];
        memmove(evolve->exempted, evolve->exempted + 1,
                --evolve->exempted_count * sizeof *evolve->exempted);
        if (tenant->assessments[number].cause == CAUSE_EXEMPT &&
            !tenant->resources[tenant->assessments[number].resource].gone)
            change_status(step, number, TENANT_UNHEALTHY, CAUSE_NONE);
    }
}

/* Azure looks again and finds what it found before: only the date is another. */
static void evaluate_again(struct step *step)
{
    struct tenant *tenant = step->tenant;
    for (size_t i = 0; i < tenant->options.reevaluated; i++) {
        uint32_t number = dice(step, (uint32_t)tenant->assessment_count);
        struct assessment *assessment = &tenant->assessments[number];
        if (!tenant->resources[assessment->resource].gone)
            assessment->changed_at = date_of(step, assessment);
    }
}

/* Whether an open finding shows it, in whatever model. */
static bool has_open(const struct tenant *tenant, const struct resource *resource)
{
    for (uint32_t i = resource->first; i < resource->first + resource->count; i++) {
        const struct assessment *assessment = &tenant->assessments[i];
        const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
        bool plain = known->baseline >= 0 || (!known->grouped && !*known->individual);
        if (plain && assessment->status == TENANT_UNHEALTHY)
            return true;
    }
    return false;
}

/* Whether another resource of its subscription and kind can witness that it is gone. */
static bool has_witness(const struct tenant *tenant, const struct resource *resource)
{
    if (!tenant_is_in_table(resource))
        return false;
    for (size_t i = 0; i < tenant->resource_count; i++) {
        const struct resource *other = &tenant->resources[i];
        if (other != resource && !other->gone && other->kind == resource->kind &&
            other->subscription == resource->subscription && has_open(tenant, other))
            return true;
    }
    return false;
}

static void delete_resource(struct step *step)
{
    struct evolve *evolve = step->evolve;
    struct tenant *tenant = step->tenant;
    uint32_t chosen = dice(step, (uint32_t)tenant->resource_count);
    struct resource *resource = &tenant->resources[chosen];
    if (resource->gone || resource->kind == KIND_SUBSCRIPTION ||
        (tenant->options.provable && !has_witness(tenant, resource)))
        return;
    resource->gone = true;
    resource->gone_since = tenant->generation;
    for (uint32_t i = resource->first; i < resource->first + resource->count; i++)
        record(step, EVOLVE_DELETED, i, -1, tenant->assessments[i].status, 0);
    evolve->deleted = grown(evolve->deleted, evolve->deleted_count, &evolve->deleted_capacity,
                            sizeof *evolve->deleted);
    evolve->deleted[evolve->deleted_count++] = chosen;
}

/* The same resource is deployed again; what was wrong with it still is. */
static void restore_resource(struct step *step)
{
    struct evolve *evolve = step->evolve;
    struct tenant *tenant = step->tenant;
    struct resource *resource = &tenant->resources[evolve->deleted[0]];
    memmove(evolve->deleted, evolve->deleted + 1,
            --evolve->deleted_count * sizeof *evolve->deleted);
    resource->gone = false;
    resource->back_since = tenant->generation;
    for (uint32_t i = resource->first; i < resource->first + resource->count; i++) {
        tenant->assessments[i].changed_at = (uint32_t)(step->at + tenant->options.date_skew_s);
        if (tenant->assessments[i].status == TENANT_UNHEALTHY)
            record(step, EVOLVE_REOPENED, i, -1, TENANT_NOT_APPLICABLE, TENANT_UNHEALTHY);
    }
}

/* The baseline assessment of a machine follows its rules. */
static void follow_rules(struct step *step, struct machine *machine)
{
    struct tenant *tenant = step->tenant;
    const struct resource *resource = &tenant->resources[machine->resource];
    for (uint32_t i = resource->first; i < resource->first + resource->count; i++) {
        struct assessment *assessment = &tenant->assessments[i];
        if (assessment->recommendation != (uint16_t)tenant->catalogue.baseline[machine->os])
            continue;
        struct assessment before = *assessment;
        tenant_judge_machine(tenant, machine);
        struct assessment after = *assessment;
        *assessment = before;
        if (after.status != before.status)
            change_status(step, i, (enum status)after.status, (enum cause)after.cause);
    }
}

static void touch_machine(struct step *step)
{
    struct tenant *tenant = step->tenant;
    uint32_t number = dice(step, (uint32_t)tenant->machine_count);
    struct machine *machine = &tenant->machines[number];
    if (machine->state != MACHINE_FRESH || tenant->resources[machine->resource].gone)
        return;
    for (uint32_t flips = 1 + dice(step, 3); flips; flips--) {
        uint32_t rule = dice(step, machine->rules);
        for (bool fix = dice(step, 2); fix && !baseline_fails(machine, rule) && rule;)
            rule--; /* repair as often as break */
        enum evolve_kind kind = baseline_fails(machine, rule)        ? EVOLVE_FIXED
                                : baseline_has_failed(machine, rule) ? EVOLVE_REOPENED
                                                                     : EVOLVE_OPENED;
        enum status to = kind == EVOLVE_FIXED ? TENANT_HEALTHY : TENANT_UNHEALTHY;
        baseline_flip(machine, rule);
        record(step, kind, number, (int)rule, TENANT_UNHEALTHY - (int)to, (int)to);
    }
    follow_rules(step, machine);
}

void evolve_step(struct evolve *evolve, struct tenant *tenant, int64_t at)
{
    tenant->generation++;
    tenant->now = at;
    struct step step = { evolve, tenant, at, (uint64_t)tenant->generation * DRAWS_PER_STEP };
    if (!tenant->assessment_count)
        return;
    size_t touches = 4 + tenant->assessment_count / 200;
    for (size_t i = 0; i < touches && i < DRAWS_PER_STEP / 16; i++)
        touch(&step, dice(&step, (uint32_t)tenant->assessment_count));
    exempt(&step);
    evaluate_again(&step);
    if (tenant->generation % 3 == 0)
        delete_resource(&step);
    if (evolve->deleted_count > 4 + tenant->resource_count / 100)
        restore_resource(&step);
    for (size_t i = 0; tenant->machine_count && i < 1 + tenant->machine_count / 20; i++)
        touch_machine(&step);
    for (size_t m = 0; m < tenant->machine_count; m++)
        if (tenant->machines[m].state == MACHINE_FRESH)
            tenant->machines[m].checked_at = at - (int64_t)(m * 37 % 900);
}

void evolve_finish(struct evolve *evolve)
{
    free(evolve->events);
    free(evolve->deleted);
    free(evolve->exempted);
    *evolve = (struct evolve){ 0 };
}
