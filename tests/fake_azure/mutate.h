#pragma once
/* Faults made of answers: wrong ones instead of them, and good ones spoilt. */
#include "reply.h"

/* The answer of a FAULT_ANSWER. */
void mutate_answer(struct request *request, struct reply *reply, const struct fault *fault);

/* Spoil a good answer: FAULT_BODY. */
/* Links with characters that no URL may hold, as some providers write them. */
#define MUTATE_RAW_TAIL " #RT:1#TRC:9"
void mutate_links(struct reply *reply);

/* Everything that somebody in a tenant may name is called this: the inside of a JSON string, which
 * may be none. */
void mutate_names(struct reply *reply, const char *name);

void mutate_body(struct request *request, struct reply *reply, const struct fault *fault);
