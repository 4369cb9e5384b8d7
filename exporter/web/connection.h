#pragma once
/* The TCP connections, known to a sweeper so that slow peers cannot occupy the server. Any
 * thread. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

enum {
    CONNECTION_MAX = 512,   /* over all addresses */
    CONNECTION_IDLE_S = 75, /* a peer that neither sends nor reads */
};

struct connections {
    pthread_mutex_t lock; /* the list and its members */
    struct connection *first;
    size_t count;
    struct worker *sweeper;
};

/* Between them the sweeper may be started; finish stops it. Nothing is connected any more then. */
void connection_init(struct connections *connections);
void connection_sweep_start(struct connections *connections);
void connection_sweep_stop(struct connections *connections);
void connection_finish(struct connections *connections);

/* One has come; what belongs into its context. */
struct connection *connection_open(struct connections *connections, struct MHD_Connection *handle);

/* It has gone. */
void connection_close(struct connections *connections, struct connection *connection);

/* Say whether a request of it is under way: its head is complete and its answer not sent yet. */
void connection_mark(struct connections *connections, struct MHD_Connection *handle, bool busy);
