#pragma once
/* Messages of one alert that no group holds: they say something once, or that something is over. */
#include "alerts/notify/group.h"

/* Queue one for a receiver. In the evaluator's transaction. */
bool notice_queue(const struct group_context *context, const struct receivers_config *receiver,
                  const struct notification *notification, struct error *error) MUST_USE;
