#pragma once
/* What machines have of what Defender needs: extensions, identity, power, drawn for each. */
#include "core/json.h"
#include "rows.h"

/* The facts, for tests. */
void prerequisites_dump(const struct view *view, struct json_writer *writer);
