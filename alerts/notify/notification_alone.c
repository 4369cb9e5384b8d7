#include "alerts/notify/notification_alone.h"

#include "alerts/notify/notification_build.h"

bool notification_alone(const struct notification_alone *alone, const struct alert *alert,
                        struct arena *arena, struct notification *notification, struct error *error)
{
    const struct settings *settings = alone->settings;
    const struct rule *rule = rule_find(settings->rules, alert->rule);
    const struct notification_context context = {
        .snapshot = alone->snapshot,
        .database = alone->database,
        .rules = settings->rules,
        .tenant_id = settings->tenant_id,
        .portal = settings->portal,
        .requesters = settings->config->exemption_requesters,
        .external_url = settings->external_url,
        .config_file = settings->config_file,
        .now = alone->now,
    };
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
