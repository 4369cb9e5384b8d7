#pragma once
/* The folder for what is kept between runs, when nobody names one. */
#include <stdbool.h>

#include "core/arena.h"

#define STORAGE_SYSTEM "/var/lib/defender_exporter"

/* What there is. Texts may be NULL. */
struct storage_facts {
    const char *state_directory;   /* $STATE_DIRECTORY of systemd */
    const char *state_home, *home; /* $XDG_STATE_HOME, $HOME */
    const char *system;            /* the folder of all, STORAGE_SYSTEM */
    bool root;                     /* who may write everywhere */
};

/* Where the user can write: the service's folder, that of the system, else one below the home. But
 * where the system's has a database that can be read, and the other has none, it goes on being
 * used. source: systemd.exec(5); XDG Base Directory Specification. */
const char *storage_choose(const struct storage_facts *facts, struct arena *arena);

/* The same of this process. */
const char *storage_default(struct arena *arena);

/* Make the folder and those above it, unless they are there. False and errno when that fails, or it
 * cannot be written. */
bool storage_make(const char *path);
