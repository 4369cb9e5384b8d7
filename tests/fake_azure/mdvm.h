#pragma once
/* Security baselines of Defender Vulnerability Management: a profile for each operating system, its
 * configurations are the rules of the OS baseline, its devices the machines these are checked on.
 * source: Defender for Endpoint API, security baselines assessment. */
#include "reply.h"

void mdvm_profiles(struct request *request, struct reply *reply);
void mdvm_configurations(struct request *request, struct reply *reply);
void mdvm_assessments(struct request *request, struct reply *reply);
