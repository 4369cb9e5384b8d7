#pragma once
/* What the collector of recommendations counts besides findings, and how it is shown. Shared by
 * assessments.c (rows in) and assessments_emit.c (samples out). */
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

struct assessments_count {
    uint64_t results[CLOUD_COUNT][STATUS_COUNT];
    uint64_t plan_off[CLOUD_COUNT]; /* of those not applicable: because a plan is off */
    uint64_t models[MODEL_COUNT];   /* rows of whatever status */
    int64_t newest_at;              /* newest status change; 0 = none */
    uint64_t left_out[CLOUD_COUNT]; /* results of clouds that are not looked at */
};
extern const struct kept_kind assessments_counts;

/* Open findings of a subscription, and what they are on. */
struct assessments_opened {
    uint32_t findings[CLOUD_COUNT][RISK_COUNT][2]; /* contextual or not */
};
struct assessments_touched {
    uint32_t resources[CLOUD_COUNT][RISK_COUNT]; /* by their worst */
    uint32_t attack_path[RISK_COUNT], exposed[RISK_COUNT];
    int64_t oldest_at[RISK_COUNT];
};

/* Whether there are results of a cloud. */
static inline bool assessments_has(const struct assessments_count *counts, enum cloud_kind cloud)
{
    uint64_t all = 0;
    for (int status = 0; status < STATUS_COUNT; status++)
        all += counts->results[cloud][status];
    return all > 0;
}

/* How many rows of each model a part has, whatever their status; false when it is none of
 * recommendations. */
bool assessments_models(const struct part *part, uint64_t rows[MODEL_COUNT]);

/* Ids of the attack paths an open finding lies on, joined with ","; "" = none are told, or the part
 * is none of recommendations. */
const char *assessments_attack_paths(const struct part *part, const struct finding_id *id);

/* The clouds of which results of a subscription are left out, joined with ", "; "" = of none. */
void assessments_left_out(const struct snapshot *snapshot, const char *subscription_id,
                          struct buf *out);

extern const struct family *const assessments_families[];
void assessments_emit(const struct snapshot *snapshot, const struct part *part,
                      struct metric_set *set);
