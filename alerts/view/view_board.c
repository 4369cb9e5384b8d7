#include "alerts/view/view_board.h"

#include <pthread.h>
#include <stdlib.h>

#include "alerts/view/view_groups.h"
#include "alerts/view/view_resources.h"
#include "core/clock.h"
#include "core/condition.h"
#include "core/memory.h"
#include "core/worker.h"

enum { WANTED_MS = 10 * 60 * 1000 };

struct view_board {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct view *view;
    struct view *next;     /* to be arranged; NULL = none */
    struct worker *worker; /* arranges views; NULL = nobody has looked yet */
    int64_t asked_at_ms;   /* monotonic, when somebody looked last; 0 = nobody did */
};

struct view_board *view_board_create(void)
{
    struct view_board *board = MEMORY_NEW(struct view_board);
    pthread_mutex_init(&board->lock, NULL);
    condition_init(&board->changed);
    return board;
}

void view_board_destroy(struct view_board *board)
{
    if (!board)
        return;
    worker_stop(board->worker);
    view_release(board->view);
    view_release(board->next);
    pthread_cond_destroy(&board->changed);
    pthread_mutex_destroy(&board->lock);
    free(board);
}

struct view *view_board_take(struct view_board *board, int64_t timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    pthread_mutex_lock(&board->lock);
    while (!board->view && condition_wait(&board->changed, &board->lock, until_ms))
        continue;
    struct view *view = board->view;
    if (view)
        view_acquire(view);
    pthread_mutex_unlock(&board->lock);
    return view;
}

bool view_board_has(struct view_board *board)
{
    pthread_mutex_lock(&board->lock);
    bool has = board->view || board->next;
    pthread_mutex_unlock(&board->lock);
    return has;
}

/* Put another view there, NULL = none. */
static void exchange(struct view_board *board, struct view *view)
{
    pthread_mutex_lock(&board->lock);
    struct view *before = board->view;
    board->view = view;
    pthread_cond_broadcast(&board->changed);
    pthread_mutex_unlock(&board->lock);
    view_release(before);
}

static struct view *take_next(struct view_board *board)
{
    pthread_mutex_lock(&board->lock);
    struct view *next = board->next;
    board->next = NULL;
    pthread_mutex_unlock(&board->lock);
    return next;
}

/* Arrange what was put last, with all that pages and lists begin with. */
static int64_t tick(void *context)
{
    struct view_board *board = context;
    struct view *next = take_next(board);
    if (!next)
        return -1;
    view_arrange(next);
    view_groups_prepare(next);
    view_resources_of(next);
    exchange(board, next);
    return 0;
}

bool view_board_ask(struct view_board *board)
{
    pthread_mutex_lock(&board->lock);
    board->asked_at_ms = clock_monotonic_ms();
    bool has = board->view || board->next;
    if (!board->worker)
        board->worker = worker_start("view", tick, NULL, board, -1);
    pthread_mutex_unlock(&board->lock);
    return has;
}

bool view_board_is_wanted(struct view_board *board)
{
    pthread_mutex_lock(&board->lock);
    int64_t asked_at_ms = board->asked_at_ms;
    pthread_mutex_unlock(&board->lock);
    bool wanted = asked_at_ms && clock_monotonic_ms() - asked_at_ms < WANTED_MS;
    if (!wanted)
        exchange(board, NULL);
    return wanted;
}

void view_board_put(struct view_board *board, struct view *view)
{
    pthread_mutex_lock(&board->lock);
    struct view *before = board->next;
    board->next = view;
    if (board->worker)
        worker_wake(board->worker);
    pthread_mutex_unlock(&board->lock);
    view_release(before);
}
