/* The classic secure score, from the assessments: a resource is unhealthy in a control when one of
 * the control's recommendations is. source: Microsoft Learn, Secure score. */
#include <math.h>
#include <string.h>

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

const struct score_state *tenant_score(struct tenant *tenant, size_t subscription)
{
    if (tenant->scored != tenant->generation + 1) {
        memset(tenant->scores, 0, tenant->subscription_count * sizeof *tenant->scores);
        for (size_t r = 0; r < tenant->resource_count; r++)
            if (!tenant->resources[r].gone)
                add_resource(tenant, &tenant->resources[r],
                             &tenant->scores[tenant->resources[r].subscription]);
        for (size_t s = 0; s < tenant->subscription_count; s++)
            finish_score(tenant, &tenant->scores[s]);
        tenant->scored = tenant->generation + 1;
    }
    return &tenant->scores[subscription];
}
