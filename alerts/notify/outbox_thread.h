#pragma once
/* Threads at receivers that have them, one of each dedup key of a lane: where it is, and which post
 * may have arrived or not. Written before a post, so that neither a kill nor a lost answer makes a
 * second one: the next attempt looks for it first. */
#include "alerts/receivers/receiver.h"
#include "alerts/store/database.h"

struct outbox_thread {
    const char *receiver;
    int target;
    char dedup_key[64];
    struct receiver_thread is;
};

/* Read one; with empty texts when there is none. */
bool outbox_thread_find(struct database *database, const char *receiver, int target,
                        const char *dedup_key, struct outbox_thread *thread,
                        struct error *error) MUST_USE;

/* Write it: in the transaction that is open, or in one of its own. */
bool outbox_thread_put(struct database *database, const struct outbox_thread *thread,
                       struct error *error) MUST_USE;
bool outbox_thread_save(struct database *database, const struct outbox_thread *thread,
                        struct error *error) MUST_USE;

/* Delete those no message is about any more. */
bool outbox_thread_prune(struct database *database, struct error *error) MUST_USE;
