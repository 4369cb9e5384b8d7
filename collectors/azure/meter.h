#pragma once
/* Metrics of the exporter's own calls to Azure: requests, durations, throttling, quota.
 * Any thread. */
#include <stdint.h>

#include "core/metric.h"

/* The `api` label. */
#define METER_GRAPH "graph"
#define METER_LIST "list"
#define METER_HUNTING "hunting"
#define METER_DEFENDER "defender"
#define METER_TOKEN "token"

extern const struct family_3 meter_requests;
extern const struct family_2 meter_durations, meter_throttled, meter_quota, meter_backoff;
extern const struct family_1 meter_token_expiry;

/* Where the calls to one tenant are counted. */
struct meter {
    struct metric_store *metrics;
    const char *tenant_id; /* "" = not known */
};

/* Every counter of an api at 0. */
void meter_declare(const struct meter *meter, const char *api);

/* A request has ended. status: HTTP, 0 = no answer. */
void meter_request(const struct meter *meter, const char *api, int status, int64_t duration_ms);

/* Time spent waiting for quota, Retry-After or the next try. */
void meter_waited(const struct meter *meter, const char *api, int64_t duration_ms);
