#include "core/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "test.h"

/* What a tick does and what was seen of it. Everything waits on `changed`, nothing sleeps. */
struct stage {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ticks; /* begun */
    bool held; /* ticks stay inside until released */
    bool cancelled;
    int64_t next_ms; /* what ticks return */
    int blocked_signals;
    char name[16];
};
#define STAGE                                                                                      \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }

static int64_t tick(void *context)
{
    struct stage *stage = context;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    pthread_mutex_lock(&stage->lock);
    stage->ticks++;
    stage->blocked_signals = sigismember(&mask, SIGTERM) + sigismember(&mask, SIGHUP) +
                             sigismember(&mask, SIGINT) + sigismember(&mask, SIGPIPE);
    pthread_getname_np(pthread_self(), stage->name, sizeof stage->name);
    pthread_cond_broadcast(&stage->changed);
    while (stage->held && !stage->cancelled)
        pthread_cond_wait(&stage->changed, &stage->lock);
    int64_t next_ms = stage->next_ms;
    pthread_mutex_unlock(&stage->lock);
    return next_ms;
}

static void cancel(void *context)
{
    struct stage *stage = context;
    pthread_mutex_lock(&stage->lock);
    stage->cancelled = true;
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
}

static void wait_for_ticks(struct stage *stage, int count)
{
    pthread_mutex_lock(&stage->lock);
    while (stage->ticks < count)
        pthread_cond_wait(&stage->changed, &stage->lock);
    pthread_mutex_unlock(&stage->lock);
}

static int ticks_of(struct stage *stage)
{
    pthread_mutex_lock(&stage->lock);
    int ticks = stage->ticks;
    pthread_mutex_unlock(&stage->lock);
    return ticks;
}

TEST(ticks_follow_each_other)
{
    struct stage stage = STAGE;
    struct worker *worker = worker_start("ticker", tick, NULL, &stage, 0);
    wait_for_ticks(&stage, 3);
    worker_stop(worker);
    CHECK(stage.ticks >= 3);
}

TEST(first_tick_comes_after_the_delay_and_the_next_when_told)
{
    struct stage stage = STAGE;
    stage.next_ms = 15;
    int64_t start_ms = clock_monotonic_ms();
    struct worker *worker = worker_start("ticker", tick, NULL, &stage, 20);
    wait_for_ticks(&stage, 1);
    CHECK(clock_monotonic_ms() - start_ms >= 20);
    wait_for_ticks(&stage, 3);
    CHECK(clock_monotonic_ms() - start_ms >= 20 + 2 * 15);
    worker_stop(worker);
}

TEST(wake_comes_before_the_delay)
{
    struct stage stage = STAGE;
    stage.next_ms = -1;
    struct worker *worker = worker_start("sleeper", tick, NULL, &stage, 3600000);
    worker_wake(worker);
    wait_for_ticks(&stage, 1);
    enum { WAKES = 500 }; /* from a wait without an end: so often that it does wait */
    for (int i = 2; i <= WAKES; i++) {
        worker_wake(worker);
        wait_for_ticks(&stage, i);
    }
    worker_stop(worker);
    CHECK_INT(stage.ticks, WAKES);
}

TEST(wakes_during_a_tick_make_one_more_follow)
{
    struct stage stage = STAGE;
    stage.next_ms = -1;
    stage.held = true;
    struct worker *worker = worker_start("busy", tick, NULL, &stage, 0);
    wait_for_ticks(&stage, 1);
    worker_wake(worker);
    worker_wake(worker);
    CHECK_INT(ticks_of(&stage), 1);
    pthread_mutex_lock(&stage.lock);
    stage.held = false;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.lock);
    wait_for_ticks(&stage, 2);
    worker_stop(worker);
    CHECK_INT(stage.ticks, 2);
}

TEST(stop_ends_every_wait_at_once)
{
    struct stage stage = STAGE;
    int64_t start_ms = clock_monotonic_ms();
    stage.next_ms = -1;
    worker_stop(worker_start("delayed", tick, NULL, &stage, 3600000));
    CHECK_INT(stage.ticks, 0);
    worker_stop(worker_start("waiting", tick, NULL, &stage, -1));
    CHECK_INT(stage.ticks, 0);
    struct worker *worker = worker_start("ticked", tick, NULL, &stage, 0);
    wait_for_ticks(&stage, 1);
    worker_stop(worker);
    CHECK_INT(stage.ticks, 1);
    worker_stop(NULL);
    CHECK(clock_monotonic_ms() - start_ms < 60000); /* of 3600000 */
}

TEST(stop_cancels_a_blocked_tick)
{
    struct stage stage = STAGE;
    stage.held = true;
    struct worker *worker = worker_start("blocked", tick, cancel, &stage, 0);
    wait_for_ticks(&stage, 1);
    CHECK(!worker_stopping(worker));
    worker_stop(worker);
    CHECK(stage.cancelled);
    CHECK_INT(stage.ticks, 1);
}

struct loop {
    _Atomic(struct worker *) worker;
    atomic_int entered;
};

/* Ends only because worker_stopping says so. */
static int64_t loop_until_stopping(void *context)
{
    struct loop *loop = context;
    loop->entered = 1;
    while (!loop->worker || !worker_stopping(loop->worker))
        clock_sleep_ms(1);
    return -1;
}

TEST(a_looping_tick_sees_that_it_should_stop)
{
    struct loop loop = { NULL, 0 };
    struct worker *worker = worker_start("looping", loop_until_stopping, NULL, &loop, 0);
    loop.worker = worker;
    while (!loop.entered)
        clock_sleep_ms(1);
    worker_stop(worker);
    CHECK(loop.entered);
}

TEST(thread_has_its_name_and_takes_no_signals)
{
    struct stage stage = STAGE;
    stage.next_ms = -1;
    struct worker *worker = worker_start("a name of more than 15", tick, NULL, &stage, 0);
    wait_for_ticks(&stage, 1);
    worker_stop(worker);
    CHECK_TEXT(stage.name, "a name of more ");
    CHECK_INT(stage.blocked_signals, 4);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGTERM));
}

static int64_t release(void *context)
{
    struct stage *stage = context;
    pthread_mutex_lock(&stage->lock);
    stage->held = false;
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
    return -1;
}

TEST(stop_lets_a_tick_end_until_the_deadline)
{
    struct stage stage = STAGE;
    stage.held = true;
    struct worker *worker = worker_start("busy", tick, cancel, &stage, 0);
    wait_for_ticks(&stage, 1);
    struct worker *other = worker_start("release", release, NULL, &stage, 20);
    worker_stop_by(worker, clock_monotonic_ms() + 600000);
    worker_stop(other);
    CHECK(!stage.cancelled);

    stage.held = true;
    worker = worker_start("stuck", tick, cancel, &stage, 0);
    wait_for_ticks(&stage, 2);
    worker_stop_by(worker, clock_monotonic_ms() + 20);
    CHECK(stage.cancelled);
}
