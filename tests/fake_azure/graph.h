#pragma once
/* Azure Resource Graph: the query endpoint, its pages, quota and errors.
 * source: ResourceGraph REST API. */
#include "reply.h"

void graph_answer(struct request *request, struct reply *reply);

/* Count this request against its principal's quota and write the quota headers; false: 429. */
bool graph_quota(struct request *request, struct reply *reply);

/* Azure's throttling body. retry_after < 0: no such header. */
void graph_throttled(struct reply *reply, long retry_after);
