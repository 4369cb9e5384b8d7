#include "collectors/snapshot/proof.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct waiting {
    char *key; /* of the source */
    struct proof_questions *questions;
};

struct proof_board {
    pthread_mutex_t lock;
    struct waiting *waiting;
    size_t count, capacity;
};

void proof_questions_destroy(struct proof_questions *questions)
{
    if (!questions)
        return;
    arena_finish(&questions->arena);
    free(questions);
}

/* --- answers ---------------------------------------------------------------------------------- */
void proof_answers_add(struct proof_answers *answers, const struct finding_id *id,
                       enum proof_answer answer)
{
    MEMORY_GROW(answers->items, answers->count, answers->capacity);
    answers->items[answers->count++] = (struct proof){ *id, answer };
}

enum proof_answer proof_answers_find(const struct proof_answers *answers,
                                     const struct finding_id *id)
{
    for (size_t i = 0; i < answers->count; i++)
        if (!finding_id_compare(&answers->items[i].id, id))
            return answers->items[i].answer;
    return PROOF_NOT_ASKED;
}

void proof_answers_finish(struct proof_answers *answers)
{
    free(answers->items);
    *answers = (struct proof_answers){ 0 };
}

/* --- the board -------------------------------------------------------------------------------- */
struct proof_board *proof_board_create(void)
{
    struct proof_board *board = MEMORY_NEW(struct proof_board);
    pthread_mutex_init(&board->lock, NULL);
    return board;
}

void proof_board_destroy(struct proof_board *board)
{
    if (!board)
        return;
    for (size_t i = 0; i < board->count; i++) {
        proof_questions_destroy(board->waiting[i].questions);
        free(board->waiting[i].key);
    }
    free(board->waiting);
    pthread_mutex_destroy(&board->lock);
    free(board);
}

/* Put these questions in the place of those that wait, which are returned. */
static struct proof_questions *swap(struct proof_board *board, const char *key,
                                    struct proof_questions *questions)
{
    for (size_t i = 0; i < board->count; i++) {
        struct waiting *waiting = &board->waiting[i];
        if (strcmp(waiting->key, key) != 0)
            continue;
        struct proof_questions *before = waiting->questions;
        waiting->questions = questions;
        return before;
    }
    if (!questions)
        return NULL;
    MEMORY_GROW(board->waiting, board->count, board->capacity);
    board->waiting[board->count++] = (struct waiting){ memory_copy(key), questions };
    return NULL;
}

void proof_board_ask(struct proof_board *board, const struct source *source,
                     struct proof_questions *questions)
{
    pthread_mutex_lock(&board->lock);
    struct proof_questions *before = swap(board, source->key, questions);
    pthread_mutex_unlock(&board->lock);
    proof_questions_destroy(before);
}

struct proof_questions *proof_board_take(struct proof_board *board, const struct source *source)
{
    pthread_mutex_lock(&board->lock);
    struct proof_questions *questions = swap(board, source->key, NULL);
    pthread_mutex_unlock(&board->lock);
    return questions;
}
