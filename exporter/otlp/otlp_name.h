#pragma once
/* What a metric is called in OpenTelemetry, so that Prometheus, which translates names and units
 * back, gives it the name a scrape has. Pure.
 * source: OpenTelemetry specification, Prometheus and OpenMetrics Compatibility; Prometheus,
 * otlptranslator. */
#include "core/metric.h"

enum { OTLP_NAME_BYTES = 160 };

struct otlp_name {
    char name[OTLP_NAME_BYTES]; /* defender_findings_opened_total: "defender.findings.opened" */
    const char *unit;           /* UCUM: "s", "By", "1", "{finding}"; "" = none */
};

struct otlp_name otlp_name_of(const struct family *family);
