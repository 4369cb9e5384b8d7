#pragma once
/* Results of recommendations, counted as Resource Graph counts them. */
#include "rows.h"

void summaries_finish(struct tenant *tenant);
