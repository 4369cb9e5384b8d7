#pragma once
/* Silences as Alertmanager's API lists, makes and ends them. Each returns the HTTP status. */
#include "alerts/api/api_call.h"

/* Answer GET silences and GET silence/<id>. */
int api_silences_answer(struct api_call *call);
int api_silences_answer_one(struct api_call *call, const char *id);

/* Answer POST silences and DELETE silence/<id>; the evaluator is woken. */
int api_silences_put(struct api_call *call);
int api_silences_expire(struct api_call *call, const char *id);

/* Read a silence as it is posted: texts go to the arena, its matchers are to be finished. Pure. */
bool api_silences_read(const char *text, size_t length, struct arena *arena,
                       struct silence *silence, struct error *error) MUST_USE;
