#pragma once
/* Answers what is asked about resources: one run of a source of COLLECTOR_ANSWERS. A run takes what
 * waits, at most a hundred questions, and asks Resource Graph once for all of them and the log of
 * each that is left, so many times at most. */
#include "collectors/run/collect.h"
#include "collectors/snapshot/asked.h"

/* What is kept between runs. Zeroed is ready to use. */
struct answer_memory {
    struct intern refused; /* subscriptions whose log may not be read */
    int64_t refused_at;    /* when the first of them said so; then it is tried again after a day */
    bool told;             /* that this is so is in the log of the program */
};
void answer_memory_finish(struct answer_memory *memory);

/* Run it; without questions it goes on with what is known. Rows of Azure are minutes late: what is
 * asked within a quarter of an hour is asked once more. False and *error: nothing can be published,
 * and what was asked waits for the next run. The log alone fails no run. */
bool answer_run(const struct source *source, const struct variant *variant,
                struct arm_session *session, const struct collect_context *context,
                struct asked_board *board, struct answer_memory *memory,
                struct collect_result *result, struct error *error) MUST_USE;
