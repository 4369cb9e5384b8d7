#pragma once
/* Recommendations counted by Azure, for tenants too large to be read row by row: numbers for the
 * same metrics, and no findings. */
#include "collectors/assessments.h"
#include "collectors/collector.h"

/* The queries, in this order. */
enum { SUMMARY_RESULTS, SUMMARY_RECOMMENDATIONS, SUMMARY_RESOURCES };
extern const struct column assessments_summary_results[], assessments_summary_recommendations[],
    assessments_summary_resources[];

enum odd_reason assessments_summary_fold(struct part *part, size_t query, const void *row,
                                         const struct collect_context *context,
                                         struct error *error);

/* What was counted: kinds of counts, and rows of these two. */
extern const struct kept_kind assessments_summary_opened, assessments_summary_touched;
struct assessments_sum {
    const char *subscription_id, *id, *title, *type, *category;
    enum severity severity;
    enum finding_model model;
    enum risk_level risk;
    int64_t findings;
};
struct assessments_type_sum {
    const char *subscription_id, *type;
    int64_t findings[RISK_COUNT];
};
extern const struct kept_kind assessments_summary_sums, assessments_summary_types;
