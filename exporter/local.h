#pragma once
/* What a command shows of one collection of its own, kept in memory alone: for who has no running
 * exporter. */
#include "alerts/view/view_table.h"
#include "exporter/flags.h"

/* What came of it. */
struct local_rows {
    struct buf lines;   /* of JSON, as the API writes them */
    struct buf lacking; /* what is not in them, and why; a sentence a line; empty = nothing */
};

/* Collect once with the configuration of the flags, and write the rows that filter, order and limit
 * let through. Says on standard error how far it is, where that is a terminal. False and *error:
 * ERROR_CONFIG, also after a wrong configuration was told of; any other when nothing could be
 * collected. */
bool local_ask(const struct flags *flags, const struct view_table *table, struct local_rows *rows,
               struct error *error) MUST_USE;
void local_finish(struct local_rows *rows);
