#pragma once
/* What an on-call engineer meets, one situation after the other, as the program tells of it. */
#include "alerts/notify/settings.h"
#include "core/arena.h"

enum { SITUATION_MESSAGES_MAX = 16 };

/* What one receiver is sent in a situation, as it stands in the outbox. */
struct situation_messages {
    size_t count; /* of all; the first SITUATION_MESSAGES_MAX of them are here */
    struct notification items[SITUATION_MESSAGES_MAX];
};

/* NULL-terminated. */
extern const char *const situation_names[];

/* Called with the receiver's name in stage.c for each; what it is given lives until it returns. */
typedef void situation_tell(void *context, const char *situation, const char *receiver,
                            struct situation_messages *messages, struct arena *arena);

/* Play one of them and say what each receiver is sent. */
void situation_play(size_t which, situation_tell *tell, void *context);
