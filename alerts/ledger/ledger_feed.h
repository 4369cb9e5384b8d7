#pragma once
/* Somebody who reads the history as it grows, and whose place in it outlives a restart: a cursor,
 * the number of the last event that needs nothing more. Pruning does not wait for it: what is gone
 * before it was read is counted. Any thread with its own database handle. */
#include "alerts/ledger/ledger.h"

struct ledger_feed {
    const char *name; /* of the reader; a word */
    int64_t cursor;
};

/* Find the reader's place; one who is new begins behind what is recorded now. */
bool ledger_feed_open(struct ledger_feed *feed, struct database *database,
                      struct error *error) MUST_USE;

/* Step over what was deleted before it was read. *lost: how many events that were. */
bool ledger_feed_skip(struct ledger_feed *feed, struct database *database, int64_t *lost,
                      struct error *error) MUST_USE;

/* Walk up to limit events behind the cursor, which stays: once they are done with, move it to
 * *last. */
bool ledger_feed_read(const struct ledger_feed *feed, struct database *database,
                      const struct source_list *sources, int64_t limit, ledger_visit *visit,
                      void *context, int64_t *last, struct error *error) MUST_USE;

/* Move the cursor, durably. */
bool ledger_feed_move(struct ledger_feed *feed, struct database *database, int64_t last,
                      struct error *error) MUST_USE;

/* How many events are behind the cursor. */
bool ledger_feed_waiting(const struct ledger_feed *feed, struct database *database,
                         int64_t *waiting, struct error *error) MUST_USE;
