#pragma once
/* Security alerts of the generated tenant: every so many resources have one, raised at a generation
 * of its own, taken up a few later, then resolved or dismissed. */
#include "rows.h"

/* "alerts":[...]: each as it is told now. */
void alerts_dump(const struct view *view, struct json_writer *writer);
