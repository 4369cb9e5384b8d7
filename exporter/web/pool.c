#include "exporter/web/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/worker.h"

struct thread {
    struct pool *pool;
    struct worker *worker;
    bool nice; /* has said so; its own */
    bool busy; /* with a job of this peer */
    uint64_t peer;
};

struct pool {
    int niceness;
    size_t thread_count;
    pthread_mutex_t lock; /* what follows, and what the threads are busy with */
    struct thread *threads;
    struct pool_job *first; /* the oldest that waits */
    size_t waiting, running;
    bool stopping;
};

/* --- choosing ------------------------------------------------------------------------------- */

static size_t count_running(const struct pool *pool, uint64_t peer)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->thread_count; i++)
        count += pool->threads[i].busy && pool->threads[i].peer == peer;
    return count;
}

/* Those that may be refused. */
static size_t count_waiting(const struct pool *pool, uint64_t peer)
{
    size_t count = 0;
    for (const struct pool_job *job = pool->first; job; job = job->next)
        count += job->peer == peer && !job->sure;
    return count;
}

/* What *link leads to; NULL in, NULL out. */
static struct pool_job *take(struct pool *pool, struct pool_job **link)
{
    if (!link)
        return NULL;
    struct pool_job *job = *link;
    *link = job->next;
    pool->waiting--;
    return job;
}

/* The oldest job of a peer with the fewest under way; NULL = nothing waits. */
static struct pool_job *take_next(struct pool *pool)
{
    struct pool_job **best = NULL;
    size_t fewest = 0;
    for (struct pool_job **link = &pool->first; *link; link = &(*link)->next) {
        size_t running = count_running(pool, (*link)->peer);
        if (best && running >= fewest)
            continue;
        best = link;
        fewest = running;
    }
    return take(pool, best);
}

/* The last job of the peer with the most waiting; NULL = this peer would have as many. */
static struct pool_job *take_last(struct pool *pool, uint64_t peer)
{
    struct pool_job **last = NULL;
    size_t most = count_waiting(pool, peer) + 1;
    for (struct pool_job **link = &pool->first; *link; link = &(*link)->next) {
        size_t waiting = (*link)->sure ? 0 : count_waiting(pool, (*link)->peer);
        if (!waiting)
            continue;
        if (waiting <= most && (!last || (*last)->peer != (*link)->peer))
            continue;
        last = link;
        most = waiting;
    }
    return take(pool, last);
}

/* --- doing ---------------------------------------------------------------------------------- */

static void refuse(struct pool_job *job)
{
    const struct pool_job kept = *job; /* nobody's after that */
    kept.run(kept.context, true);
    if (kept.done)
        kept.done(kept.context);
}

static int64_t tick(void *context)
{
    struct thread *thread = context;
    struct pool *pool = thread->pool;
    if (!thread->nice && pool->niceness)
        setpriority(PRIO_PROCESS, (id_t)gettid(), pool->niceness); /* where that is allowed */
    thread->nice = true;
    pthread_mutex_lock(&pool->lock);
    for (struct pool_job *job; (job = take_next(pool));) {
        const struct pool_job kept = *job;
        thread->busy = true;
        thread->peer = job->peer;
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        kept.run(kept.context, false);
        pthread_mutex_lock(&pool->lock);
        thread->busy = false;
        pool->running--;
        pthread_mutex_unlock(&pool->lock);
        if (kept.done)
            kept.done(kept.context);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return -1;
}

/* The idle look for work, the busy do so by themselves. The lock is held. */
static void wake_idle(const struct pool *pool)
{
    for (size_t i = 0; i < pool->thread_count; i++)
        if (!pool->threads[i].busy)
            worker_wake(pool->threads[i].worker);
}

bool pool_add(struct pool *pool, struct pool_job *job, size_t limit)
{
    struct pool_job *refused = NULL;
    pthread_mutex_lock(&pool->lock);
    bool full = pool->waiting + pool->running >= limit;
    if (full)
        refused = take_last(pool, job->peer);
    bool added = !pool->stopping && (!full || refused);
    if (added) {
        struct pool_job **end = &pool->first;
        while (*end)
            end = &(*end)->next;
        job->next = NULL;
        *end = job;
        pool->waiting++;
        wake_idle(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (refused)
        refuse(refused);
    return added;
}

/* --- life ----------------------------------------------------------------------------------- */

struct pool *pool_start(const char *name, unsigned threads, int niceness)
{
    struct pool *pool = MEMORY_NEW(struct pool);
    pool->niceness = niceness;
    pool->thread_count = threads;
    pool->threads = MEMORY_ARRAY(struct thread, threads);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < threads; i++) {
        pool->threads[i].pool = pool;
        pool->threads[i].worker = worker_start(name, tick, NULL, &pool->threads[i], -1);
    }
    pthread_mutex_unlock(&pool->lock);
    return pool;
}

void pool_stop(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    struct pool_job *waiting = pool->first;
    pool->first = NULL;
    pool->waiting = 0;
    pthread_mutex_unlock(&pool->lock);
    for (struct pool_job *job; (job = waiting);) {
        waiting = job->next;
        refuse(job);
    }
    for (size_t i = 0; i < pool->thread_count; i++)
        worker_stop(pool->threads[i].worker);
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}
