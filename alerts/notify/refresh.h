#pragma once
/* Notifications a lane accepted that still hold, or did until lately: they are sent again, outside
 * the outbox, to receivers that forget an alert without that. Round by round: one that is refused
 * holds up no other, and where the receiver is busy the round goes on behind that one, soon. */
#include "alerts/notify/outbox.h"
#include "alerts/rules/notification.h"

/* Whose they are. refresh_s: from the beginning of a round to that of the next. */
struct refresh_lane {
    struct database *database;
    const char *receiver;
    int target;
    int64_t refresh_s;
};

/* Where a lane is in it; all 0 at first. */
struct refresh_round {
    char after[OUTBOX_ID_BYTES]; /* the message to go on behind; "" = a new round */
    int64_t began_at, due_at;
    bool failing;
};

/* Called with one notification, reduced to the alerts that are still as it says. False: it was not
 * taken; with a transient error the round stops there. */
typedef bool refresh_visit(void *context, struct notification *notification, struct error *error);

/* Visit the latest accepted notification of each alert that fires, or resolved after `since`, from
 * behind the message `after`; its texts are gone after the visit. False: one was not taken, or the
 * database failed. after: where it stopped, "" when it is through. */
bool refresh_each(const struct refresh_lane *lane, int64_t since, char after[OUTBOX_ID_BYTES],
                  refresh_visit *visit, void *context, struct error *error) MUST_USE;

/* A round, or the rest of it, when it is due; says in the log when it begins to fail, and when one
 * went through again. */
void refresh_run(const struct refresh_lane *lane, struct refresh_round *round, int64_t now,
                 refresh_visit *visit, void *context);
