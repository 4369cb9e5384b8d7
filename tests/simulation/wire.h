#pragma once
/* The network of a simulated life: requests and mails go to the world, answers take virtual time.
 * Takes the place of what core/http does with libcurl. */

/* Ask the world whether something has happened by now. */
void wire_ask_time(void);
