#pragma once
/* What a lane says in the log of its attempts: failures on change and recovery, final ones each
 * time. */
#include "alerts/notify/delivery.h"

/* failing: what the lane knew before, brought up to date. */
void lane_log(const char *receiver, const char *id, const struct delivery_attempt *attempt,
              bool *failing);
