#pragma once
/* Which matchers met a limit: they notify when they should have muted, or fire when they should
 * not, so they are counted and each is named in the log once. */
#include "alerts/notify/settings.h"
#include "alerts/notify/silence.h"
#include "core/metric.h"

extern const struct family_1 limited_matchers;

/* Append how many there are by where they stand; when the budget of the silences is spent, each of
 * them that has a regular expression is one. settings, silences: NULL = none. Evaluator. */
void limited_emit(const struct settings *settings, const struct silence_list *silences,
                  struct metric_set *set);
