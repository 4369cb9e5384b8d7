#pragma once
/* Events as log records. Pure: the same event gives the same bytes, however often it is pushed.
 * No owner, no caller and no tag is in them: the history has none.
 * source: OpenTelemetry semantic conventions 1.44.0: cloud, azure, security_rule, log. */
#include "alerts/ledger/event.h"
#include "core/buf.h"

/* Append one record to the items of a request (otlp_resource.h). portal: host of links; "" = none.
 */
void otlp_logs_append(struct buf *items, const struct event *event, const char *portal);

/* Append the table of what a record has, as Markdown. */
void otlp_logs_document(struct buf *out);
