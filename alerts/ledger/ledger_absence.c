#include "alerts/ledger/ledger_absence.h"

#include <string.h>

#include "collectors/catalogue.h"
#include "collectors/collector.h"

enum { THINNED_S = 24 * 3600 };

/* Neither the catalogue nor a row knows the recommendation any more. No catalogue ever knew an
 * individual one. */
static bool is_retired(const struct snapshot *snapshot, const struct part *part,
                       const struct finding *finding)
{
    const char *assessment_id = finding->assessment_id;
    const char *tenant = part->source->tenant;
    return finding->model != MODEL_INDIVIDUAL &&
           intern_find(&part->assessment_ids, assessment_id, strlen(assessment_id)) == UINT32_MAX &&
           catalogue_complete(snapshot, tenant) && !catalogue_find(snapshot, tenant, assessment_id);
}

enum finding_reason ledger_absence_reason(const struct snapshot *snapshot, const struct part *part,
                                          int64_t since, bool shrunk, bool thinned,
                                          const struct finding *finding)
{
    const struct collector *collector = part->source->collector;
    int64_t limit_s = snapshot_status(snapshot, part->source)->max_staleness_ms / 1000;
    if (proof_answers_find(&part->proofs, &finding->id) == PROOF_DELETED)
        return REASON_RESOURCE_DELETED;
    if (collector->rows != COLLECTOR_FAILING_ROWS && is_retired(snapshot, part, finding))
        return REASON_RETIRED;
    if (collector->rows == COLLECTOR_FAILING_ROWS && collector->fixed && !shrunk &&
        collector->fixed(part, finding, since))
        return REASON_FIXED;
    if (thinned && limit_s && limit_s < THINNED_S)
        limit_s = THINNED_S;
    if (limit_s && part->collected_at - since > limit_s)
        return REASON_NO_LONGER_ASSESSED;
    return REASON_COUNT;
}
