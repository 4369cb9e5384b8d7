#include "collectors/snapshot/asked.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* A question with texts of its own. */
struct waiting {
    char *tenant, *resource_id;
    int64_t at, not_before;
};

struct asked_board {
    pthread_mutex_t lock;
    struct waiting waiting[ASKED_WAITING_MAX]; /* in the order they came */
    size_t count;
};

bool asked_is_safe(const char *resource_id)
{
    if (strncmp(resource_id, "/subscriptions/", strlen("/subscriptions/")) != 0)
        return false;
    for (const char *c = resource_id; *c; c++)
        if (*c == '\'' || *c == '"' || *c == '\\' || (unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return true;
}

/* --- lists ------------------------------------------------------------------------------------ */
void asked_list_add(struct asked_list *list, const struct asked *asked)
{
    MEMORY_GROW(list->items, list->count, list->capacity);
    struct asked *kept = &list->items[list->count++];
    *kept = *asked;
    kept->tenant = arena_text(&list->arena, asked->tenant);
    kept->resource_id = arena_text(&list->arena, asked->resource_id);
}

void asked_list_finish(struct asked_list *list)
{
    free(list->items);
    arena_finish(&list->arena);
    *list = (struct asked_list){ 0 };
}

/* --- the board -------------------------------------------------------------------------------- */
struct asked_board *asked_board_create(void)
{
    struct asked_board *board = MEMORY_NEW(struct asked_board);
    pthread_mutex_init(&board->lock, NULL);
    return board;
}

static void take_down(struct asked_board *board, size_t place)
{
    free(board->waiting[place].tenant);
    free(board->waiting[place].resource_id);
    board->count--;
    memmove(board->waiting + place, board->waiting + place + 1,
            (board->count - place) * sizeof *board->waiting);
}

void asked_board_destroy(struct asked_board *board)
{
    if (!board)
        return;
    while (board->count)
        take_down(board, board->count - 1);
    pthread_mutex_destroy(&board->lock);
    free(board);
}

static bool is_same(const struct waiting *waiting, const struct asked *asked)
{
    return waiting->at == asked->at && !strcmp(waiting->tenant, asked->tenant) &&
           !strcmp(waiting->resource_id, asked->resource_id);
}

void asked_board_add(struct asked_board *board, const struct asked *asked)
{
    size_t place = 0;
    pthread_mutex_lock(&board->lock);
    while (place < board->count && !is_same(&board->waiting[place], asked))
        place++;
    if (place < board->count) {
        struct waiting *known = &board->waiting[place];
        if (asked->not_before < known->not_before)
            known->not_before = asked->not_before;
    } else {
        if (board->count == ASKED_WAITING_MAX)
            take_down(board, 0);
        board->waiting[board->count++] = (struct waiting){
            memory_copy(asked->tenant),
            memory_copy(asked->resource_id),
            asked->at,
            asked->not_before,
        };
    }
    pthread_mutex_unlock(&board->lock);
}

static bool is_due(const struct waiting *waiting, const char *tenant, int64_t now)
{
    return waiting->not_before <= now && !strcmp(waiting->tenant, tenant);
}

bool asked_board_waits(struct asked_board *board, const char *tenant, int64_t now)
{
    bool any = false;
    pthread_mutex_lock(&board->lock);
    for (size_t i = 0; i < board->count && !any; i++)
        any = is_due(&board->waiting[i], tenant, now);
    pthread_mutex_unlock(&board->lock);
    return any;
}

void asked_board_take(struct asked_board *board, const char *tenant, int64_t now, size_t most,
                      struct asked_list *list)
{
    pthread_mutex_lock(&board->lock);
    for (size_t i = 0; i < board->count && most;) {
        const struct waiting *waiting = &board->waiting[i];
        if (!is_due(waiting, tenant, now)) {
            i++;
            continue;
        }
        asked_list_add(list, &(struct asked){ waiting->tenant, waiting->resource_id, waiting->at,
                                              waiting->not_before });
        take_down(board, i);
        most--;
    }
    pthread_mutex_unlock(&board->lock);
}
