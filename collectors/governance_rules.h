#pragma once
/* Governance rules, as the collector of assignments keeps them. An assignment does not say which
 * rule made it: what a rule would assign today is worked out from its conditions. */
#include "collectors/collector.h"

extern const struct column governance_rules_columns[];

/* Add a row of the query to a part. */
void governance_rules_fold(struct part *part, const void *row);

/* The name of the rule that assigns such a finding to this owner: the first by priority whose
 * conditions hold, those of management groups first; "" when there is none, when a condition is
 * not known here, or when that rule names another owner. part: of the collector, or NULL. */
const char *governance_rules_title(const struct part *part, const struct finding *finding,
                                   const char *owner);
