#pragma once
/* PagerDuty Events API v2: an incident for each alert or for each group, triggered and resolved;
 * change events for what nobody must get up for.
 * source: PagerDuty Events API v2, "Send an alert event" and "Send a change event". */
#include "alerts/receivers/receiver.h"

enum pagerduty_region { PAGERDUTY_US, PAGERDUTY_EU };
enum pagerduty_dedup { PAGERDUTY_BY_FINDING, PAGERDUTY_BY_GROUP };

struct pagerduty_config {
    struct receiver_http http;
    struct secret routing_key; /* 32 characters */
    int region, dedup;
    const char *url; /* base, NULL = the region's; for relays and tests */
    int url_line;
    bool change_events;
    struct option_pairs severity_map; /* risk word -> critical error warning info */
};
extern const struct option pagerduty_options[];
extern const struct receiver_kind pagerduty_kind;
