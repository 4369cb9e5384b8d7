#include "exporter/web/web_address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    PORT_MAX = 65535,
    PASSED_FIRST = 3, /* SD_LISTEN_FDS_START */
    PASSED_MAX = 64,
    LOCAL_MODE = 0660,
};

static const char local_scheme[] = "unix:";

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= 5 && !text[digits] && atoi(text) <= PORT_MAX;
}

static bool is_local(const char *text)
{
    return !strncmp(text, local_scheme, sizeof local_scheme - 1);
}

static bool parse_local(const char *path, struct web_address *address, struct error *error)
{
    if (*path != '/' || strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return error_set(error, ERROR_CONFIG,
                         "\"unix:%s\" is no address to listen on: a path begins with / and is not"
                         " longer than 107 characters",
                         path);
    snprintf(address->host, sizeof address->host, "%s", path);
    address->port[0] = 0;
    return true;
}

bool web_address_parse(const char *text, struct web_address *address, struct error *error)
{
    if (is_local(text))
        return parse_local(text + sizeof local_scheme - 1, address, error);
    const char *colon = strrchr(text, ':');
    if (!colon || !is_port(colon + 1))
        return error_set(error, ERROR_CONFIG,
                         "\"%s\" is no address to listen on: write " WEB_ADDRESS_FORMS, text);
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

/* "127.0.0.1:9887", "[::]:9887" or "unix:/path" */
static void name_socket(int fd, char name[WEB_ADDRESS_BYTES])
{
    struct sockaddr_storage where = { 0 };
    struct sockaddr_un local;
    socklen_t bytes = sizeof where;
    char host[256] = "?", port[16] = "?";
    if (!getsockname(fd, (struct sockaddr *)&where, &bytes) && where.ss_family == AF_UNIX) {
        memcpy(&local, &where, sizeof local);
        snprintf(name, WEB_ADDRESS_BYTES, "%s%.*s", local_scheme, (int)sizeof local.sun_path,
                 local.sun_path);
        return;
    }
    getnameinfo((struct sockaddr *)&where, bytes, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    bool brackets = where.ss_family == AF_INET6;
    snprintf(name, WEB_ADDRESS_BYTES, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "",
             port);
}

/* Remove the file of a socket nobody listens on any more. */
static void remove_stale(const struct sockaddr_un *where)
{
    struct stat file;
    if (lstat(where->sun_path, &file) || !S_ISSOCK(file.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)where, sizeof *where) && errno == ECONNREFUSED)
        unlink(where->sun_path);
    close(fd);
}

static int bind_local(const struct web_address *address, const char **reason)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    snprintf(where.sun_path, sizeof where.sun_path, "%.107s", address->host);
    remove_stale(&where);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !fchmod(fd, LOCAL_MODE) && /* so that nobody else can connect meanwhile */
        !bind(fd, (struct sockaddr *)&where, sizeof where) && !chmod(where.sun_path, LOCAL_MODE) &&
        !listen(fd, BACKLOG))
        return fd;
    *reason = strerror(errno);
    if (fd >= 0)
        close(fd);
    return -1;
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
    if (!*address.port)
        fd = bind_local(&address, &reason);
    else if (!*address.host) /* one socket for IPv6 and IPv4, where the machine has IPv6 */
        fd = bind_first(&address, AF_INET6, &reason);
    if (fd < 0 && *address.port)
        fd = bind_first(&address, *address.host ? AF_UNSPEC : AF_INET, &reason);
    if (fd < 0) {
        error_set(error, ERROR_IO, "cannot listen on %s: %s", text, reason);
        return -1;
    }
    name_socket(fd, name);
    return fd;
}

void web_address_close(int fd, const char *name)
{
    if (fd < 0)
        return;
    if (is_local(name))
        unlink(name + sizeof local_scheme - 1);
    close(fd);
}

/* --- passed on ------------------------------------------------------------------------------ */

size_t web_address_passed(void)
{
    const char *process = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (!process || !count || atoll(process) != getpid())
        return 0;
    int passed = atoi(count);
    return passed > 0 && passed <= PASSED_MAX ? (size_t)passed : 0;
}

int web_address_take(size_t index, char name[WEB_ADDRESS_BYTES], struct error *error)
{
    int fd = PASSED_FIRST + (int)index, listening = 0, type = 0;
    socklen_t bytes = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &bytes) || !listening ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) || type != SOCK_STREAM) {
        error_set(error, ERROR_CONFIG, "socket %zu that was passed on is nothing to listen on",
                  index);
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    name_socket(fd, name);
    return fd;
}
