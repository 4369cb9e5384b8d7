#pragma once
/* Which request goes where: authentication, api-versions, faults, handlers. */
#include "reply.h"

struct answer {
    struct reply reply;
    struct fault wire; /* how to send it, when wired */
    bool wired, hang;
    const char *label; /* endpoint, for the counts */
};

/* Answer a request. Takes the lock. */
void route_answer(struct request *request, struct answer *answer);
