#pragma once
/* Rules that wait for a risk level, and so never fire where Azure tells none. Pure. */
#include "alerts/rules/rule.h"

/* Append the names of the rules that a finding of a rated collector can make fire, but none whose
 * risk is not evaluated: "A, B and 3 more". Returns how many they are. */
size_t rule_risk_waiting(const struct rule_set *set, struct buf *out);
