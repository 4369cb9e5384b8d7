#pragma once
/* Findings below the results that ask to resolve vulnerabilities: of machines, images and
 * databases, drawn for each, and counted as Resource Graph counts them. */
#include "core/json.h"
#include "rows.h"

void subassessments_finish(struct tenant *tenant);

/* Each of them, for tests. */
void subassessments_dump(const struct view *view, struct json_writer *writer);
