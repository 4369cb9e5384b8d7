#pragma once
/* Reports that are sent by themselves. When one is due next is kept in the store; it goes into the
 * outbox in the transaction that moves that on: it is sent surely, and once.
 *
 * A report that was due while nobody was here is sent when somebody is, one for all that were
 * missed, and looks back from the first of them. One that is due before every source was asked, at
 * a start or after a sleep, waits for it a quarter of an hour; then it says what is lacking.
 * Another schedule counts from when it is seen, but what was due by the one before is sent. A clock
 * that steps back by less than a day repeats nothing; what was decided more than a day ahead of now
 * was decided by a clock that was wrong, and counts for nothing. */
#include "alerts/notify/group.h"

/* Queue what is due. next_at: when to come again, 0 = never. In the evaluator's transaction. */
bool reports_advance(const struct group_context *context, struct snapshot *snapshot,
                     int64_t *next_at, struct error *error) MUST_USE;
