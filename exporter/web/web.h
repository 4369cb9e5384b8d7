#pragma once
/* The HTTP server: addresses, a table of routes, limits. libmicrohttpd is named in this room
 * only. */
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/metric.h"
#include "exporter/web/admission.h"
#include "exporter/web/gate.h"
#include "exporter/web/web_config.h"
#include "exporter/web/web_route.h"

struct web;

/* Bind every address and serve. Everything is copied but metrics, gate and admission (NULL =
 * everybody comes in), which outlive the server. ERROR_IO names the address that cannot be bound;
 * NULL then. */
struct web *web_start(const struct web_config *config, struct gate *gate,
                      struct admission *admission, const struct web_route *routes,
                      size_t route_count, struct metric_store *metrics,
                      struct error *error) MUST_USE;

/* Accept no more, let requests in flight finish for at most grace_ms, close. NULL is fine. */
void web_stop(struct web *web, int64_t grace_ms);

/* Where it really listens: "127.0.0.1:43210". */
const char *web_bound(const struct web *web, size_t index);
