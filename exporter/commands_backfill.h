#pragma once
/* The command that writes what is remembered of the past for Prometheus. */
#include "exporter/commands.h"

extern const struct command commands_backfill[];
