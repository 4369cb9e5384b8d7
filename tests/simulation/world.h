#pragma once
/* The world around a simulated life: Azure, receivers, the clock, what goes wrong, and the record
 * of all of it that a judge reads. */
#include <stdio.h>

#include "core/buf.h"
#include "fake.h"
#include "stage.h"

/* How receivers are. */
enum mood {
    MOOD_WELL,
    MOOD_BUSY,      /* 503 */
    MOOD_THROTTLED, /* 429 with Retry-After */
    MOOD_SILENT,    /* takes the message and says nothing */
    MOOD_BROKEN,    /* takes the message, then the connection breaks */
    MOOD_GONE,      /* no connection */
    MOOD_SLOW,
    MOOD_FLAPPING, /* any of these, each time another */
    MOOD_COUNT
};
extern const char *const mood_words[];

struct world {
    struct stage *stage;
    struct fake *fake;
    FILE *record; /* one JSON object a line */
    uint64_t dice;
    enum mood mood;
    size_t told; /* of the events of the tenant, in the record */
    uint64_t requests, messages, deaths, lives;
};

uint64_t world_dice(struct world *world, uint64_t below);
int64_t world_now_s(const struct world *world); /* the true time: no step of a clock moves it */

/* A line of the record: {"at":..., "kind":..., members}. */
void world_note(struct world *world, const char *kind, const char *members, ...) PRINTF_LIKE(3, 4);

void world_mark(struct world *world, const char *kind); /* without members */

/* The tenant goes one generation on; what that changes is recorded. */
void world_evolve(struct world *world);
void world_tell_begin(struct world *world); /* what is open at first */

/* Answer a request of the life. headers, body: filled. */
void network_answer(struct world *world, const struct buf *question, struct stage_answer *answer,
                    struct buf *headers, struct buf *body);
