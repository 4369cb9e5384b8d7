#include "exporter/web/pool.h"

#include <pthread.h>
#include <string.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "test.h"

/* Threads that are held up, each at a gate of its own; what is done is written down. */
enum { GATES = 2, TASKS = 8 };

struct bench;
struct task {
    struct bench *bench;
    struct pool_job job;
    char name;
    bool inside, open; /* of a gate */
};

struct bench {
    struct pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct task gates[GATES], tasks[TASKS];
    char said[TASKS + 1];
    struct buf done;
};

static void run_task(void *context, bool refused)
{
    struct task *task = context;
    struct bench *bench = task->bench;
    pthread_mutex_lock(&bench->lock);
    if (refused)
        buf_char(&bench->done, '-');
    buf_char(&bench->done, task->name);
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static void run_gate(void *context, bool refused)
{
    struct task *gate = context;
    struct bench *bench = gate->bench;
    CHECK(!refused);
    pthread_mutex_lock(&bench->lock);
    gate->inside = true;
    pthread_cond_broadcast(&bench->changed);
    while (!gate->open)
        pthread_cond_wait(&bench->changed, &bench->lock);
    pthread_mutex_unlock(&bench->lock);
}

static bool add_task(struct bench *bench, struct task *task, pool_run *run, char name, char peer,
                     size_t limit)
{
    *task = (struct task){ .bench = bench, .name = name };
    task->job = (struct pool_job){ .run = run, .context = task, .peer = (unsigned char)peer };
    return pool_add(bench->pool, &task->job, limit);
}

/* A thread for each letter, busy for that peer. */
static void bench_start(struct bench *bench, const char *peers)
{
    *bench = (struct bench){ .pool = pool_start("test", (unsigned)strlen(peers), 0) };
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->changed, NULL);
    for (size_t i = 0; peers[i]; i++) {
        struct task *gate = &bench->gates[i];
        CHECK(add_task(bench, gate, run_gate, 'g', peers[i], GATES));
        pthread_mutex_lock(&bench->lock);
        while (!gate->inside)
            pthread_cond_wait(&bench->changed, &bench->lock);
        pthread_mutex_unlock(&bench->lock);
    }
}

/* Add a job of each letter's peer, named 1, 2 ...: '+', or '.' where there is no room. */
static void add(struct bench *bench, const char *peers, size_t limit)
{
    for (size_t i = 0; peers[i]; i++) {
        bool ok = add_task(bench, &bench->tasks[i], run_task, (char)('1' + i), peers[i], limit);
        bench->said[i] = ok ? '+' : '.';
    }
}

static void open_gate(struct bench *bench, size_t index)
{
    pthread_mutex_lock(&bench->lock);
    bench->gates[index].open = true;
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static void await_done(struct bench *bench, size_t count)
{
    pthread_mutex_lock(&bench->lock);
    while (bench->done.length < count)
        pthread_cond_wait(&bench->changed, &bench->lock);
    pthread_mutex_unlock(&bench->lock);
}

static void bench_finish(struct bench *bench)
{
    pool_destroy(bench->pool);
    buf_finish(&bench->done);
    pthread_cond_destroy(&bench->changed);
    pthread_mutex_destroy(&bench->lock);
}

TEST(the_next_job_is_of_whom_least_is_done_for)
{
    static const struct {
        const char *busy, *peers, *order;
    } cases[] = {
        { "ax", "ab", "21" },
        { "ax", "ba", "12" },
        { "ax", "aacab", "35124" },
        { "xy", "abab", "1234" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bench bench;
        bench_start(&bench, cases[i].busy);
        add(&bench, cases[i].peers, TASKS);
        open_gate(&bench, 1);
        await_done(&bench, strlen(cases[i].order));
        CHECK_TEXT(buf_cstr(&bench.done), cases[i].order);
        open_gate(&bench, 0);
        pool_stop(bench.pool);
        bench_finish(&bench);
    }
}

TEST(room_is_shared_out_among_peers)
{
    static const struct {
        const char *what, *peers;
        size_t limit; /* one is under way */
        const char *said, *refused;
    } cases[] = {
        { "there is room", "aaa", 4, "+++", "" },
        { "there is none", "aa", 1, "..", "" },
        { "one peer fills it", "aaaa", 3, "++..", "" },
        { "another gets in, the last of the many goes", "aaab", 4, "++++", "-3" },
        { "as many each are fair", "aabbc", 5, "+++++", "-2" },
        { "one each is fair", "abc", 3, "++.", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bench bench;
        bench_start(&bench, "g");
        add(&bench, cases[i].peers, cases[i].limit);
        CHECK_TEXT(bench.said, cases[i].said);
        CHECK_TEXT(buf_cstr(&bench.done), cases[i].refused);
        open_gate(&bench, 0);
        pool_stop(bench.pool);
        bench_finish(&bench);
    }
}

static void add_another(void *context)
{
    struct task *task = context;
    CHECK(add_task(task->bench, &task->bench->tasks[1], run_task, '2', 'a', 1));
}

TEST(the_place_of_what_is_done_is_free)
{
    struct bench bench;
    bench_start(&bench, "g");
    struct task *task = &bench.tasks[0];
    *task = (struct task){ .bench = &bench, .name = '1' };
    task->job =
        (struct pool_job){ .run = run_task, .done = add_another, .context = task, .peer = 'a' };
    CHECK(pool_add(bench.pool, &task->job, 2));
    open_gate(&bench, 0);
    await_done(&bench, 2);
    CHECK_TEXT(buf_cstr(&bench.done), "12");
    pool_stop(bench.pool);
    bench_finish(&bench);
}

static void *stop_pool(void *pool)
{
    pool_stop(pool);
    return NULL;
}

TEST(what_goes_on_is_never_refused_for_another)
{
    struct bench bench;
    bench_start(&bench, "g");
    for (size_t i = 0; i < 3; i++) {
        struct task *task = &bench.tasks[i];
        *task = (struct task){ .bench = &bench, .name = (char)('1' + i) };
        task->job =
            (struct pool_job){ .run = run_task, .context = task, .peer = 'a', .sure = true };
        CHECK(pool_add(bench.pool, &task->job, SIZE_MAX));
    }
    CHECK(!add_task(&bench, &bench.tasks[3], run_task, '4', 'b', 4));
    CHECK_TEXT(buf_cstr(&bench.done), "");
    open_gate(&bench, 0);
    await_done(&bench, 3);
    CHECK_TEXT(buf_cstr(&bench.done), "123");
    pool_stop(bench.pool);
    bench_finish(&bench);
}

TEST(what_waits_at_the_end_is_refused_and_what_runs_is_finished)
{
    struct bench bench;
    pthread_t stopper;
    bench_start(&bench, "g");
    add(&bench, "ab", TASKS);
    CHECK(!pthread_create(&stopper, NULL, stop_pool, bench.pool));
    await_done(&bench, 4);
    CHECK_TEXT(buf_cstr(&bench.done), "-1-2");
    CHECK(!add_task(&bench, &bench.tasks[2], run_task, '3', 'a', TASKS));
    open_gate(&bench, 0);
    pthread_join(stopper, NULL);
    CHECK(!add_task(&bench, &bench.tasks[2], run_task, '3', 'a', TASKS));
    CHECK_TEXT(buf_cstr(&bench.done), "-1-2");
    bench_finish(&bench);
}
