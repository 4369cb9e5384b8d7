#pragma once
/* The commands about alerts: rules, receivers, messages, silences. They read the database beside
 * the service; what they change the service sees within seconds. */
#include "exporter/commands.h"

extern const struct command commands_alerts[];
