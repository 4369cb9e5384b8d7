#pragma once
/* Regulatory compliance of the generated tenant: the benchmark under either of its names, and for
 * every other subscription a second standard. source: the REST API of
 * Microsoft.Security/regulatoryComplianceStandards. */
#include "rest.h"
#include "tenant.h"

void compliance_finish(struct tenant *tenant);

void compliance_standards(struct request *request, struct reply *reply);
void compliance_controls(struct request *request, struct reply *reply);
void compliance_assessments(struct request *request, struct reply *reply);
