#pragma once
/* Regulatory compliance: standards per subscription, their controls, and which recommendations
 * count for controls of Microsoft's cloud security benchmark (MCSB). */
#include "collectors/snapshot/snapshot.h"

/* The controls of the benchmark that a finding counts for: "MCSB NS-2, NS-7"; "" = none is known.
 * What it returns lives in the arena. */
const char *compliance_benchmark(const struct snapshot *snapshot, const struct finding *finding,
                                 struct arena *arena);

/* In the order of labels; how a standard's controls stand. source: Microsoft.Security REST API,
 * regulatoryComplianceStandards. */
enum compliance_state {
    COMPLIANCE_FAILED, COMPLIANCE_PASSED, COMPLIANCE_SKIPPED, COMPLIANCE_UNSUPPORTED,
    COMPLIANCE_STATE_COUNT
};

/* How a standard stands in a subscription, or what fails one of its controls. NAN = not told. */
struct compliance_standing {
    const char *subscription_id, *row_id;
    const char *standard; /* lower case, under its present name */
    const char *control;  /* as Azure writes it; "" = it is of the standard */
    double counts[COMPLIANCE_STATE_COUNT]; /* controls; of a control failed resources alone */
    bool renamed; /* its row had the name before */
    bool odd;     /* its row could not be read: what it said before, or nothing */
    bool dropped; /* another row says it */
};

/* All of a part, those that are dropped, too; NULL and 0 when it is of another collector. part:
 * NULL is fine. */
const struct compliance_standing *compliance_standings(const struct part *part, size_t *count);

/* What a control asks for, "" = not told; as long as the part. */
const char *compliance_title(const struct part *part, const char *standard, const char *control);
