#pragma once
/* Results of resources that are exempted from something, whatever their status: kept by a part of
 * recommendations, for the points that exemptions are worth. */
#include "collectors/snapshot/snapshot.h"

struct assessments_result {
    const char *subscription_id, *assessment_id; /* lower case */
    const char *scope; /* id of the connector its resource is below, "" = of none */
    uint64_t resource; /* the same for the same resource */
    bool open;         /* it fails; otherwise it is exempted */
};

/* A row says that a resource is exempted. */
void assessments_exempted_add(struct part *part, const char *subscription_id,
                              const char *assessment_id, const char *resource_id);

/* All rows have come: add what fails on the same resources. */
void assessments_exempted_settle(struct part *part);

/* All of them, in no order; NULL and 0 when there are none. */
const struct assessments_result *assessments_exempted(const struct part *part, size_t *count);
