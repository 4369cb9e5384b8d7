#pragma once
/* Whether resources still exist: the evaluator asks about findings whose rows are missing, the
 * runner of their source asks Azure at the end of its next run, the answers travel in the part. */
#include <stddef.h>
#include <stdint.h>

#include "collectors/snapshot/finding.h"
#include "core/arena.h"

enum { PROOF_QUESTIONS_MAX = 400 }; /* with their witnesses they fit into one query */

enum proof_answer {
    PROOF_NOT_ASKED,
    PROOF_NONE,   /* asked, and nothing is proved */
    PROOF_EXISTS, /* the resource is there */
    PROOF_DELETED /* it is not, and another of its kind is */
};

struct proof_question {
    struct finding_id id;
    const char *resource_id, *resource_type, *subscription_id; /* lower case; in the arena */
};

/* What the evaluator wants to know of one source, the most urgent first. */
struct proof_questions {
    struct arena arena;
    struct proof_question items[PROOF_QUESTIONS_MAX];
    size_t count;
};
void proof_questions_destroy(struct proof_questions *questions); /* NULL is fine */

/* The answers of one run. Zeroed is ready to use. */
struct proof_answers {
    struct proof {
        struct finding_id id;
        enum proof_answer answer;
    } *items;
    size_t count, capacity;
};
void proof_answers_add(struct proof_answers *answers, const struct finding_id *id,
                       enum proof_answer answer);
enum proof_answer proof_answers_find(const struct proof_answers *answers,
                                     const struct finding_id *id);
void proof_answers_finish(struct proof_answers *answers);

/* Where questions wait for the next run of their source. Any thread. */
struct proof_board;
struct proof_board *proof_board_create(void);
void proof_board_destroy(struct proof_board *board);

/* Replace what is asked of a source. questions: owned from now on; NULL = nothing. */
void proof_board_ask(struct proof_board *board, const struct source *source,
                     struct proof_questions *questions);

/* What waits for a source, NULL when nothing does; the caller's from now on. */
struct proof_questions *proof_board_take(struct proof_board *board, const struct source *source);
