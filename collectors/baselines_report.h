#pragma once
/* What each machine reported last: whether a rule that is not among its failing ones is fixed. */
#include "collectors/baselines.h"

/* The report of one machine as the rows of a run tell of it. Sub-assessments (form A) are counted
 * by Azure, and have no time; machine configuration (form B) says when it was checked. */
struct baselines_report {
    bool in_form_a, in_form_b;
    bool whole;                   /* form A: as many failing rules came as Azure counted */
    uint64_t rules;               /* form A: all that Azure counted */
    int64_t checked_at, fresh_at; /* form B: fresh_at = run that saw this checked_at first */
    const char *version;          /* form B: of the baseline; "" = not told */
};

struct baselines_reports;
struct baselines_reports *baselines_report_create(void);
void baselines_report_destroy(struct baselines_reports *reports); /* NULL is fine */

/* Add that of a machine; key: "<baseline>|<machine id>". older: what the run before knew, NULL =
 * nothing; from it comes what changed since. Each machine once. */
void baselines_report_add(struct baselines_reports *reports, const struct baselines_reports *older,
                          const char *key, const struct baselines_report *report, int64_t now);

/* Whether a rule of a machine that is missing since an instant is fixed: the machine's report came
 * after it, and nothing of it is missing. Unless it is measured by fewer rules. */
bool baselines_report_fixed(const struct baselines_reports *reports, const struct finding *finding,
                            int64_t since);

/* What is measured on one, but for its id; returns its key, NULL behind the last. reports: NULL =
 * none. */
const char *baselines_report_at(const struct baselines_reports *reports, size_t index,
                                struct baselines_gauge *gauge);

/* The key of the machine of a finding. Returns out. */
enum { BASELINES_REPORT_KEY_BYTES = PART_ID_BYTES + 16 };
char *baselines_report_key(const struct finding *finding, char out[BASELINES_REPORT_KEY_BYTES]);

/* As in baselines.h; reports: NULL = none. */
const struct baselines_version *baselines_report_versions(const struct baselines_reports *reports,
                                                          size_t *count);
