#pragma once
/* The connections: who is at the other end, what each is doing and for how long. Nobody occupies
 * the server: what is too slow is closed, and when there are too many the one that has waited
 * longest goes (pace.h), of a peer that has too many its own. Any thread. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/web/rush.h"

struct MHD_Connection;
struct admission;
struct connection;

enum connection_state {
    CONNECTION_WAITING, /* for the first line of a request */
    CONNECTION_READING, /* the rest of it */
    CONNECTION_WORKING, /* on an answer; never closed for being slow */
    CONNECTION_SENDING, /* the answer */
};

struct connection_limits {
    size_t max, max_per_peer;           /* a unix socket counts for no peer */
    size_t unsent_bytes;                /* of answers that are being sent, each counted once */
    int64_t read_ms, idle_ms, write_ms; /* a request; between requests; an answer */
};

struct connections {
    struct connection_limits limits;
    struct admission *admission; /* the caller's, set after the start; NULL = nothing encrypted */
    pthread_mutex_t lock;        /* what follows, and the members of each */
    struct connection *first;
    size_t unsent_bytes; /* at least what is being sent: what several get is counted for each */
    size_t answers;      /* begun since the last look at the rush */
    struct rush rush;
    struct worker *sweeper;
};

/* Stop closes nothing: all connections are gone when it is called. */
void connection_start(struct connections *connections, const struct connection_limits *limits);
void connection_stop(struct connections *connections);

/* One has come. Another may be closed for it. */
struct connection *connection_open(struct connections *connections, struct MHD_Connection *handle);

/* It has gone. */
void connection_close(struct connections *connections, struct connection *connection);

/* Say what a connection does from now on. */
void connection_mark(struct connections *connections, struct connection *connection,
                     enum connection_state state);

/* The same of CONNECTION_SENDING: so many bytes, owner tells those that are sent to several. Others
 * may be closed when all of them are too many. */
void connection_send(struct connections *connections, struct connection *connection,
                     const void *owner, size_t bytes);

/* Who is at the other end: a number of its address, in IPv6 of its first 64 bits; 0 = a unix
 * socket. */
uint64_t connection_peer(const struct connection *connection);
