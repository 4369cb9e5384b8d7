#pragma once
/* Events of the Open Cybersecurity Schema Framework, for data lakes and SIEMs: a JSON array with
 * one event for each finding, and one for what is about no finding. source: the schema's classes
 * Compliance Finding (2003), Vulnerability Finding (2002), Detection Finding (2004) and Base Event
 * (0) of this version, with the profile cloud. */
#include "alerts/rules/notification.h"

#define OCSF_VERSION "1.6.0"

void ocsf_write(const struct notification *notification, struct buf *out);
