#pragma once
/* PagerDuty Events API v2: trigger and resolve; change events for ruler.changed and exemptions.
 * source: PagerDuty Events API v2, "Send an alert event" and "Send a change event". */
#include "alerts/receivers/receiver.h"

enum pagerduty_region { PAGERDUTY_US, PAGERDUTY_EU };

struct pagerduty_config {
    struct receiver_http http;
    struct secret routing_key; /* 32 characters */
    int region;
    const char *url; /* base, NULL = the region's; for relays and tests */
    bool change_events;
    struct option_pairs severity_map; /* risk word -> critical error warning info */
};
extern const struct option pagerduty_options[];
extern const struct receiver_kind pagerduty_kind;
