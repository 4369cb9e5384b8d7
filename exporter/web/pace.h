#pragma once
/* How long the other end of a connection has kept us waiting. Who takes an answer at a fair pace is
 * never the slowest, however long the answer and however many came after; who takes next to nothing
 * is, and so is who took much and then stopped. Pure. */
#include <stdbool.h>
#include <stdint.h>

enum { PACE_BYTES_PER_MS = 64 }; /* a fair pace; so many excuse a millisecond */

struct pace {
    int64_t since_ms; /* what is waited for began */
    int64_t moved_ms; /* when it was last seen to take something */
    uint64_t before;  /* bytes it had taken when it began ... */
    uint64_t taken;   /* ... and by now */
};

/* It is waited for from now on. taken: bytes it has taken in all. */
void pace_begin(struct pace *pace, uint64_t taken, int64_t now_ms);

/* It has taken so many bytes by now; all: it waits for us, having taken everything we had for it or
 * sent what we did not read, and will be waited for only after this. True when it has kept us
 * waiting less long than it seemed before; never longer. */
bool pace_look(struct pace *pace, uint64_t taken, bool all, int64_t now_ms);

/* Whether it has kept us waiting longer than the other, or as long and came before it. */
bool pace_is_slower(const struct pace *pace, const struct pace *other);
