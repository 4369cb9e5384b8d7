#pragma once
/* The disk of a simulated life: SQLite's own files, whose writes fail, are torn by a death and take
 * their turn with other threads. */

#include "stage.h"

/* Make it the disk of every database opened from now on. */
void disk_begin(struct stage *stage);
