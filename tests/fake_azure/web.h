#pragma once
/* The HTTP side of the stand-in. */
#include "fake.h"

/* Listen on 127.0.0.1; 0 takes a free port. Returns NULL when that fails. */
struct web *web_start(struct fake *fake);
unsigned web_port(const struct web *web);

/* Close everything, also what hangs on purpose. */
void web_stop(struct web *web);
