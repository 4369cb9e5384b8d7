#pragma once
/* One alert as Alertmanager's API tells it. */
#include "alerts/api/api_call.h"
#include "alerts/notify/notification_brief.h"
#include "alerts/notify/route.h"

/* Where an alert stands among routes, silences and inhibitions. */
struct api_alert_place {
    const struct route_leaf *leaves[ROUTE_LEAVES_MAX]; /* leaf_count of them, that are asked for */
    size_t leaf_count;
    const char *silence_id, *inhibitor; /* NULL = none */
    const char *labels;                 /* of the alert, as JSON; NULL = they have to be written */
    const char *ends;                   /* of one that fires, by api_alert_ends */
};

/* When what fires now is said to end, unless it is told again. */
void api_alert_ends(int64_t now, char ends[32]);

/* Append it with the texts that a notification about it alone would have; the alert gets these as
 * annotations. brief: for them. False only when the database failed. */
bool api_alert_append(const struct api_call *call, const struct snapshot *snapshot,
                      const struct api_alert_place *place, struct alert *alert,
                      struct notification_brief *brief, struct json_writer *writer,
                      struct error *error) MUST_USE;
