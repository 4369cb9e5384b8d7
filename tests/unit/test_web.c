#include "exporter/web/web.h"

#include <pthread.h>

#include "exporter/web/dispatch.h"
#include "exporter/web/web_address.h"
#include "web_server.h"

/* --- a server that says what it got --------------------------------------------------------- */

static void handle_echo(void *context, const struct web_request *request,
                        struct web_response *response)
{
    struct buf body = { 0 };
    CLEANUP(buf_finish) struct buf header = { 0 };
    (void)context;
    web_request_header(request, "X-Test", &header);
    buf_printf(&body, "path=%s rest=%s body=%.*s test=%s", request->path, request->rest,
               (int)request->body_bytes, request->body, buf_cstr(&header));
    for (size_t i = 0; i < request->query_count; i++)
        buf_printf(&body, " %s=%s", request->queries[i].name, request->queries[i].value);
    const char *a = web_request_query(request, "a");
    buf_printf(&body, " first=%s", a ? a : "none");
    web_response_header(response, "X-Answer", "yes");
    web_response_buf(response, 0, WEB_HTML, &body);
}

static const struct web_route routes[] = {
    { "/echo", "echo", WEB_GET | WEB_POST, 10, WEB_AT_ONCE, handle_echo, NULL },
    { "/things/*", "things", WEB_GET, 0, WEB_WORK, handle_echo, NULL },
    { "/one", "one", WEB_GET | WEB_POST, 10, WEB_SCRAPE, handle_echo, NULL },
};

static struct server start(const char *prefix)
{
    static const char *address = "127.0.0.1:0";
    struct web_config config = configure(&address);
    config.route_prefix = prefix;
    return start_with(&config, routes, ARRAY_COUNT(routes));
}

/* --- tests ---------------------------------------------------------------------------------- */

TEST(routes_get_what_was_sent)
{
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf out = { 0 };
    ask(&server, "GET /echo?a=1&a=2&b%5B%5D=x%20y&c", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "HTTP/1.1 200 OK\r\n");
    CHECK_CONTAINS(buf_cstr(&out), "path=/echo rest= body= test= a=1 a=2 b[]=x y c= first=1");
    CHECK_CONTAINS(buf_cstr(&out), "Content-Type: text/html; charset=utf-8\r\n");
    CHECK_CONTAINS(buf_cstr(&out), "Cache-Control: no-store\r\n");
    CHECK_CONTAINS(buf_cstr(&out), "X-Content-Type-Options: nosniff\r\n");
    CHECK_CONTAINS(buf_cstr(&out), "X-Answer: yes\r\n");
    ask(&server, "GET /things/a/b", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "path=/things/a/b rest=a/b ");
    ask(&server, "POST /echo", "0123456789", &out);
    CHECK_CONTAINS(buf_cstr(&out), "body=0123456789 ");
    CHECK_NUMBER(metric_read_values(server.metrics, dispatch_families[0],
                                    METRIC_LABELS("echo", "200")->values),
                 2);
}

TEST(the_configuration_may_go_after_the_start)
{
    char path[] = "/fleeting", address[] = "127.0.0.1:0";
    struct web_route route = { path, "fleeting", WEB_GET, 0, WEB_WORK, handle_echo, NULL };
    struct web_config config = configure((const char *[]){ address });
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(stop) struct server server = start_with(&config, &route, 1);
    memset(path, 'x', sizeof path - 1);
    memset(address, 'x', sizeof address - 1);
    memset(&route, 0, sizeof route);
    ask(&server, "GET /fleeting", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
}

TEST(repeated_headers_are_joined)
{
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf out = { 0 };
    int fd = dial(&server);
    send_text(fd, "GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Test: a\r\nx-test: b;q=1\r\n"
                  "Connection: close\r\n\r\n");
    receive_all(fd, &out);
    CHECK_CONTAINS(buf_cstr(&out), "test=a, b;q=1 ");
}

TEST(head_has_the_headers_of_get_and_no_body)
{
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf get = { 0 };
    CLEANUP(buf_finish) struct buf head = { 0 };
    ask(&server, "GET /echo", "", &get);
    ask(&server, "HEAD /echo", "", &head);
    const char *end = strstr(buf_cstr(&get), "\r\n\r\n");
    CHECK(end != NULL);
    const char *length = strstr(buf_cstr(&get), "Content-Length: ");
    CHECK(length && strstr(buf_cstr(&head), "Content-Length: "));
    CHECK_INT(head.length, end + 4 - get.data);
}

TEST(what_is_not_there_is_refused)
{
    static const struct {
        const char *head, *body, *status, *part;
    } cases[] = {
        { "GET /", "", "404 Not Found", "404 page not found" },
        { "GET /ech", "", "404 Not Found", "text/plain" },
        { "GET /echo/", "", "404 Not Found", "" },
        { "DELETE /echo", "", "405 Method Not Allowed", "Allow: GET, HEAD, POST\r\n" },
        { "BREW /things/1", "", "405 Method Not Allowed", "Allow: GET, HEAD\r\n" },
        { "POST /echo", "01234567890", "413 ", "too large" },
        { "POST /things/1", "x", "405 ", "" },
        { "GET /things/1", "x", "413 ", "" },
    };
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf out = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        ask(&server, cases[i].head, cases[i].body, &out);
        CHECK_CONTAINS(buf_cstr(&out), cases[i].status);
        CHECK_CONTAINS(buf_cstr(&out), cases[i].part);
    }
    CHECK_NUMBER(metric_read_values(server.metrics, dispatch_families[0],
                                    METRIC_LABELS("other", "404")->values),
                 3);
}

TEST(a_body_that_grows_past_its_limit_is_cut)
{
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf out = { 0 };
    int fd = dial(&server);
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n");
    receive_all(fd, &out);
    CHECK(!strstr(buf_cstr(&out), "200 OK"));
}

TEST(huge_heads_are_refused)
{
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    buf_text(&text, "GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Test: ");
    for (int i = 0; i < 40000; i++)
        buf_char(&text, 'x');
    buf_text(&text, "\r\n\r\n");
    int fd = dial(&server);
    send(fd, text.data, text.length, MSG_NOSIGNAL); /* it may stop reading */
    receive_all(fd, &out);
    CHECK(!strstr(buf_cstr(&out), "200 OK"));
    ask(&server, "GET /echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
}

/* A handler that says that it has begun and waits until it may end. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside;
    bool open;
};

static void handle_gate(void *context, const struct web_request *request,
                        struct web_response *response)
{
    struct gate *gate = context;
    pthread_mutex_lock(&gate->lock);
    gate->inside++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    handle_echo(NULL, request, response);
}

static void await_inside(struct gate *gate, int count)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < count)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static struct server start_gated(struct gate *gate)
{
    const char *address = "127.0.0.1:0";
    struct web_config config = configure(&address);
    const struct web_route table[] = {
        { "/scrape", "scrape", WEB_GET, 0, WEB_SCRAPE, handle_gate, gate },
        { "/work", "work", WEB_GET, 0, WEB_WORK, handle_gate, gate },
        { "/echo", "echo", WEB_GET, 0, WEB_AT_ONCE, handle_echo, NULL },
        { "/more", "more", WEB_GET, 0, WEB_WORK, handle_echo, NULL },
    };
    return start_with(&config, table, ARRAY_COUNT(table));
}

TEST(only_so_many_scrapes_are_answered_at_once)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
    CLEANUP(stop) struct server server = start_gated(&gate);
    CLEANUP(buf_finish) struct buf out = { 0 };
    int slow = begin(&server, "/scrape");
    await_inside(&gate, 1);
    CHECK_NUMBER(metric_read_values(server.metrics, dispatch_families[1], METRIC_LABELS()->values),
                 1);
    ask(&server, "GET /scrape", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "503 Service Unavailable");
    CHECK_CONTAINS(buf_cstr(&out), "Retry-After: 1\r\n");
    CHECK_CONTAINS(buf_cstr(&out), "--web.max-requests");
    ask(&server, "GET /more", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    open_gate(&gate);
    buf_reset(&out);
    receive_all(slow, &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    ask(&server, "GET /scrape", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    CHECK_NUMBER(metric_read_values(server.metrics, dispatch_families[1], METRIC_LABELS()->values),
                 0);
    CHECK_NUMBER(metric_read_values(server.metrics, dispatch_families[0],
                                    METRIC_LABELS("scrape", "503")->values),
                 1);
}

TEST(whoever_works_long_holds_up_nobody_else)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
    CLEANUP(stop) struct server server = start_gated(&gate);
    CLEANUP(buf_finish) struct buf out = { 0 };
    int slow[5];
    for (size_t i = 0; i < ARRAY_COUNT(slow) - 1; i++)
        slow[i] = begin(&server, "/work");
    await_inside(&gate, ARRAY_COUNT(slow) - 1); /* all threads there are for work */
    slow[4] = begin(&server, "/more");
    ask(&server, "GET /echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    int scrape = begin(&server, "/scrape");
    await_inside(&gate, ARRAY_COUNT(slow));
    open_gate(&gate);
    receive_all(scrape, &out);
    for (size_t i = 0; i < ARRAY_COUNT(slow); i++) {
        buf_reset(&out);
        receive_all(slow[i], &out);
        CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    }
}

TEST(a_body_that_does_not_come_holds_up_nobody)
{
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf out = { 0 };
    int slow = dial(&server); /* announces a body and keeps it back */
    send_text(slow,
              "POST /one HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nConnection: close\r\n"
              "Expect: 100-continue\r\n\r\n");
    char go_on[64];
    CHECK(recv(slow, go_on, sizeof go_on, 0) > 0); /* the server has accepted the head */
    ask(&server, "GET /one", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    send_text(slow, "body");
    buf_reset(&out);
    receive_all(slow, &out);
    CHECK_CONTAINS(buf_cstr(&out), "body=body");
}

TEST(the_longest_waiting_connection_goes_for_a_new_one)
{
    const char *address = "127.0.0.1:0";
    struct web_config config = configure(&address);
    config.max_connections_per_peer = 3;
    CLEANUP(stop) struct server server = start_with(&config, routes, ARRAY_COUNT(routes));
    CLEANUP(buf_finish) struct buf out = { 0 };
    int waiting[3];
    char byte;
    for (size_t i = 0; i < ARRAY_COUNT(waiting); i++)
        waiting[i] = dial(&server);
    ask(&server, "GET /echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    CHECK_INT(recv(waiting[0], &byte, 1, 0), 0);
    for (size_t i = 1; i < ARRAY_COUNT(waiting); i++)
        CHECK(recv(waiting[i], &byte, 1, MSG_DONTWAIT) < 0);
    for (size_t i = 0; i < ARRAY_COUNT(waiting); i++)
        close(waiting[i]);
}

/* Whoever has sent its request waits for us, not we for it. */
TEST(who_has_sent_a_request_stays_when_idle_ones_came_after)
{
    const char *address = "127.0.0.1:0";
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
    const struct web_route table[] = {
        { "/gate", "gate", WEB_GET, 0, WEB_AT_ONCE, handle_gate, &gate },
        { "/echo", "echo", WEB_GET, 0, WEB_AT_ONCE, handle_echo, NULL },
    };
    struct web_config config = configure(&address);
    config.max_connections_per_peer = 3;
    CLEANUP(stop) struct server server = start_with(&config, table, ARRAY_COUNT(table));
    CLEANUP(buf_finish) struct buf out = { 0 };
    int busy = begin(&server, "/gate"), idle[6];
    await_inside(&gate, 1); /* the thread that reads and accepts is held up */
    int asks = begin(&server, "/echo");
    for (size_t i = 0; i < ARRAY_COUNT(idle); i++)
        idle[i] = dial(&server);
    open_gate(&gate);
    receive_all(asks, &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    for (size_t i = 0; i < ARRAY_COUNT(idle); i++)
        close(idle[i]);
    close(busy);
}

static char large[16 << 20]; /* more than sockets hold */

static void handle_large(void *context, const struct web_request *request,
                         struct web_response *response)
{
    (void)context, (void)request;
    response->type = WEB_TEXT;
    response->bytes = large;
    response->count = sizeof large;
}

/* As much of an answer as that. */
static void receive(int fd, size_t bytes)
{
    char chunk[4096];
    for (ssize_t got = 1; got > 0 && bytes; bytes -= (size_t)got)
        got = recv(fd, chunk, bytes < sizeof chunk ? bytes : sizeof chunk, 0);
    CHECK_INT(bytes, 0);
}

TEST(who_reads_its_answer_stays_when_slower_ones_came_after)
{
    const char *address = "127.0.0.1:0";
    const struct web_route table[] = {
        { "/large", "large", WEB_GET, 0, WEB_AT_ONCE, handle_large, NULL },
        { "/echo", "echo", WEB_GET, 0, WEB_AT_ONCE, handle_echo, NULL },
    };
    struct web_config config = configure(&address);
    config.max_connections_per_peer = 3;
    CLEANUP(stop) struct server server = start_with(&config, table, ARRAY_COUNT(table));
    CLEANUP(buf_finish) struct buf out = { 0 };
    int fair = begin(&server, "/large"), slow[2], cut = 0;
    receive(fair, sizeof large / 4);
    for (size_t i = 0; i < ARRAY_COUNT(slow); i++) {
        slow[i] = begin(&server, "/large");
        receive(slow[i], 1);
    }
    ask(&server, "GET /echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    buf_reset(&out);
    receive_all(fair, &out);
    CHECK(out.length > sizeof large - sizeof large / 4);
    for (size_t i = 0; i < ARRAY_COUNT(slow); i++) {
        buf_reset(&out);
        receive_all(slow[i], &out);
        cut += out.length < sizeof large;
    }
    CHECK_INT(cut, 1);
}

TEST(what_is_too_slow_is_closed)
{
    static const char *const texts[] = {
        "", "GET /ec", "GET /echo HTTP/1.1\r\nHost:",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
    };
    const char *address = "127.0.0.1:0";
    struct web_config config = configure(&address);
    config.read_timeout_ms = 1;
    CLEANUP(stop) struct server server = start_with(&config, routes, ARRAY_COUNT(routes));
    int fds[ARRAY_COUNT(texts)];
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        fds[i] = dial(&server);
        send_text(fds[i], texts[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        char byte;
        CHECK(recv(fds[i], &byte, 1, 0) <= 0);
        close(fds[i]);
    }
}

TEST(stopping_waits_for_what_is_being_answered)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
    struct server server = start_gated(&gate);
    CLEANUP(buf_finish) struct buf out = { 0 };
    int gone = begin(&server, "/work"), slow = begin(&server, "/work");
    await_inside(&gate, 2);
    close(gone);
    open_gate(&gate);
    stop(&server);
    receive_all(slow, &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
}

TEST(prefix_stands_before_every_route)
{
    CLEANUP(stop) struct server server = start("/a/b");
    CLEANUP(buf_finish) struct buf out = { 0 };
    ask(&server, "GET /a/b/echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "path=/echo ");
    ask(&server, "GET /echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "404 ");
    ask(&server, "GET /a/bc/echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "404 ");
    ask(&server, "GET /", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "302 Found");
    CHECK_CONTAINS(buf_cstr(&out), "Location: /a/b/\r\n");
    ask(&server, "GET /a/b", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "Location: /a/b/\r\n");
}

TEST(garbage_does_not_stop_the_server)
{
    static const char *const cases[] = { "\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
                                         "GET /echo HTTP/9.9\r\n\r\n", "GET  HTTP/1.1\r\n\r\n" };
    CLEANUP(stop) struct server server = start("");
    CLEANUP(buf_finish) struct buf out = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int fd = dial(&server);
        send_text(fd, cases[i]);
        close(fd);
    }
    ask(&server, "GET /echo", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    CHECK_NUMBER(metric_read_values(server.metrics, dispatch_families[0],
                                    METRIC_LABELS("echo", "200")->values),
                 1);
}

TEST(stopping_does_not_wait_for_idle_peers)
{
    struct server server = start("");
    int idle = dial(&server), half = dial(&server);
    send_text(half, "GET /ec");
    stop(&server);
    char byte;
    CHECK(recv(idle, &byte, 1, 0) <= 0);
    close(idle);
    close(half);
}

TEST(addresses_are_read)
{
    static const struct {
        const char *text, *host, *port; /* host NULL: refused */
    } cases[] = {
        { ":9887", "", "9887" },
        { "127.0.0.1:0", "127.0.0.1", "0" },
        { "[::1]:9887", "::1", "9887" },
        { "localhost:65535", "localhost", "65535" },
        { "localhost:65536", NULL, NULL },
        { "localhost", NULL, NULL },
        { "::1:80", NULL, NULL },
        { ":", NULL, NULL },
        { ":http", NULL, NULL },
        { "", NULL, NULL },
        { "http://x:80", NULL, NULL },
        { "a:-1", NULL, NULL },
        { "unix:/run/a:1", "/run/a:1", "" },
        { "unix:run/a", NULL, NULL },
        { "unix:", NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct web_address address;
        struct error error = { 0 };
        bool ok = web_address_parse(cases[i].text, &address, &error);
        CHECK_INT(ok, cases[i].host != NULL);
        CHECK_TEXT(ok ? address.host : NULL, cases[i].host);
        CHECK_TEXT(ok ? address.port : NULL, cases[i].port);
        CHECK_INT(error.code, ok ? ERROR_NONE : ERROR_CONFIG);
    }
}

TEST(a_taken_port_is_named)
{
    CLEANUP(stop) struct server server = start("");
    const char *taken[] = { web_bound(server.web, 0) };
    struct web_config config = configure(taken);
    struct error error;
    CHECK(!web_start(&config, server.gate, NULL, routes, ARRAY_COUNT(routes), server.metrics,
                     &error));
    CHECK_INT(error.code, ERROR_IO);
    CHECK_CONTAINS(error.message, taken[0]);
}
