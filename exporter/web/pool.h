#pragma once
/* A few threads that do jobs, fairly: the next one is of the peer that has the fewest under way,
 * and when there are too many, the peer with the most waiting loses its last. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

struct pool;

/* Called once for each job that was added, on a thread of the pool. refused: on the thread that
 * adds another or stops the pool; there is no room for it. */
typedef void pool_run(void *context, bool refused);

/* The caller's, unchanged until run is called. */
struct pool_job {
    pool_run *run;
    void (*done)(void *context); /* after it, when its place is free for others; NULL = nothing */
    void *context;
    uint64_t peer;
    bool sure;             /* goes on with something: it is refused only when the pool stops */
    struct pool_job *next; /* the pool's */
};

/* niceness: how much less of a processor than others they get, as of nice(1). */
struct pool *pool_start(const char *name, unsigned threads, int niceness);

/* Refuse what waits and whatever is added from now on, finish what is under way. NULL is fine. */
void pool_stop(struct pool *pool);
void pool_destroy(struct pool *pool); /* one that was stopped; NULL is fine */

/* Have a job done when no more than `limit` wait or are under way. False: there is no room for it,
 * nothing is called. */
bool pool_add(struct pool *pool, struct pool_job *job, size_t limit) MUST_USE;
