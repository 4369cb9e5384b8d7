#pragma once
/* A thread that ticks, wakes and stops. The tick does its work and says how long to sleep. */
#include <stdbool.h>
#include <stdint.h>

struct worker;

/* Called on the worker's thread. Returns the milliseconds until the next tick (a wake comes
 * sooner); negative = wait for a wake. */
typedef int64_t worker_tick(void *context);

/* Called on the stopping thread before the join: make a blocked tick return soon. May be NULL. */
typedef void worker_cancel(void *context);

/* Start a thread named `name` (15 characters) that takes no signals; the first tick comes after
 * delay_ms, perhaps before this returns: a tick must not rely on the result being stored. */
struct worker *worker_start(const char *name, worker_tick *tick, worker_cancel *cancel,
                            void *context, int64_t delay_ms);

/* Tick as soon as possible. Any thread. A wake during a tick makes another one follow. */
void worker_wake(struct worker *worker);

/* True from the moment worker_stop was called: for ticks that loop. */
bool worker_stopping(const struct worker *worker);

/* Stop, join and free. NULL is fine. */
void worker_stop(struct worker *worker);

/* The same, but a tick under way may end by itself until this instant (clock_monotonic_ms) and is
 * cancelled only then. */
void worker_stop_by(struct worker *worker, int64_t deadline_ms);
