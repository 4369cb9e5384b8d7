#pragma once
/* A mail relay on 127.0.0.1 for tests: takes one connection after the other and every mail on it,
 * but answers one command as told. */
#include <string.h>

#include "core/compiler.h"
#include "loopback.h"

struct relay {
    int listener, port;
    pthread_t thread;
    const char *at, *answer; /* what to answer to the command that starts like this ... */
    const char *then;        /* ... and from the second time on, NULL = the same */
    struct buf heard;
};

static inline bool relay_read_line(int from, struct buf *line)
{
    buf_reset(line);
    for (char c; recv(from, &c, 1, 0) == 1;) {
        buf_char(line, c);
        if (c == '\n')
            return true;
    }
    return false;
}

static inline void relay_say(int to_socket, const char *text)
{
    send(to_socket, text, strlen(text), MSG_NOSIGNAL);
}

static inline void relay_serve(struct relay *relay, int client)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    bool in_data = false;
    relay_say(client, !strcmp(relay->at, "greeting") ? relay->answer : "220 relay\r\n");
    while (relay_read_line(client, &line)) {
        const char *text = buf_cstr(&line);
        buf_text(&relay->heard, text);
        if (in_data) {
            in_data = strcmp(text, ".\r\n") != 0;
            if (!in_data)
                relay_say(client, !strcmp(relay->at, ".") ? relay->answer : "250 taken as 42\r\n");
        } else if (!strncmp(text, relay->at, strlen(relay->at))) {
            relay_say(client, relay->answer);
            relay->answer = relay->then ? relay->then : relay->answer;
        } else if (!strncmp(text, "EHLO", 4)) {
            relay_say(client, "250-relay\r\n250 8BITMIME\r\n");
        } else if (!strncmp(text, "DATA", 4)) {
            in_data = true;
            relay_say(client, "354 go on\r\n");
        } else {
            relay_say(client, "250 fine\r\n");
        }
    }
    close(client);
}

static inline void *relay_main(void *context)
{
    struct relay *relay = context;
    for (int client; (client = accept(relay->listener, NULL, NULL)) >= 0;)
        relay_serve(relay, client);
    return NULL;
}

/* at, answer and then are set. */
static inline void relay_start(struct relay *relay)
{
    relay->listener = loopback_listen(1, &relay->port);
    if (pthread_create(&relay->thread, NULL, relay_main, relay))
        abort();
}

/* heard stays; the client has hung up. */
static inline void relay_stop(struct relay *relay)
{
    shutdown(relay->listener, SHUT_RDWR);
    pthread_join(relay->thread, NULL);
    close(relay->listener);
}
