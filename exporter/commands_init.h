#pragma once
/* The command that writes a first configuration, after looking what works. */
#include "exporter/commands.h"

extern const struct command commands_init[];
