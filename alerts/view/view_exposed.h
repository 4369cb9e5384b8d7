#pragma once
/* More tables of what is known: attack paths, security alerts, exemptions. */
#include "alerts/view/view_table.h"

extern const struct view_table view_exposed_paths, view_exposed_alerts, view_exposed_exemptions;
