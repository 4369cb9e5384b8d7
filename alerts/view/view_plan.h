#pragma once
/* What to fix first: recommendations with open findings by the points they gain. Put in order when
 * somebody asks first, and kept as long as the view. Any thread. */
#include "alerts/view/view_table.h"

/* The recommendations of a view: most points, then as the view has them: worst first. As many as
 * view->recommendation_count. */
const struct view_recommendation *const *view_plan_of(const struct view *view);

/* What is closed by finishing some of them together. Ids of which nothing is open count for
 * nothing. */
struct view_plan_gain {
    size_t chosen, findings, overdue;
    double points, ratio_before, ratio_after; /* as points_together */
};
struct view_plan_gain view_plan_together(const struct view *view, const char *const *assessment_ids,
                                         size_t count);

bool view_plan_is_picked(const char *assessment_id, const char *const *picks, size_t pick_count);

extern const struct view_table view_plan_table;
