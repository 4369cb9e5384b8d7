#include "exporter/web/permit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HOST_BYTES = 64, PORT_MAX = 65535 };

static const struct {
    int status;
    const char *text;
} answers[PERMIT_COUNT] = {
    [PERMIT_READ_ONLY] = { 403, "nobody may write: the server runs with --web.read-only" },
    [PERMIT_CROSS_SITE] = { 403, "another site's page may not write: write from the server's own "
                                 "pages, or with a client that is no browser" },
    [PERMIT_NOT_JSON] = { 415, "Content-Type must be application/json" },
    [PERMIT_NO_LOGIN] = { 403, "only users may write: log in as one with the right `write`" },
    [PERMIT_READER] = { 403, "this user may only read: give the right `write` in web.users" },
    [PERMIT_EXTERNAL_URL] = { 403, "without users nobody may write over the network when there is "
                                   "an external URL: name users in --web.config.file, or write "
                                   "over a unix socket" },
    [PERMIT_REMOTE] = { 403, "without users only this machine may write: name users in "
                             "--web.config.file, or write from there" },
    [PERMIT_PROXY] = { 403, "without users nobody may write through a proxy: name users in "
                            "--web.config.file, or write from this machine itself" },
    [PERMIT_HOST] = { 403, "without users the Host of a write must be localhost, 127.0.0.1 or "
                           "[::1]: write to that, or name users in --web.config.file" },
};

int permit_status(enum permit permit)
{
    return answers[permit].status;
}

const char *permit_text(enum permit permit)
{
    return answers[permit].text;
}

/* --- peers ---------------------------------------------------------------------------------- */

static bool is_loopback_4(const unsigned char bytes[4])
{
    return bytes[0] == 127;
}

bool permit_is_loopback(const struct sockaddr *peer)
{
    if (peer && peer->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const void *)peer;
        return is_loopback_4((const unsigned char *)&four->sin_addr);
    }
    if (peer && peer->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(six) ||
               (IN6_IS_ADDR_V4MAPPED(six) && is_loopback_4(six->s6_addr + 12));
    }
    return false;
}

/* A prefix where the name ends in *. */
static const char *const forwarding[] = {
    "Forwarded*",          "X-Forwarded*",   "X-Real-IP",  "Via",
    "X-Original-*",        "X-Client-IP",    "Client-IP",  "True-Client-IP",
    "X-Cluster-Client-IP", "X-Envoy-*",      "CF-*",       "Fastly-*",
    "X-Azure-*",           "X-ProxyUser-Ip", "X-Remote-*", "X-ARR-*",
};

bool permit_is_forwarding(const char *name)
{
    for (size_t i = 0; i < sizeof forwarding / sizeof *forwarding; i++) {
        size_t length = strlen(forwarding[i]);
        bool prefix = forwarding[i][length - 1] == '*';
        if (prefix ? !strncasecmp(name, forwarding[i], length - 1)
                   : !strcasecmp(name, forwarding[i]))
            return true;
    }
    return false;
}

/* --- Host ----------------------------------------------------------------------------------- */

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= 5 && !text[digits] && atoi(text) <= PORT_MAX;
}

/* The host without its port and brackets; false when it is none. */
static bool split_host(const char *text, char host[HOST_BYTES], bool *bracketed)
{
    *bracketed = *text == '[';
    const char *begin = text + *bracketed;
    size_t length = strcspn(begin, *bracketed ? "]" : ":");
    const char *rest = begin + length;
    if (length >= HOST_BYTES || (*bracketed && *rest++ != ']'))
        return false;
    memcpy(host, begin, length);
    host[length] = 0;
    return !*rest || (*rest == ':' && is_port(rest + 1));
}

/* Whether no other machine can have this name: one that is resolved could be bound to anything. */
static bool is_local_host(const char *text)
{
    char host[HOST_BYTES];
    struct in6_addr six;
    struct in_addr four;
    bool bracketed;
    if (!text || !split_host(text, host, &bracketed))
        return false;
    if (bracketed)
        return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
    return !strcasecmp(host, "localhost") ||
           (inet_pton(AF_INET, host, &four) == 1 && is_loopback_4((const unsigned char *)&four));
}

bool permit_is_local_url(const char *url)
{
    char authority[HOST_BYTES];
    const char *begin = strstr(url, "://");
    size_t length = begin ? strcspn(begin + 3, "/") : sizeof authority;
    if (length >= sizeof authority)
        return false;
    memcpy(authority, begin + 3, length);
    authority[length] = 0;
    return is_local_host(authority);
}

/* --- pages ---------------------------------------------------------------------------------- */

/* Whether an origin is that of a URL, which may go on behind it. */
static bool is_origin_of(const char *origin, const char *url)
{
    size_t length = strlen(origin);
    return !strncasecmp(origin, url, length) && (!url[length] || url[length] == '/');
}

/* Whether a browser says that the page is not ours. Over TLS a page without it is not ours either;
 * without TLS a proxy may have ended it. */
static bool is_cross_site(const struct permit_facts *facts)
{
    const char *site = facts->fetch_site, *origin = facts->origin;
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return true;
    if (!origin || (facts->external_url && is_origin_of(origin, facts->external_url)))
        return false;
    const char *scheme = strstr(origin, "://");
    bool secure = !strncasecmp(origin, "https:", 6);
    if (!scheme || !facts->host || (!secure && strncasecmp(origin, "http:", 5) != 0))
        return true;
    return strcasecmp(scheme + 3, facts->host) != 0 || (facts->tls && !secure);
}

static bool is_json(const char *type)
{
    size_t length = sizeof "application/json" - 1;
    return type && !strncasecmp(type, "application/json", length) && !strchr(type, ',') &&
           (!type[length] || strchr("; \t", type[length]));
}

/* --- the answer ----------------------------------------------------------------------------- */

static enum permit decide_user(const struct permit_facts *facts)
{
    if (!facts->user)
        return PERMIT_NO_LOGIN;
    return facts->user_writes ? PERMIT_ALLOWED : PERMIT_READER;
}

static enum permit decide_peer(const struct permit_facts *facts)
{
    if (facts->peer && facts->peer->sa_family == AF_UNIX)
        return PERMIT_ALLOWED;
    if (!permit_is_loopback(facts->peer))
        return PERMIT_REMOTE;
    if (facts->external_url && !permit_is_local_url(facts->external_url))
        return PERMIT_EXTERNAL_URL;
    if (facts->forwarded || facts->old)
        return PERMIT_PROXY;
    return is_local_host(facts->host) ? PERMIT_ALLOWED : PERMIT_HOST;
}

enum permit permit_decide(const struct permit_facts *facts)
{
    if (facts->read_only)
        return PERMIT_READ_ONLY;
    if (is_cross_site(facts))
        return PERMIT_CROSS_SITE;
    enum permit permit = facts->has_users ? decide_user(facts) : decide_peer(facts);
    if (permit == PERMIT_ALLOWED && facts->json_only && !is_json(facts->content_type))
        return PERMIT_NOT_JSON;
    return permit;
}
