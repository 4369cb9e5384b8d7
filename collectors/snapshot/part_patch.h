#pragma once
/* A published part with what a look at changed rows tells: the fast lane between two sweeps. */
#include "collectors/snapshot/part.h"

/* A copy in which the rows of the look stand instead of the older ones, of the same collection:
 * what is in neither is as it was, and nothing is concluded from it. A look says nothing of
 * subscriptions the part does not speak for, of findings that are told of in another way
 * (retired), and where its rows are odd. Both are sealed. NULL when it would tell nothing new of
 * any finding; a row that was not open and is not says nothing new. */
struct part *part_patch(const struct part *part, const struct part *look);
