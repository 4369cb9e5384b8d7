#pragma once
/* Regulatory compliance: how each standard stands, and the controls of one that fail. Pure. */
#include "exporter/pages/page.h"

/* All standards; or one alone, with where it stands how and what fails. standard: "" = all. False:
 * nothing is known of a standard of this name. */
bool compliance_page(struct page *page, const char *standard);
