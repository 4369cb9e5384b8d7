#pragma once
/* More tables of what is known: resources, baselines, compliance. */
#include "alerts/view/view_table.h"

extern const struct view_table view_lists_resources, view_lists_baselines, view_lists_rules,
    view_lists_compliance;
