#pragma once
/* Which findings pulled a secure score down: those that opened in its subscription within the last
 * day, by the points each of them costs. */
#include "alerts/page.h"

/* Fill page->causes for page->subscription_id ("" = all); nothing without a database. */
bool page_causes(const struct page_context *context, struct arena *arena, struct page *page,
                 struct error *error) MUST_USE;
