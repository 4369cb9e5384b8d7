#pragma once
/* What to do with a request of metrics that is too large for a receiver. Pure. */
#include "exporter/otlp/otlp_metrics.h"

/* Put two halves into the place of a packet; those to come are not larger than they are. False:
 * there is nothing to divide. */
bool otlp_halve(struct otlp_metrics *metrics, size_t index) MUST_USE;
