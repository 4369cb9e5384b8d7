#pragma once
/* Who may act on the service, and who did. */
#include "alerts/alerting.h"
#include "exporter/config.h"

/* Say who can write, when that is something new. before: NULL = nothing was said yet. */
void service_audit_writers(const struct config *before, const struct config *config);

/* Note a reload, with the first line of what came of it. alerting: NULL = nothing can be kept: it
 * is counted and logged at once, and nobody is told. */
void service_audit_reload(struct alerting *alerting, struct metric_store *metrics, bool ok,
                          const struct audit_by *by, const char *text);
