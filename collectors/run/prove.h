#pragma once
/* Asks Azure whether the resources of missing findings still exist. */
#include "collectors/azure/arm.h"
#include "collectors/snapshot/part.h"

/* Add the answers to a part of a run that is over, with at most two requests: one to the table of
 * resources, one to that of subscriptions and groups. A resource is deleted when the answer lacks
 * it and has a witness: another known resource of its subscription and type. An answer without a
 * witness proves nothing, and types outside these tables never have one. Fails no run: what cannot
 * be asked is unproved. */
void prove_part(struct part *part, const struct proof_questions *questions,
                struct arm_session *session);
