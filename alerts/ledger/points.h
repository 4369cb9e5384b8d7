#pragma once
/* Secure-score points a recommendation is worth: control max x unhealthy / (healthy + unhealthy),
 * shared over the control's recommendations by the resources that only they make unhealthy.
 * Resources that fail several recommendations count for none of them. Pure. */
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

struct points;

/* Work out the points of a snapshot: one pass over the open findings, memory for one control at a
 * time. */
struct points *points_create(const struct snapshot *snapshot);
void points_destroy(struct points *points); /* NULL is fine */

/* Points to gain by finishing one recommendation (key, lower case), over all subscriptions or in
 * one. 0 when it counts for nothing or is unknown. */
double points_of(const struct points *points, const char *assessment_id);
double points_in(const struct points *points, const char *assessment_id,
                 const char *subscription_id);

/* What finishing several recommendations together gains: a resource that fails only these counts
 * once. ratio_before, ratio_after: of the secure score over all subscriptions and connectors; NAN
 * where none is known. */
struct points_gain {
    double points, ratio_before, ratio_after;
};
struct points_gain points_together(const struct snapshot *snapshot,
                                   const char *const *assessment_ids, size_t count);

/* defender_assessment_potential_points, non-zero only. */
void points_emit(const struct points *points, struct metric_set *set);
extern const struct family *const points_families[];
