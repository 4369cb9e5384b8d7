#pragma once
/* Commands about the database itself: copy it, check it. */
#include "exporter/commands.h"

extern const struct command commands_database[];
