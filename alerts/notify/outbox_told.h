#pragma once
/* Who was told that an alert fires: its end is sent to nobody else. That is who accepted its firing
 * last; or, of an alert that moved to this lane without a word, where the lane was told nothing of
 * it, somebody else whom nobody told of its end. */
#include "alerts/notify/outbox.h"

/* Whether this lane is to tell that this alert is over. */
bool outbox_told(struct database *database, const char *receiver, int target,
                 const struct alert *alert, bool *told, struct error *error) MUST_USE;

/* Whether its lane is to tell so of any alert of a message. */
bool outbox_told_any(struct database *database, const struct outbox_message *message, bool *told,
                     struct error *error) MUST_USE;
