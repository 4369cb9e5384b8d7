#pragma once
/* Which requests go through a proxy, as the usual environment variables say. Any thread. */
#include <stdbool.h>

/* Whether the HTTP library will use a proxy; it applies the same variables. HTTP_PROXY in capitals
 * is left out on purpose: a web server may have made it from a request header.
 * proxy: what the request says, NULL = the environment decides. */
bool proxy_is_used(const char *scheme, const char *host, const char *proxy);
