#pragma once
/* The commands about alerts: rules, receivers, messages, silences. They read the database beside
 * the service, which sees what they changed within a minute. */
#include "exporter/commands.h"

extern const struct command commands_alerts[];
