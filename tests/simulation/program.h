#pragma once
/* The process that lives are forks of, as the world has it: started once, ended at the end, and
 * what goes over the wire between. Who cannot reach it ends. */
#include "core/buf.h"
#include "stage.h"

/* Run the program in its folder; page: the descriptor of the stage. */
void program_begin(const char *folder, const char *program, int page);
void program_end(void);

void program_live(void); /* begin the next life */

/* Wait for what a life asks, or that it is over. asked: empty, is filled. */
void program_hear(struct stage_question *question, struct buf *asked);
void program_answer(const struct stage_answer *answer, const struct buf *headers,
                    const struct buf *body);
