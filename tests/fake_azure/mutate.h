#pragma once
/* Faults made of answers: wrong ones instead of them, and good ones spoilt. */
#include "reply.h"

/* The answer of a FAULT_ANSWER. */
void mutate_answer(struct request *request, struct reply *reply, const struct fault *fault);

/* Spoil a good answer: FAULT_BODY. */
void mutate_body(struct request *request, struct reply *reply, const struct fault *fault);
