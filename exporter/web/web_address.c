#include "exporter/web/web_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, PORT_MAX = 65535 };

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= 5 && !text[digits] && atoi(text) <= PORT_MAX;
}

bool web_address_parse(const char *text, struct web_address *address, struct error *error)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !is_port(colon + 1))
        return error_set(error, ERROR_CONFIG,
                         "\"%s\" is no address to listen on: write host:port, [::1]:port or :port",
                         text);
    size_t length = (size_t)(colon - text);
    bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    const char *host = bracketed ? text + 1 : text;
    length -= bracketed ? 2 : 0;
    bool bare_colon = !bracketed && memchr(host, ':', length);
    if (bare_colon || length >= sizeof address->host || memchr(host, '/', length))
        return error_set(error, ERROR_CONFIG,
                         "\"%s\" is no address to listen on: an IPv6 host stands in brackets",
                         text);
    memcpy(address->host, host, length);
    address->host[length] = 0;
    snprintf(address->port, sizeof address->port, "%s", colon + 1);
    return true;
}

/* -1 with errno when this address cannot be had. */
static int open_socket(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, BACKLOG))
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* "127.0.0.1:9887" or "[::]:9887" */
static void name_socket(int fd, char name[WEB_ADDRESS_BYTES])
{
    struct sockaddr_storage where = { 0 };
    socklen_t bytes = sizeof where;
    char host[256] = "?", port[16] = "?";
    if (!getsockname(fd, (struct sockaddr *)&where, &bytes))
        getnameinfo((struct sockaddr *)&where, bytes, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    bool brackets = where.ss_family == AF_INET6;
    snprintf(name, WEB_ADDRESS_BYTES, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "",
             port);
}

/* The first of the host's addresses that can be bound. */
static int bind_first(const struct web_address *address, int family, const char **reason)
{
    struct addrinfo hints = { .ai_family = family,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    const char *host = *address->host ? address->host : NULL;
    int result = getaddrinfo(host, address->port, &hints, &found);
    if (result) {
        *reason = gai_strerror(result);
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *one = found; one && fd < 0; one = one->ai_next)
        fd = open_socket(one);
    *reason = strerror(errno);
    freeaddrinfo(found);
    return fd;
}

int web_address_listen(const char *text, char name[WEB_ADDRESS_BYTES], struct error *error)
{
    struct web_address address;
    if (!web_address_parse(text, &address, error))
        return -1;
    const char *reason = "";
    int fd = -1;
    if (!*address.host) /* one socket for IPv6 and IPv4, where the machine has IPv6 */
        fd = bind_first(&address, AF_INET6, &reason);
    if (fd < 0)
        fd = bind_first(&address, *address.host ? AF_UNSPEC : AF_INET, &reason);
    if (fd < 0) {
        error_set(error, ERROR_IO, "cannot listen on %s: %s", text, reason);
        return -1;
    }
    name_socket(fd, name);
    return fd;
}
