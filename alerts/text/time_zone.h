#pragma once
/* Offsets from UTC of one place, from the system's time zone files, without the process's own TZ.
 * Pure after loading; any thread. source: RFC 8536. */
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"

struct time_zone;

/* Load an IANA name such as "Europe/Berlin"; "UTC" needs no file. In the arena. NULL and
 * ERROR_CONFIG when there is no such place (or no time zone files at all), ERROR_PARSE when its
 * file cannot be read. */
const struct time_zone *time_zone_load(const char *name, struct arena *arena,
                                       struct error *error) MUST_USE;

/* Seconds to add to UTC at this instant. */
int64_t time_zone_offset_s(const struct time_zone *zone, int64_t at);
