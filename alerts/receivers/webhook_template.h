#pragma once
/* A webhook's body written by the operator: a template that makes JSON (template.h). It is tried on
 * every sample when the configuration is read, whole and shrunk. A message that is too large is
 * shrunk as for every receiver; what is no JSON all the same is not sent. */
#include "alerts/receivers/webhook.h"

void webhook_template_check(const struct webhook_config *config, const char *file,
                            struct option_report *report);

/* Append the body. ERROR_LIMIT when even the least does not fit, ERROR_CONFIG when it is no JSON.
 */
bool webhook_template_build(const struct webhook_config *config, struct notification *notification,
                            struct receiver_request *request, struct error *error) MUST_USE;
