#pragma once
/* The secure score points that exempted resources hold. Pure. */
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

/* Whether what is exempted from a recommendation in a subscription counts as healthy (mitigated);
 * otherwise it is left out of the score (a waiver). part: of the exemptions. */
typedef bool exemptions_points_counts(const struct snapshot *snapshot, const struct part *part,
                                      const char *subscription_id, const char *assessment_id);

/* defender_exempted_points of the subscriptions the part speaks for and whose controls are known. A
 * resource counts for a control when it is exempted from a recommendation of it, and fails none:
 * what fails would cost the points anyway. */
extern const struct family_1 exemptions_points;
void exemptions_points_emit(const struct snapshot *snapshot, const struct part *part,
                            exemptions_points_counts *counts, struct metric_set *set);
