#pragma once
/* The address of a list: the path of its query, filled in. Pure. */
#include "collectors/collector.h"

/* Replace out by the path with its subscription or the row above it, and its api-version, the
 * first of them being version 0. */
void path_fill(const struct query *query, const struct collect_context *context, int version,
               struct buf *out);

/* How many api-versions may be tried. */
int path_versions(const struct query *query);
