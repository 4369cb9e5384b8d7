#include "exporter/web/connection.h"

#include <linux/tcp.h> /* that of the C library is older */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/worker.h"
#include "exporter/web/admission.h"
#include "exporter/web/pace.h"

enum { SWEEP_MS = 1000 };

struct connection {
    struct connection *next, **link;
    uint64_t peer;
    int socket;
    struct tls_connection *tls; /* NULL = not encrypted */
    enum connection_state state;
    int64_t since_ms;  /* monotonic */
    struct pace pace;  /* of CONNECTION_SENDING its peer's, else of nobody who takes anything */
    bool served;       /* has had an answer */
    bool closing;      /* shut by us, it counts no more */
    const void *owner; /* of the bytes that are being sent */
    size_t bytes;
};

/* --- peers ---------------------------------------------------------------------------------- */

/* Never 0. An IPv4 address is the same as an IPv6 one. */
static uint64_t key_of(const void *address, size_t bytes)
{
    return hash_bytes(address, bytes) | 1;
}

static uint64_t key_of_ipv6(const struct in6_addr *address)
{
    enum { NETWORK_BYTES = 8, MAPPED_BYTES = 12 };
    return IN6_IS_ADDR_V4MAPPED(address)
               ? key_of(address->s6_addr + MAPPED_BYTES, sizeof(struct in_addr))
               : key_of(address, NETWORK_BYTES);
}

static uint64_t read_peer(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    switch (address ? address->sa_family : AF_UNIX) {
    case AF_INET:
        memcpy(&inet, address, sizeof inet);
        return key_of(&inet.sin_addr, sizeof inet.sin_addr);
    case AF_INET6:
        memcpy(&inet6, address, sizeof inet6);
        return key_of_ipv6(&inet6.sin6_addr);
    default:
        return 0;
    }
}

/* --- who goes ------------------------------------------------------------------------------- */

/* libmicrohttpd notices and closes. A socket in the list is open, since connection_close comes
 * first. */
static void shut(struct connection *connection)
{
    connection->closing = true;
    shutdown(connection->socket, SHUT_RDWR);
}

/* Of one peer, or of any (0). */
static bool is_open(const struct connection *connection, uint64_t peer)
{
    return !connection->closing && (!peer || connection->peer == peer);
}

static size_t count_open(const struct connections *connections, uint64_t peer)
{
    size_t count = 0;
    for (const struct connection *one = connections->first; one; one = one->next)
        count += is_open(one, peer);
    return count;
}

/* Bytes the other end has acknowledged in all; *all: nothing is left of what we wrote. Of a unix
 * socket nobody knows. */
static uint64_t bytes_taken(const struct connection *connection, bool *all)
{
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    memset(&info, 0, sizeof info);
    *all = false;
    if (getsockopt(connection->socket, IPPROTO_TCP, TCP_INFO, &info, &bytes))
        return 0;
    *all = !info.tcpi_unacked && !info.tcpi_notsent_bytes;
    return info.tcpi_bytes_acked;
}

/* Who has kept us waiting longest, of one peer or of all (0): of those we are sending to, or of all
 * who are not being worked for. NULL = there is none but the newcomer, or none at all. */
static struct connection *pick_slowest(const struct connections *connections, uint64_t peer,
                                       const struct connection *newcomer, bool sending)
{
    struct connection *slowest = NULL;
    for (struct connection *one = connections->first; one; one = one->next)
        if (is_open(one, peer) && one != newcomer && one->state != CONNECTION_WORKING &&
            (!sending || one->state == CONNECTION_SENDING) &&
            (!slowest || !pace_is_slower(&slowest->pace, &one->pace)))
            slowest = one;
    return slowest;
}

/* Whether it has kept us waiting less long than it seemed: by what it has taken, or as we have not
 * read yet what it sent. */
static bool excuse(struct connection *connection, int64_t now_ms)
{
    int unread = 0;
    bool all;
    if (connection->state == CONNECTION_SENDING) {
        uint64_t taken = bytes_taken(connection, &all);
        return pace_look(&connection->pace, taken, all, now_ms);
    }
    return !ioctl(connection->socket, FIONREAD, &unread) && unread &&
           pace_look(&connection->pace, 0, true, now_ms);
}

/* The same by what each has done until now. A look can only excuse: who is the slowest after it is
 * so without a look at the others. */
static struct connection *find_slowest(const struct connections *connections, uint64_t peer,
                                       const struct connection *newcomer, bool sending)
{
    int64_t now = clock_monotonic_ms();
    for (;;) {
        struct connection *slowest = pick_slowest(connections, peer, newcomer, sending);
        if (!slowest || !excuse(slowest, now))
            return slowest;
    }
}

/* Let the slowest go while there are more than so many; the newcomer itself when all others are
 * being worked for. */
static void make_room(struct connections *connections, uint64_t peer, size_t limit,
                      struct connection *newcomer)
{
    while (count_open(connections, peer) > limit) {
        struct connection *slowest = find_slowest(connections, peer, newcomer, false);
        shut(slowest ? slowest : newcomer);
        if (!slowest)
            return;
    }
}

/* What is being sent, the bytes of one owner once. */
static size_t count_unsent(const struct connections *connections)
{
    size_t bytes = 0;
    if (connections->unsent_bytes <= connections->limits.unsent_bytes)
        return connections->unsent_bytes; /* the rule */
    for (const struct connection *one = connections->first; one; one = one->next) {
        const struct connection *other = connections->first;
        while (other != one && (other->closing || other->owner != one->owner))
            other = other->next;
        bytes += other == one && !one->closing ? one->bytes : 0;
    }
    return bytes;
}

static int64_t patience_ms(const struct connections *connections, const struct connection *one)
{
    const struct connection_limits *limits = &connections->limits;
    switch (one->state) {
    case CONNECTION_WAITING:
        return one->served ? limits->idle_ms : limits->read_ms;
    case CONNECTION_READING:
        return limits->read_ms;
    case CONNECTION_SENDING:
        return limits->write_ms;
    case CONNECTION_WORKING:
        break;
    }
    return INT64_MAX;
}

static int64_t sweep(void *context)
{
    struct connections *connections = context;
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&connections->lock);
    for (struct connection *one = connections->first; one; one = one->next)
        if (!one->closing && now - one->since_ms > patience_ms(connections, one))
            shut(one);
    bool over = rush_look(&connections->rush, count_open(connections, 0), connections->limits.max,
                          connections->answers);
    connections->answers = 0;
    pthread_mutex_unlock(&connections->lock);
    if (over)
        memory_trim();
    return SWEEP_MS;
}

/* --- what happens to them ------------------------------------------------------------------- */

void connection_start(struct connections *connections, const struct connection_limits *limits)
{
    *connections = (struct connections){ .limits = *limits };
    pthread_mutex_init(&connections->lock, NULL);
    connections->sweeper = worker_start("web", sweep, NULL, connections, SWEEP_MS);
}

void connection_stop(struct connections *connections)
{
    worker_stop(connections->sweeper);
    pthread_mutex_destroy(&connections->lock);
}

/* Its session is prepared before a byte of it is read. */
static struct tls_connection *encrypt(struct admission *admission, struct MHD_Connection *handle,
                                      int socket)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? admission_connect(admission, info->tls_session, socket) : NULL;
}

struct connection *connection_open(struct connections *connections, struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info)
        memory_abort("a connection without a socket");
    struct connection *connection = MEMORY_NEW(struct connection);
    connection->socket = info->connect_fd;
    connection->tls = encrypt(connections->admission, handle, connection->socket);
    connection->since_ms = clock_monotonic_ms();
    pace_begin(&connection->pace, 0, connection->since_ms);
    connection->peer = read_peer(handle);
    const struct connection_limits *limits = &connections->limits;
    pthread_mutex_lock(&connections->lock);
    connection->next = connections->first;
    connection->link = &connections->first;
    if (connection->next)
        connection->next->link = &connection->next;
    connections->first = connection;
    if (connection->peer)
        make_room(connections, connection->peer, limits->max_per_peer, connection);
    make_room(connections, 0, limits->max, connection);
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connection_close(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    connections->unsent_bytes -= connection->bytes;
    pthread_mutex_unlock(&connections->lock);
    tls_end(connection->tls);
    free(connection);
}

/* The lock is held. */
static void change_state(struct connections *connections, struct connection *connection,
                         enum connection_state state)
{
    connections->unsent_bytes -= connection->bytes;
    connection->served = connection->served || state == CONNECTION_SENDING;
    connections->answers += state == CONNECTION_SENDING;
    connection->state = state;
    connection->since_ms = clock_monotonic_ms();
    bool all;
    uint64_t taken = state == CONNECTION_SENDING ? bytes_taken(connection, &all) : 0;
    pace_begin(&connection->pace, taken, connection->since_ms);
    connection->owner = NULL;
    connection->bytes = 0;
}

void connection_mark(struct connections *connections, struct connection *connection,
                     enum connection_state state)
{
    pthread_mutex_lock(&connections->lock);
    change_state(connections, connection, state);
    pthread_mutex_unlock(&connections->lock);
}

void connection_send(struct connections *connections, struct connection *connection,
                     const void *owner, size_t bytes)
{
    pthread_mutex_lock(&connections->lock);
    change_state(connections, connection, CONNECTION_SENDING);
    connection->owner = owner;
    connection->bytes = bytes;
    connections->unsent_bytes += bytes;
    while (count_unsent(connections) > connections->limits.unsent_bytes) {
        struct connection *slowest = find_slowest(connections, 0, connection, true);
        if (!slowest)
            break; /* one answer may be larger than that */
        shut(slowest);
    }
    pthread_mutex_unlock(&connections->lock);
}

uint64_t connection_peer(const struct connection *connection)
{
    return connection->peer;
}
