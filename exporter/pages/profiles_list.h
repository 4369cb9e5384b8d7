#pragma once
/* Baselines of Vulnerability Management: its profiles, and how many devices meet them. Pure. */
#include "exporter/pages/page.h"

/* Nothing where that source is off and nothing is known. */
void profiles_list(struct page *page);
