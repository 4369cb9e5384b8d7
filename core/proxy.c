#include "core/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *environment(const char *name, const char *other_name)
{
    const char *value = getenv(name);
    if (!value || !*value)
        value = getenv(other_name);
    return value && *value ? value : NULL;
}

/* True when a name stands in NO_PROXY, itself or as a domain above it. */
static bool is_proxy_exempt(const char *host)
{
    const char *list = environment("no_proxy", "NO_PROXY");
    size_t host_length = strlen(host);
    while (list && *list) {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ", \t");
        const char *entry = list;
        list += length;
        if (length == 1 && *entry == '*')
            return true;
        while (length && *entry == '.') {
            entry++;
            length--;
        }
        if (length && length <= host_length &&
            !strncasecmp(host + host_length - length, entry, length) &&
            (length == host_length || host[host_length - length - 1] == '.'))
            return true;
    }
    return false;
}

bool proxy_is_used(const char *scheme, const char *host, const char *proxy)
{
    bool encrypted = !strcmp(scheme, "https");
    bool configured = proxy       ? *proxy != 0
                      : encrypted ? environment("https_proxy", "HTTPS_PROXY") != NULL
                                  : environment("http_proxy", "http_proxy") != NULL;
    if (!configured && !proxy)
        configured = environment("all_proxy", "ALL_PROXY") != NULL;
    return configured && !is_proxy_exempt(host);
}
