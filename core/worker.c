#include "core/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/condition.h"
#include "core/memory.h"

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken, ended; /* under lock */
    atomic_bool stopping;
    worker_tick *tick;
    worker_cancel *cancel;
    void *context;
    int64_t delay_ms; /* the worker's own; until the next tick, negative = none is due */
    char name[16];
};

/* Wait until a tick is due or asked for. False when the worker is to stop. */
static bool wait_for_tick(struct worker *worker)
{
    int64_t due_ms = clock_monotonic_ms() + worker->delay_ms;
    pthread_mutex_lock(&worker->lock);
    while (!worker->woken && !worker->stopping) {
        if (worker->delay_ms < 0)
            pthread_cond_wait(&worker->changed, &worker->lock);
        else if (!condition_wait(&worker->changed, &worker->lock, due_ms))
            break;
    }
    worker->woken = false;
    pthread_mutex_unlock(&worker->lock);
    return !worker->stopping;
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    pthread_setname_np(pthread_self(), worker->name);
    while (wait_for_tick(worker))
        worker->delay_ms = worker->tick(worker->context);
    pthread_mutex_lock(&worker->lock);
    worker->ended = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* Signals are for the main thread: the new thread inherits a mask that blocks them all. */
static int start_thread(struct worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&worker->thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

struct worker *worker_start(const char *name, worker_tick *tick, worker_cancel *cancel,
                            void *context, int64_t delay_ms)
{
    struct worker *worker = MEMORY_NEW(struct worker);
    worker->tick = tick;
    worker->cancel = cancel;
    worker->context = context;
    worker->delay_ms = delay_ms;
    snprintf(worker->name, sizeof worker->name, "%s", name);

    condition_init(&worker->changed);
    pthread_mutex_init(&worker->lock, NULL);
    if (start_thread(worker))
        memory_abort("no thread for %s", name); /* no threads left: as hopeless as no memory */
    return worker;
}

void worker_wake(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->woken = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

bool worker_stopping(const struct worker *worker)
{
    return worker->stopping;
}

void worker_stop(struct worker *worker)
{
    worker_stop_by(worker, 0);
}

void worker_stop_by(struct worker *worker, int64_t deadline_ms)
{
    if (!worker)
        return;
    assert(!pthread_equal(worker->thread, pthread_self()));
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_signal(&worker->changed);
    while (deadline_ms && !worker->ended &&
           condition_wait(&worker->changed, &worker->lock, deadline_ms))
        continue;
    bool ended = worker->ended;
    pthread_mutex_unlock(&worker->lock);
    if (worker->cancel && !ended)
        worker->cancel(worker->context);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
