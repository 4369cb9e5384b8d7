#pragma once
/* Who pushes: the resource and the scope that every request begins with, packed once. Pure.
 * source: OpenTelemetry semantic conventions 1.44.0, service, cloud. */
#include "core/buf.h"
#include "exporter/otlp/otlp_config.h"

struct otlp_resource {
    struct buf resource, scope; /* messages */
};

/* instance: stays the same as long as what is kept does. What the configuration cannot be read as
 * is left out: it was checked. */
void otlp_resource_init(struct otlp_resource *resource, const struct otlp_config *config,
                        const char *instance);
void otlp_resource_finish(struct otlp_resource *resource);

/* A whole request of items: metrics or log records, each appended to `items` as this field. */
enum { OTLP_ITEM_FIELD = 2 };
void otlp_resource_request(const struct otlp_resource *resource, const struct buf *items,
                           struct buf *request);
