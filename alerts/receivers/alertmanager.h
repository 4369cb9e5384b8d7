#pragma once
/* Alertmanager v2 as target: every replica is a lane of its own; firing alerts are sent again every
 * minute with an endsAt that rolls on, resolved ones for fifteen. source: Alertmanager API v2,
 * api/v2/openapi.yaml, and "Alerts API" for clients. And its own webhook body, version 4, for
 * receivers that know it. source: Alertmanager configuration, webhook_config. */
#include "alerts/receivers/receiver.h"

enum { ALERTMANAGER_ALERTS_MAX = 64 };

struct alertmanager_config {
    struct receiver_http http;
    struct option_texts urls; /* bases; at most RECEIVER_TARGETS_MAX */
};
extern const struct option alertmanager_options[];
extern const struct receiver_kind alertmanager_kind;

/* Append the webhook body of a notification. max_alerts: 0 = all. */
void alertmanager_write_group(const struct notification *notification, const char *receiver,
                              size_t max_alerts, struct buf *out);
