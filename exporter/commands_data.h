#pragma once
/* The commands that show what a running exporter knows: its findings, recommendations and the like,
 * as its API tells them. */
#include "exporter/commands.h"

extern const struct command commands_data[];
