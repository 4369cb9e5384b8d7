#pragma once
/* Waiting for a condition by the monotonic clock: a wall clock that steps ends no wait and makes
 * none longer. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void condition_init(pthread_cond_t *condition);

/* Wait for a signal, with the lock; false when the instant of clock_monotonic_ms has come. */
bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t at_ms);
