#pragma once
/* What is asked of resources: the evaluator asks about those whose findings it tells of, the source
 * that answers (collector.h) takes the questions, the answers travel in its part. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

enum {
    ASKED_WAITING_MAX = 300, /* on the board; the oldest give way to newer ones */
    ASKED_BEFORE_S = 86400,  /* an assessment may run a day after the change it tells of */
    ASKED_AFTER_S = 600,
};

/* Who changed this resource from a day before that instant to ten minutes after it? */
struct asked {
    const char *tenant;      /* of the finding's source */
    const char *resource_id; /* lower case, an id of Azure */
    int64_t at;              /* Unix seconds: when the finding opened or ended */
    int64_t not_before;      /* 0 = now */
};

/* Ids come from outside and go into queries: those that could end a text, and those of no
 * subscription, cannot be asked for. */
bool asked_is_safe(const char *resource_id);

/* Zeroed is ready to use; texts are its own. */
struct asked_list {
    struct asked *items;
    size_t count, capacity;
    struct arena arena;
};
void asked_list_add(struct asked_list *list, const struct asked *asked);
void asked_list_finish(struct asked_list *list);

/* Where questions wait. Any thread. */
struct asked_board;
struct asked_board *asked_board_create(void);
void asked_board_destroy(struct asked_board *board);

/* Add a question, copied; one that waits already goes before when it is due earlier. */
void asked_board_add(struct asked_board *board, const struct asked *asked);

/* Whether a question about this tenant is due. */
bool asked_board_waits(struct asked_board *board, const char *tenant, int64_t now);

/* Move at most so many that are due to a list, in the order they came. */
void asked_board_take(struct asked_board *board, const char *tenant, int64_t now, size_t most,
                      struct asked_list *list);
