#pragma once
/* Findings below recommendations: vulnerabilities of machines and images, rules of SQL. Azure
 * counts them; what is kept does not grow with how many there are. */
#include "collectors/snapshot/snapshot.h"

/* The gravest vulnerabilities below a finding: "CVE-2026-1 (CVSS 9.8, fixed in 2.1), 12 more"; "" =
 * none is known. What it returns lives in the arena. */
const char *subassessments_of(const struct snapshot *snapshot, const struct finding *finding,
                              struct arena *arena);

/* One of them. */
struct subassessment {
    const char *cve, *fixed_in; /* fixed_in: "" = not told */
    double score;               /* CVSS 3; NaN = not told */
};

/* The same as a list, in the arena. Returns how many. */
size_t subassessments_list(const struct snapshot *snapshot, const struct finding *finding,
                           struct arena *arena, const struct subassessment **list);
