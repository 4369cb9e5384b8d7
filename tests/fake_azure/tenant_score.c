/* The classic secure score, from the assessments: a resource is unhealthy in a control when one of
 * the control's recommendations is. source: Microsoft Learn, Secure score. */
#include <math.h>
#include <string.h>

#include "core/compiler.h"
#include "draw.h"
#include "tenant.h"

static double rounded(double value, double digits)
{
    return floor(value * digits + 0.5) / digits;
}

/* Add one resource to the controls its assessments belong to. */
static void add_resource(const struct tenant *tenant, const struct resource *resource,
                         struct score_state *score)
{
    unsigned seen[3] = { 0 }; /* a bit per control, by status */
    for (uint32_t i = resource->first; i < resource->first + resource->count; i++) {
        const struct assessment *assessment = &tenant->assessments[i];
        int control = tenant->catalogue.rows[assessment->recommendation].control;
        if (control != CONTROL_NONE)
            seen[assessment->status] |= 1u << control;
    }
    for (int c = 0; c < CONTROL_COUNT; c++) {
        struct control_state *control = &score->controls[c];
        if (seen[TENANT_UNHEALTHY] & 1u << c)
            control->unhealthy++;
        else if (seen[TENANT_HEALTHY] & 1u << c)
            control->healthy++;
        else if (seen[TENANT_NOT_APPLICABLE] & 1u << c)
            control->not_applicable++;
    }
}

static void finish_score(const struct tenant *tenant, struct score_state *score)
{
    double current = 0;
    for (int c = 0; c < CONTROL_COUNT; c++) {
        struct control_state *control = &score->controls[c];
        int max = tenant->catalogue.controls[c].max;
        uint32_t weight = control->healthy + control->unhealthy;
        if (weight)
            control->current = rounded((double)max * control->healthy / weight, 100);
        if (max)
            control->ratio = rounded(control->current / max, 10000);
        current += control->current;
        score->weight += weight;
        score->max += weight ? max : 0;
    }
    score->current = rounded(current, 100);
    score->ratio = score->max ? rounded(score->current / score->max, 10000) : 0;
}

size_t tenant_scope_of(const struct tenant *tenant, size_t subscription)
{
    size_t at = subscription; /* scopes are in the order of subscriptions */
    while (tenant->scopes[at].subscription != subscription || tenant->scopes[at].connector)
        at++;
    return at;
}

static size_t scope_of(const struct tenant *tenant, const struct resource *resource)
{
    size_t at = tenant_scope_of(tenant, resource->subscription);
    const struct connector *wanted =
        resource->connector < 0 ? NULL : &tenant->connectors[resource->connector];
    while (tenant->scopes[at].connector != wanted)
        at++;
    return at;
}

/* Scores of connectors are odd now and then, for a generation. */
static enum oddity draw_oddity(const struct tenant *tenant, size_t scope)
{
    static const enum oddity oddities[] = { SCORE_WITHOUT_RATIO, SCORE_IN_PERCENT, SCORE_NEGATIVE };
    uint64_t number = (uint64_t)tenant->generation << 20 | scope;
    uint32_t dice = draw_below(tenant->options.seed, DRAW_CAUSE, number, 20);
    return tenant->scopes[scope].connector && dice < ARRAY_COUNT(oddities) ? oddities[dice]
                                                                           : SCORE_PLAIN;
}

double tenant_score_ratio(const struct score_state *score)
{
    switch (score->oddity) {
    case SCORE_WITHOUT_RATIO:
        return NAN;
    case SCORE_IN_PERCENT:
        return score->ratio * 100 + 2;
    case SCORE_NEGATIVE:
        return -1;
    case SCORE_PLAIN:
        break;
    }
    return score->ratio;
}

const struct score_state *tenant_score(struct tenant *tenant, size_t scope)
{
    if (tenant->scored != tenant->generation + 1) {
        memset(tenant->scores, 0, tenant->scope_count * sizeof *tenant->scores);
        for (size_t r = 0; r < tenant->resource_count; r++)
            if (!tenant->resources[r].gone)
                add_resource(tenant, &tenant->resources[r],
                             &tenant->scores[scope_of(tenant, &tenant->resources[r])]);
        for (size_t s = 0; s < tenant->scope_count; s++) {
            finish_score(tenant, &tenant->scores[s]);
            tenant->scores[s].oddity = draw_oddity(tenant, s);
        }
        tenant->scored = tenant->generation + 1;
    }
    return &tenant->scores[scope];
}
