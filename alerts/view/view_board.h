#pragma once
/* Where the evaluator puts a view, and who shows it takes it. A thread of its own arranges it, and
 * makes what pages and lists begin with: the evaluator does not wait for that. A view is made only
 * while somebody looks: it takes memory and time. Any thread. */
#include "alerts/view/view.h"

struct view_board;

struct view_board *view_board_create(void);
void view_board_destroy(struct view_board *board); /* NULL is fine */

/* Somebody looks: from now on there is a view for a while. Whether there is one already, or one is
 * being arranged. */
bool view_board_ask(struct view_board *board);

/* The view as it is, with a reference; NULL: there is none yet, and none came within timeout_ms. */
struct view *view_board_take(struct view_board *board, int64_t timeout_ms);

/* Whether there is a view already, or one to be arranged. */
bool view_board_has(struct view_board *board);

/* Whether somebody has looked lately; else what there is is forgotten. */
bool view_board_is_wanted(struct view_board *board);

/* Put a view there that is not arranged; it is owned from now on. */
void view_board_put(struct view_board *board, struct view *view);
