#pragma once
/* Threads that are real but run one at a time, in an order drawn from a seed, under time that goes
 * on only while all of them wait. Takes the place of the calls of libc that wait or tell time, when
 * the program is linked (--wrap). */
#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

/* Begin; the calling thread has the baton. page: of the stage. */
void baton_begin(struct stage *stage);

/* A call that could be the last one, and at which another thread may go on. */
void baton_step(void);

/* Wait for a wake of this address, at most until that instant of the monotonic clock (INT64_MAX =
 * for ever). Whether it came. */
bool baton_wait(const void *address, int64_t until_ns);
void baton_wake(const void *address, bool all);

int64_t baton_now_ns(void);

/* A number below so many. */
uint64_t baton_dice(uint64_t below);

/* Asked before time goes beyond stage->world_ns; sets a later one. */
void baton_ask_world(void);
