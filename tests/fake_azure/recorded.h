#pragma once
/* A tenant that was recorded: real answers, served as they were. */
#include "reply.h"

/* Read the index and the chosen files. NULL with a reason. */
struct recorded *recorded_open(const struct fake_options *options, char *why, size_t why_bytes);
void recorded_close(struct recorded *recorded);

/* Answer a request of Azure Resource Manager; Resource Graph fails there with 500. */
void recorded_answer(struct request *request, struct reply *reply);
