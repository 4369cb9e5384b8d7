#include "alerts/api/api_alerts.h"

#include <string.h>

struct own_walk {
    struct json_writer writer;
    const char *after; /* fingerprint to skip up to; NULL = it is passed */
    int64_t limit;
    char last[ALERT_FINGERPRINT_BYTES];
};

static bool visit_own(void *context, const struct alert *alert, struct error *error)
{
    struct own_walk *walk = context;
    if (walk->after) {
        if (!strcmp(walk->after, alert->fingerprint))
            walk->after = NULL;
        return true;
    }
    if (!walk->limit)
        return error_set(error, ERROR_LIMIT, "more");
    walk->limit--;
    memcpy(walk->last, alert->fingerprint, sizeof walk->last);
    alert_write(alert, &walk->writer, NULL);
    return true;
}

int api_alerts_answer_own(struct api_call *call)
{
    struct error error;
    struct own_walk walk = {
        .writer = { .out = call->out },
        .after = api_call_query(call, "after"),
        .limit = api_call_limit(call),
    };
    if (!walk.limit)
        return api_call_fail(call, 400, "limit must be a number from 1 on");
    json_open(&walk.writer, NULL, '{');
    json_open(&walk.writer, "alerts", '[');
    bool all = active_each(call->database, ALERT_STATE_COUNT, visit_own, &walk, &error);
    if (!all && error.code != ERROR_LIMIT)
        return api_call_error(call, &error);
    json_close(&walk.writer, ']');
    json_add_text(&walk.writer, "next", all ? NULL : walk.last);
    json_close(&walk.writer, '}');
    return 200;
}
