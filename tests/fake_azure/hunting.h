#pragma once
/* Advanced hunting of Microsoft Graph: the exposure graph, which has every resource that is there,
 * counted as the project's own query says. Any other query is refused.
 * source: Microsoft Graph, security: runHuntingQuery. */
#include "reply.h"

void hunting_answer(struct request *request, struct reply *reply);
