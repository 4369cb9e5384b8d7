#pragma once
/* A published part without what has grown too old in it. */
#include "collectors/snapshot/part.h"

/* A copy that does not show what is carried over from before an instant, and says that it could not
 * be read; it shares the rest with the part. NULL when nothing is so old. */
struct part *part_without_old(struct part *part, int64_t before_at);
