#include "exporter/web/connection.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/worker.h"

enum {
    CROWDED = CONNECTION_MAX / 4 * 3, /* from here on waiting is short */
    WAITING_MS = 75000,               /* for a complete head: longer than a scrape interval */
    WAITING_CROWDED_MS = 5000,
    EXCHANGE_MS = 120000, /* from the request head to the last byte of the answer */
    SWEEP_MS = 1000,
};

struct connection {
    struct connection *next, **link;
    int socket;
    bool busy;
    int64_t since_ms; /* of the current state, monotonic */
};

void connection_init(struct connections *connections)
{
    *connections = (struct connections){ 0 };
    pthread_mutex_init(&connections->lock, NULL);
}

void connection_finish(struct connections *connections)
{
    pthread_mutex_destroy(&connections->lock);
}

struct connection *connection_open(struct connections *connections, struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info)
        memory_abort("a connection without a socket");
    struct connection *connection = MEMORY_NEW(struct connection);
    connection->socket = info->connect_fd;
    connection->since_ms = clock_monotonic_ms();
    pthread_mutex_lock(&connections->lock);
    connection->next = connections->first;
    connection->link = &connections->first;
    if (connection->next)
        connection->next->link = &connection->next;
    connections->first = connection;
    connections->count++;
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connection_close(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    connections->count--;
    pthread_mutex_unlock(&connections->lock);
    free(connection);
}

static struct connection *connection_of(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

void connection_mark(struct connections *connections, struct MHD_Connection *handle, bool busy)
{
    struct connection *connection = connection_of(handle);
    if (!connection)
        return;
    pthread_mutex_lock(&connections->lock);
    connection->busy = busy;
    connection->since_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&connections->lock);
}

/* Shut what takes too long; libmicrohttpd notices and closes. A socket in the list is open, since
 * connection_close comes first. */
static int64_t sweep(void *context)
{
    struct connections *connections = context;
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&connections->lock);
    bool crowded = connections->count > CROWDED;
    int64_t waiting_ms = crowded ? WAITING_CROWDED_MS : WAITING_MS;
    for (struct connection *one = connections->first; one; one = one->next)
        if (now - one->since_ms > (one->busy ? EXCHANGE_MS : waiting_ms))
            shutdown(one->socket, SHUT_RDWR);
    pthread_mutex_unlock(&connections->lock);
    return SWEEP_MS;
}

void connection_sweep_start(struct connections *connections)
{
    connections->sweeper = worker_start("web", sweep, NULL, connections, SWEEP_MS);
}

void connection_sweep_stop(struct connections *connections)
{
    worker_stop(connections->sweeper);
    connections->sweeper = NULL;
}
