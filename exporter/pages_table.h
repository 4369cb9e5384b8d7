#pragma once
/* The web routes of all pages for people. */
#include "exporter/acting.h"

enum { PAGES_TABLE_MAX = 32 };

/* Fill in their rows; returns how many. body_bytes: of what is posted. */
size_t pages_table(struct acting_source *acting, size_t body_bytes,
                   struct web_route out[PAGES_TABLE_MAX]);
