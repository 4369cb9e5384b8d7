#pragma once
/* Attack paths of the generated tenant. A resource lies on as many as the worst of its open
 * findings says: from the internet through it and the identity its subscription has in common to a
 * vault. Every other one is told in the members of Exposure Management, which have no graph. */
#include "rows.h"

/* The name of path number `number` across a resource, as references have it. Returns out. */
char *paths_name(const struct tenant *tenant, size_t resource, unsigned number, char out[37]);
