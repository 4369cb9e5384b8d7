#pragma once
/* The webhooks of packaging/examples/alerts whose body is a template, by the name of their file. */
#include "alerts/receivers/receivers.h"

extern const char *const bodies_names[]; /* NULL-terminated */

/* Read the example from the folder of examples; its address is made up. Texts live in the arena.
 * Ends the program when it cannot be read. */
void bodies_read(const char *folder, const char *name, struct arena *arena,
                 struct webhook_config *config);
