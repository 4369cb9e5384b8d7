#pragma once
/* A small HTTP server on 127.0.0.1 for tests of clients: every request is handed to a function that
 * writes the raw answer. Header only; each connection has a thread of its own.
 *
 * What the function leaves in `out` is sent as it is. Empty: the request is never answered.
 * First byte LOOPBACK_CUT: the rest is sent and the connection closed. LOOPBACK_STALL: the rest is
 * sent, then nothing more comes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"

#define LOOPBACK_CUT '\1'
#define LOOPBACK_STALL '\2'

enum { LOOPBACK_CONNECTIONS_MAX = 128 };

struct loopback_request {
    const char *method, *path; /* the target as sent */
    const char *head;          /* all header lines, "\r\n" between them */
    const char *body;
    size_t body_bytes; /* which may hold NULs */
    int number; /* 1 = the first this server got */
};

/* Called one at a time. */
typedef void loopback_answer(void *context, const struct loopback_request *request,
                             struct buf *out);

struct loopback_connection {
    struct loopback *server;
    int socket;
    pthread_t thread;
};

struct loopback {
    loopback_answer *answer;
    void *context;
    int listener, port;
    char url[40]; /* "http://127.0.0.1:12345" */
    pthread_t thread;
    pthread_mutex_t mutex; /* around answer and the members below */
    int requests, connections;
    struct loopback_connection list[LOOPBACK_CONNECTIONS_MAX];
};

/* A whole answer of any bytes, with Content-Length; its type is among the headers. */
static inline void loopback_reply_bytes(struct buf *out, int status, const char *headers,
                                        const void *bytes, size_t count)
{
    buf_printf(out, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n", status, count, headers);
    buf_append(out, bytes, count);
}

/* A whole answer with Content-Length. headers: further lines, each ending in "\r\n". */
static inline void loopback_reply(struct buf *out, int status, const char *headers,
                                  const char *body)
{
    buf_printf(out, "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\n", status);
    buf_printf(out, "Content-Length: %zu\r\n%s\r\n%s", strlen(body), headers, body);
}

/* One request from the connection into *in, which may hold the beginning of it. False at its end.
 * Returns the lengths of head and body. */
static inline bool loopback_read(int from, struct buf *in, size_t *head, size_t *body)
{
    char bytes[16384];
    for (;;) {
        const char *end = strstr(buf_cstr(in), "\r\n\r\n");
        if (end) {
            const char *length = strcasestr(buf_cstr(in), "\r\nContent-Length:");
            *head = (size_t)(end - in->data) + 4;
            *body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
            if (in->length >= *head + *body)
                return true;
        }
        ssize_t got = recv(from, bytes, sizeof bytes, 0);
        if (got <= 0)
            return false;
        buf_append(in, bytes, (size_t)got);
    }
}

/* Hand a request on and send what comes back. False when the connection is to be closed. */
static inline bool loopback_serve(struct loopback_connection *connection, char *head,
                                  const struct buf *body)
{
    struct loopback *server = connection->server;
    struct buf out = { 0 };
    struct loopback_request request = { .head = head, .body = buf_cstr(body) };
    request.body_bytes = body->length;
    char *lines = strstr(head, "\r\n");
    *lines = 0;
    request.method = strtok_r(head, " ", &lines);
    request.path = strtok_r(NULL, " ", &lines);
    request.head = request.path + strlen(request.path) + 1;
    request.head += strlen(request.head) + 2;
    pthread_mutex_lock(&server->mutex);
    request.number = ++server->requests;
    server->answer(server->context, &request, &out);
    pthread_mutex_unlock(&server->mutex);
    char mark = out.length ? out.data[0] : LOOPBACK_STALL;
    size_t skip = mark == LOOPBACK_CUT || mark == LOOPBACK_STALL;
    if (out.length > skip)
        send(connection->socket, out.data + skip, out.length - skip, MSG_NOSIGNAL);
    char byte;
    if (mark == LOOPBACK_STALL)
        while (recv(connection->socket, &byte, 1, 0) > 0)
            ;
    buf_finish(&out);
    return !skip;
}

static inline void *loopback_connection_main(void *context)
{
    struct loopback_connection *connection = context;
    struct buf in = { 0 };
    size_t head, body;
    bool open = true;
    while (open && loopback_read(connection->socket, &in, &head, &body)) {
        char *head_text = strndup(in.data, head - 2);
        struct buf body_bytes = { 0 };
        buf_append(&body_bytes, in.data + head, body);
        memmove(in.data, in.data + head + body, in.length - head - body + 1);
        in.length -= head + body;
        open = loopback_serve(connection, head_text, &body_bytes);
        free(head_text);
        buf_finish(&body_bytes);
    }
    shutdown(connection->socket, SHUT_RDWR);
    buf_finish(&in);
    return NULL;
}

static inline void *loopback_main(void *context)
{
    struct loopback *server = context;
    for (;;) {
        int socket = accept(server->listener, NULL, NULL);
        pthread_mutex_lock(&server->mutex);
        if (socket < 0 || server->connections == LOOPBACK_CONNECTIONS_MAX) {
            pthread_mutex_unlock(&server->mutex);
            return NULL;
        }
        struct loopback_connection *connection = &server->list[server->connections++];
        *connection = (struct loopback_connection){ .server = server, .socket = socket };
        if (pthread_create(&connection->thread, NULL, loopback_connection_main, connection))
            abort();
        pthread_mutex_unlock(&server->mutex);
    }
}

/* A socket listening on 127.0.0.1, any port. */
static inline int loopback_listen(int backlog, int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) ||
        listen(listener, backlog) || getsockname(listener, (struct sockaddr *)&address, &length))
        abort();
    *port = ntohs(address.sin_port);
    return listener;
}

static inline struct loopback *loopback_start(loopback_answer *answer, void *context)
{
    struct loopback *server = calloc(1, sizeof *server);
    if (!server || pthread_mutex_init(&server->mutex, NULL))
        abort();
    server->answer = answer;
    server->context = context;
    server->listener = loopback_listen(64, &server->port);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", server->port);
    if (pthread_create(&server->thread, NULL, loopback_main, server))
        abort();
    return server;
}

static inline void loopback_stop(struct loopback *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    for (int i = 0; i < server->connections; i++) {
        shutdown(server->list[i].socket, SHUT_RDWR);
        pthread_join(server->list[i].thread, NULL);
        close(server->list[i].socket);
    }
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

/* How many requests and connections there were so far. */
static inline int loopback_requests(struct loopback *server)
{
    pthread_mutex_lock(&server->mutex);
    int count = server->requests;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

static inline int loopback_connections(struct loopback *server)
{
    pthread_mutex_lock(&server->mutex);
    int count = server->connections;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

/* A port on 127.0.0.1 nobody listens on. */
static inline int loopback_closed_port(void)
{
    int port, listener = loopback_listen(1, &port);
    close(listener);
    return port;
}
