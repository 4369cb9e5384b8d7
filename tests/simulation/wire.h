#pragma once
/* The network of a simulated life: requests and mails go to the world, answers take virtual time.
 * Takes the place of what core/http does with libcurl. */

#include <stdbool.h>

#include "stage.h"

/* Ask the world whether something has happened by now. */
void wire_ask_time(void);

/* Wait until a life is to begin, and say that it is over: not for a life, but for what it is a fork
 * of. False: there are no more lives. */
bool wire_next_life(void);
void wire_life_over(const struct stage_end *end);
