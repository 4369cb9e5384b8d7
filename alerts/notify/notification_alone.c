#include "alerts/notify/notification_alone.h"

#include "alerts/notify/notification_settings.h"

bool notification_alone(const struct notification_alone *alone, const struct alert *alert,
                        struct arena *arena, struct notification *notification, struct error *error)
{
    const struct settings *settings = alone->settings;
    const struct rule *rule = rule_find(settings->rules, alert->rule);
    struct notification_context context = notification_settings(settings);
    context.snapshot = alone->snapshot;
    context.database = alone->database;
    context.now = alone->now;
    const struct notification_subject subject = {
        .receiver = "",
        .group_key = "",
        .event = alert->event,
        .alerts = alert,
        .alert_count = 1,
        .firing_count = 1,
        .title = rule ? rule->title : NULL,
        .text = rule ? rule->text : NULL,
        .episode = alert->episode,
        .brief = !rule || !rule->text,
        .words = !rule || (!rule->title && !rule->text),
    };
    return notification_build(&context, &subject, arena, notification, error);
}
