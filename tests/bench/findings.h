#pragma once
/* Open findings as a tenant has them, for what is measured with many: of each machine a few, in as
 * many subscriptions and of as many recommendations as large tenants have. */
#include <stdio.h>

#include "../unit/alerts_world.h"

enum { SUBSCRIPTIONS = 40, KEYS = 120 };

/* A collection of so many. names: of the subscriptions, NULL ends them; title, factors: of all;
 * critical: the first so many are, the others are not; 0 = risks take turns. */
struct findings_like {
    const char *const *names;
    const char *title, *factors;
    unsigned critical;
};

static inline void findings_publish(struct scene *scene, unsigned count,
                                    const struct findings_like *like)
{
    struct part *part = world_part(SOURCE(assessments), like->names);
    for (unsigned i = 0; i < count; i++) {
        char row[32], key[16], resource[200];
        unsigned machine = i / 5;
        const char *subscription = like->names[machine % SUBSCRIPTIONS];
        snprintf(row, sizeof row, "row-%u", i);
        snprintf(key, sizeof key, "key-%u", i % KEYS);
        snprintf(resource, sizeof resource,
                 "/subscriptions/%s/resourceGroups/rg-%u/providers/Microsoft.Compute/"
                 "virtualMachines/vm-prod-%u",
                 subscription, machine % 977, machine);
        part_add_open(part, &(struct part_row){
                                .row_id = row,
                                .assessment_id = key,
                                .title = like->title,
                                .category = "Compute",
                                .assessment_type = "",
                                .subscription_id = subscription,
                                .resource_id = resource,
                                .resource_type = "",
                                .risk_factors = like->factors,
                                .risk = !like->critical      ? RISK_CRITICAL + i % RISK_COUNT
                                        : i < like->critical ? RISK_CRITICAL
                                                             : RISK_HIGH + i % 3,
                                .first_seen_at = 1000 + i % 5000,
                                .changed_at = 1600000000 + i % 5000,
                            });
    }
    world_publish(&scene->world, part);
}

/* "s0", "s1", ... */
static inline const char *const *findings_short_names(void)
{
    static char names[SUBSCRIPTIONS][8];
    static const char *list[SUBSCRIPTIONS + 1];
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++) {
        snprintf(names[i], sizeof names[i], "s%u", i);
        list[i] = names[i];
    }
    return list;
}
