#include "alerts/notify/notice.h"

bool notice_queue(const struct group_context *context, const struct receivers_config *receiver,
                  const struct notification *notification, struct error *error)
{
    const struct outbox_member member = {
        .fingerprint = notification->alerts->fingerprint,
        .event = notification->event,
        .status = notification->status,
        .episode = 1,
    };
    return outbox_add(context->database, context->clock, notification, receivers_targets(receiver),
                      &member, 1, settings_expires_s(receiver), context->now, error);
}
