#include "alerts/notify/notification_settings.h"

struct notification_context notification_settings(const struct settings *settings)
{
    return (struct notification_context){
        .rules = settings->rules,
        .never = silence_limits_never(settings->silence_limits),
        .tenant_id = settings->tenant_id,
        .portal = settings->portal,
        .external_url = settings->external_url,
        .config_file = settings->config_file,
        .requesters = settings->config->exemption_requesters,
    };
}
