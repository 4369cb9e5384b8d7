#pragma once
/* Managed identities: of a virtual machine (IMDS), of App Service, of a machine of Azure Arc.
 * source: Microsoft Learn, managed identities; Azure Arc-enabled servers. */
#include "reply.h"

void platform_local(struct request *request, struct reply *reply); /* IMDS and Azure Arc */
void platform_app_service(struct request *request, struct reply *reply);
