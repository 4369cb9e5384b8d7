#pragma once
/* A web server on a free port, and a client of raw sockets. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/compiler.h"
#include "exporter/web/web.h"
#include "test.h"

struct server {
    struct metric_store *metrics;
    struct gate *gate;
    struct web *web;
};

static inline struct web_config configure(const char **address)
{
    return (struct web_config){
        .addresses = { address, 1 },
        .route_prefix = "",
        .max_requests = 1,
        .max_connections = 100,
        .max_connections_per_peer = 50,
        .read_timeout_ms = 60000,
        .write_timeout_ms = 60000,
        .idle_timeout_ms = 60000,
        .max_header_bytes = 16384,
    };
}

static inline struct server start_with(const struct web_config *config,
                                       const struct web_route *table, size_t count)
{
    struct server server = { .metrics = metric_store_create() };
    struct error error;
    server.gate = gate_create(config);
    server.web = web_start(config, server.gate, NULL, table, count, server.metrics, &error);
    if (!server.web)
        abort();
    return server;
}

static inline void stop(struct server *server)
{
    web_stop(server->web, 10000);
    gate_destroy(server->gate);
    metric_store_destroy(server->metrics);
}

/* --- a client ------------------------------------------------------------------------------- */

static inline int dial(const struct server *server)
{
    const char *address = web_bound(server->web, 0);
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct timeval limit = { .tv_sec = 10 };
    to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK(!connect(fd, (struct sockaddr *)&to, sizeof to));
    return fd;
}

static inline void send_text(int fd, const char *text)
{
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static inline void receive_all(int fd, struct buf *out)
{
    char chunk[4096];
    for (ssize_t got; (got = recv(fd, chunk, sizeof chunk, 0)) > 0;)
        buf_append(out, chunk, (size_t)got);
    close(fd);
}

/* The whole answer to a request head (without its last lines) and body. */
static inline void ask(const struct server *server, const char *head, const char *body,
                       struct buf *out)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", head);
    if (*body)
        buf_printf(&text, "Content-Length: %zu\r\n", strlen(body));
    buf_printf(&text, "\r\n%s", body);
    buf_reset(out);
    int fd = dial(server);
    send_text(fd, buf_cstr(&text));
    receive_all(fd, out);
}

/* Send a request and do not wait for its answer. */
static inline int begin(const struct server *server, const char *path)
{
    char text[128];
    int fd = dial(server);
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    send_text(fd, text);
    return fd;
}
