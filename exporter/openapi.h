#pragma once
/* What the API at /api/v1/ is asked and answers, as an OpenAPI document: made of the tables that
 * answer. Pure. */
#include "core/buf.h"

/* prefix: before every path of ours. source: OpenAPI Specification 3.1.0. */
void openapi_write(const char *prefix, struct buf *out);
