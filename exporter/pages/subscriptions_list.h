#pragma once
/* Which subscriptions are looked at, and why others are not. Pure. */
#include "exporter/pages/page.h"

enum { SUBSCRIPTIONS_LIST_MAX = 20 }; /* of each state */

void subscriptions_list(struct page *page);
