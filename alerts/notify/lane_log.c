#include "alerts/notify/lane_log.h"

#include "core/log.h"

void lane_log(const char *receiver, const char *id, const struct delivery_attempt *attempt,
              bool *failing)
{
    enum receiver_outcome outcome = attempt->verdict.outcome;
    bool explained = attempt->status && *attempt->verdict.text;
    const char *text = explained ? attempt->verdict.text : delivery_said(attempt);
    bool failed = outcome != RECEIVER_SENT;
    if (attempt->refused_count)
        log_warn(MSG("the relay refused recipients"), TEXT("receiver", receiver),
                 TEXT("message", id), INT("recipients", (int64_t)attempt->refused_count),
                 TEXT("err", attempt->refused));
    if (outcome == RECEIVER_REFUSED)
        log_error(MSG("a receiver refused a message"), TEXT("receiver", receiver),
                  TEXT("message", id), INT("status", attempt->status),
                  TEXT("reason", delivery_reason(attempt)), TEXT("err", text));
    else if (outcome == RECEIVER_DISABLED)
        log_error(MSG("a receiver wants no more messages: stopped until a reload"),
                  TEXT("receiver", receiver), INT("status", attempt->status), TEXT("err", text));
    else if (failed && !*failing)
        log_warn(MSG("cannot deliver, trying again"), TEXT("receiver", receiver),
                 TEXT("message", id), INT("status", attempt->status),
                 TEXT("reason", delivery_reason(attempt)), TEXT("err", text));
    else if (!failed && *failing)
        log_info(MSG("delivering again"), TEXT("receiver", receiver));
    else
        log_debug(MSG(failed ? "cannot deliver" : "delivered"), TEXT("receiver", receiver),
                  TEXT("message", id), INT("status", attempt->status));
    if (outcome == RECEIVER_SENT || outcome == RECEIVER_RETRY)
        *failing = failed;
}
