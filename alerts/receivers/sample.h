#pragma once
/* Made-up notifications, one of each situation that a receiver can be told of, on which the
 * templates of bodies are tried when the configuration is read: with and without findings, values,
 * lists and texts, and with texts that need every escape. */
#include "alerts/rules/notification.h"

enum { SAMPLE_COUNT = 27 };

/* What it is, in words: "a digest". */
const char *sample_name(int which);

/* Fill it; texts are static or in the arena. */
void sample_make(int which, struct arena *arena, struct notification *notification);
