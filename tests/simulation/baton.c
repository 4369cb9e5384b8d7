#include "baton.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 128, SWITCH_ONE_IN = 12, READ_NS = 1000, DIED = 137 };

struct thread {
    sem_t turn;
    pthread_t id;
    bool used, waits, woken, ended;
    const void *address; /* what it waits for */
    int64_t until_ns;
    void *(*run)(void *argument);
    void *argument;
};

static struct stage *stage;
static struct thread threads[THREADS_MAX];
static __thread struct thread *self;

/* The calls that are wrapped, as they are. */
int __real_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __real_pthread_join(pthread_t id, void **result);
int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __real_clock_gettime(clockid_t id, struct timespec *out);

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_join(pthread_t id, void **result);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *at);
int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_nanosleep(const struct timespec *duration, struct timespec *left);
ssize_t __wrap_getrandom(void *out, size_t count, unsigned flags);

/* --- the baton -------------------------------------------------------------------------------- */

/* source: Marsaglia, Xorshift RNGs, 2003 */
uint64_t baton_dice(uint64_t below)
{
    uint64_t state = stage->dice;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    stage->dice = state;
    return below ? (state >> 11) % below : 0;
}

int64_t baton_now_ns(void)
{
    return stage->monotonic_ns;
}

/* One of those that can go on, or NULL: all wait. */
static struct thread *draw_ready(void)
{
    struct thread *found = NULL;
    uint64_t seen = 0;
    for (struct thread *thread = threads; thread < threads + THREADS_MAX; thread++)
        if (thread->used && !thread->waits && !thread->ended && !baton_dice(++seen))
            found = thread;
    return found;
}

/* The one whose wait ends first, or NULL: all wait for ever. */
static struct thread *first_due(void)
{
    struct thread *found = NULL;
    for (struct thread *thread = threads; thread < threads + THREADS_MAX; thread++)
        if (thread->used && thread->waits && thread->until_ns != INT64_MAX &&
            (!found || thread->until_ns < found->until_ns))
            found = thread;
    return found;
}

/* Who goes on; time passes when nobody can before. */
static struct thread *next_thread(void)
{
    struct thread *next;
    while (!(next = draw_ready())) {
        struct thread *due = first_due();
        if (!due) {
            fprintf(stderr, "simulation: every thread waits for ever\n");
            abort();
        }
        if (due->until_ns > stage->world_ns) {
            if (stage->world_ns > stage->monotonic_ns)
                stage->monotonic_ns = stage->world_ns;
            baton_ask_world();
            continue;
        }
        if (due->until_ns > stage->monotonic_ns)
            stage->monotonic_ns = due->until_ns;
        due->waits = due->woken = false;
    }
    return next;
}

static void pass(void)
{
    struct thread *next = next_thread();
    if (next == self)
        return;
    struct thread *own = self;
    sem_post(&next->turn);
    if (own->ended)
        return;
    while (sem_wait(&own->turn) && errno == EINTR)
        continue;
}

void baton_step(void)
{
    if (stage && ++stage->calls == stage->dies_at)
        _exit(DIED);
    if (self && !baton_dice(SWITCH_ONE_IN))
        pass();
}

bool baton_wait(const void *address, int64_t until_ns)
{
    self->address = address;
    self->until_ns = until_ns;
    self->waits = true;
    self->woken = false;
    pass();
    return self->woken;
}

void baton_wake(const void *address, bool all)
{
    struct thread *found = NULL;
    uint64_t seen = 0;
    for (struct thread *thread = threads; thread < threads + THREADS_MAX; thread++) {
        if (!thread->used || !thread->waits || thread->address != address)
            continue;
        if (all) {
            thread->waits = false;
            thread->woken = true;
        } else if (!baton_dice(++seen)) {
            found = thread;
        }
    }
    if (found) {
        found->waits = false;
        found->woken = true;
    }
}

static struct thread *take_place(void)
{
    for (struct thread *thread = threads; thread < threads + THREADS_MAX; thread++)
        if (!thread->used) {
            *thread = (struct thread){ .used = true };
            sem_init(&thread->turn, 0, 0);
            return thread;
        }
    fprintf(stderr, "simulation: too many threads\n");
    abort();
}

void baton_begin(struct stage *page)
{
    stage = page;
    self = take_place();
    self->id = pthread_self();
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *run(void *argument)
{
    self = argument;
    while (sem_wait(&self->turn) && errno == EINTR)
        continue;
    void *result = self->run(self->argument);
    self->ended = true;
    baton_wake(self, true);
    pass();
    return result;
}

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*start)(void *),
                          void *argument)
{
    struct thread *thread = take_place();
    thread->run = start;
    thread->argument = argument;
    int result = __real_pthread_create(&thread->id, attributes, run, thread);
    *id = thread->id;
    if (result)
        thread->used = false;
    baton_step();
    return result;
}

int __wrap_pthread_join(pthread_t id, void **result)
{
    for (struct thread *thread = threads; thread < threads + THREADS_MAX; thread++) {
        if (!thread->used || !pthread_equal(thread->id, id))
            continue;
        while (!thread->ended)
            baton_wait(thread, INT64_MAX);
        int joined = __real_pthread_join(id, result);
        sem_destroy(&thread->turn);
        thread->used = false;
        return joined;
    }
    return __real_pthread_join(id, result);
}

/* --- locks and conditions --------------------------------------------------------------------- */

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
    if (!self)
        return __real_pthread_mutex_lock(lock);
    baton_step();
    while (pthread_mutex_trylock(lock))
        baton_wait(lock, INT64_MAX);
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
    int result = __real_pthread_mutex_unlock(lock);
    if (self) {
        baton_wake(lock, true);
        baton_step();
    }
    return result;
}

/* Nobody is promised to be woken in time. */
static int64_t late_ns(int64_t until_ns)
{
    int64_t grain_ns = stage->grain_ns;
    if (!grain_ns || until_ns > INT64_MAX - grain_ns)
        return until_ns;
    return (until_ns + grain_ns - 1) / grain_ns * grain_ns;
}

static int wait_for(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns)
{
    until_ns = late_ns(until_ns);
    __real_pthread_mutex_unlock(lock);
    baton_wake(lock, true);
    bool woken = baton_wait(condition, until_ns);
    while (pthread_mutex_trylock(lock))
        baton_wait(lock, INT64_MAX);
    return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
    return wait_for(condition, lock, INT64_MAX);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *at)
{
    int64_t until_ns = at->tv_sec > INT64_MAX / 1000000000 - 1
                           ? INT64_MAX
                           : (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
    return wait_for(condition, lock, until_ns);
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition)
{
    baton_wake(condition, false);
    baton_step();
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
    baton_wake(condition, true);
    baton_step();
    return 0;
}

/* --- time and chance -------------------------------------------------------------------------- */

/* Each look takes a microsecond: who waits for time to pass by looking gets there. */
int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    if (!stage)
        return __real_clock_gettime(id, out);
    stage->monotonic_ns += READ_NS;
    int64_t now_ns = stage->monotonic_ns + (id == CLOCK_REALTIME ? stage->wall_ns : 0);
    if (id == CLOCK_THREAD_CPUTIME_ID || id == CLOCK_PROCESS_CPUTIME_ID)
        now_ns = 0; /* nothing takes long here */
    *out = (struct timespec){ now_ns / 1000000000, now_ns % 1000000000 };
    return 0;
}

int __wrap_nanosleep(const struct timespec *duration, struct timespec *left)
{
    (void)left;
    baton_wait(duration, late_ns(stage->monotonic_ns + (int64_t)duration->tv_sec * 1000000000 +
                                 duration->tv_nsec));
    return 0;
}

ssize_t __wrap_getrandom(void *out, size_t count, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < count; i++)
        ((unsigned char *)out)[i] = (unsigned char)baton_dice(256);
    return (ssize_t)count;
}
