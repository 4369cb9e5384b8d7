#pragma once
/* What a notification about one alert alone would say: for lists of alerts, which are not about any
 * receiver. */
#include "alerts/notify/settings.h"
#include "alerts/rules/notification.h"

struct notification_alone {
    const struct settings *settings;
    const struct snapshot *snapshot;
    struct database *database;
    int64_t now;
};

/* Its title, text and block, without the long texts of the catalogue. Texts go to the arena, the
 * alert stays borrowed. False only when the database failed. */
bool notification_alone(const struct notification_alone *alone, const struct alert *alert,
                        struct arena *arena, struct notification *notification,
                        struct error *error) MUST_USE;
