#pragma once
/* The command that asks Azure whether the rights are enough, or says which those are. */
#include "exporter/commands.h"

extern const struct command commands_permissions[];
