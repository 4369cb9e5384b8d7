#include "collectors/azure/meter.h"

#include <stdio.h>

#include "core/compiler.h"

static const double duration_buckets[] = { 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 };

const struct family_3 meter_requests = {
    .name = "defender_exporter_azure_requests_total",
    .help = "Requests sent to Azure by status code; error is no answer.",
    .type = METRIC_COUNTER,
    LABELS("api", "code", "tenant_id"),
};
const struct family_2 meter_durations = {
    .name = "defender_exporter_azure_request_duration_seconds",
    .help = "Time from sending a request to Azure to the end of its answer.",
    .unit = "seconds",
    .type = METRIC_HISTOGRAM,
    LABELS("api", "tenant_id"),
    .buckets = duration_buckets,
    .bucket_count = ARRAY_COUNT(duration_buckets),
};
const struct family_2 meter_throttled = {
    .name = "defender_exporter_azure_throttled_total",
    .help = "Answers with status 429, too many requests.",
    .type = METRIC_COUNTER,
    LABELS("api", "tenant_id"),
};
const struct family_2 meter_quota = {
    .name = "defender_exporter_azure_quota_remaining",
    .help = "Requests that Azure said are left before it throttles.",
    .type = METRIC_GAUGE,
    LABELS("api", "tenant_id"),
};
const struct family_2 meter_backoff = {
    .name = "defender_exporter_azure_backoff_seconds_total",
    .help = "Time spent waiting for quota, Retry-After or the next try.",
    .unit = "seconds",
    .type = METRIC_COUNTER,
    LABELS("api", "tenant_id"),
};
const struct family_1 meter_token_expiry = {
    .name = "defender_exporter_azure_token_expiry_timestamp_seconds",
    .help = "When the access token in use expires.",
    .unit = "seconds",
    .type = METRIC_GAUGE,
    LABELS("tenant_id"),
};

void meter_declare(const struct meter *meter, const char *api)
{
    metric_declare(meter->metrics, &meter_requests, METRIC_LABELS(api, "200", meter->tenant_id));
    metric_declare(meter->metrics, &meter_requests, METRIC_LABELS(api, "error", meter->tenant_id));
    metric_declare(meter->metrics, &meter_durations, METRIC_LABELS(api, meter->tenant_id));
    metric_declare(meter->metrics, &meter_throttled, METRIC_LABELS(api, meter->tenant_id));
    metric_declare(meter->metrics, &meter_backoff, METRIC_LABELS(api, meter->tenant_id));
}

void meter_request(const struct meter *meter, const char *api, int status, int64_t duration_ms)
{
    char code[12];
    snprintf(code, sizeof code, "%d", status);
    metric_count(meter->metrics, &meter_requests, 1,
                 METRIC_LABELS(api, status ? code : "error", meter->tenant_id));
    metric_observe(meter->metrics, &meter_durations, (double)duration_ms / 1000,
                   METRIC_LABELS(api, meter->tenant_id));
    if (status == 429)
        metric_count(meter->metrics, &meter_throttled, 1, METRIC_LABELS(api, meter->tenant_id));
}

void meter_waited(const struct meter *meter, const char *api, int64_t duration_ms)
{
    if (duration_ms > 0)
        metric_count(meter->metrics, &meter_backoff, (double)duration_ms / 1000,
                     METRIC_LABELS(api, meter->tenant_id));
}
