#include "core/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/address.h"
#include "core/clock.h"
#include "core/gzip.h"
#include "core/hash.h"
#include "loopback.h"
#include "test.h"

static void finish_client(struct http_client **client)
{
    http_client_destroy(*client);
}

#define CLIENT CLEANUP(finish_client) struct http_client *
#define RESPONSE CLEANUP(http_response_finish) struct http_response

static void reply_packed(struct buf *out, const struct buf *body)
{
    buf_printf(out, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
               body->length);
    buf_append(out, body->data, body->length);
}

/* What the request looked like, then the answer chosen by its path. */
static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct buf *record = context;
    struct buf body = { 0 };
    buf_printf(record, "%s %s [%s]\n%s", request->method, request->path, request->body,
               request->head);
    if (!strcmp(request->path, "/hello")) {
        loopback_reply(out, 200, "X-Thing:  one \r\nx-thing-else: two\r\n", "hello");
    } else if (!strcmp(request->path, "/interim")) {
        buf_text(out, "HTTP/1.1 103 Early Hints\r\nX-Thing: early\r\n\r\n");
        loopback_reply(out, 404, "X-Late: 1\r\n", "none");
    } else if (!strcmp(request->path, "/away")) {
        loopback_reply(out, 302, "Location: /hello\r\n", "");
    } else if (!strcmp(request->path, "/gzip")) {
        char zeros[100000] = "";
        gzip_append(&body, zeros, 60000, 6); /* two members */
        gzip_append(&body, zeros, 40000, 6);
        reply_packed(out, &body);
    } else if (!strcmp(request->path, "/nozip")) { /* two members that hold nothing */
        gzip_append(&body, "", 0, 6);
        gzip_append(&body, "", 0, 6);
        reply_packed(out, &body);
    } else if (!strcmp(request->path, "/noisezip")) {
        char noise[20000];
        hash_random(noise, sizeof noise);
        gzip_append(&body, noise, sizeof noise, 6);
        reply_packed(out, &body);
    } else if (!strcmp(request->path, "/badzip")) {
        loopback_reply(out, 200, "Content-Encoding: gzip\r\n", "this is not gzip at all");
    } else if (!strcmp(request->path, "/cut")) {
        buf_char(out, LOOPBACK_CUT);
        buf_text(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    } else if (!strcmp(request->path, "/nothing")) {
        buf_char(out, LOOPBACK_CUT);
    } else if (!strcmp(request->path, "/noise")) {
        buf_char(out, LOOPBACK_CUT);
        buf_text(out, "SSH-2.0-OpenSSH_9.2\r\n");
    } else if (!strcmp(request->path, "/slow")) {
        buf_char(out, LOOPBACK_STALL);
        buf_text(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    } else if (strcmp(request->path, "/never")) {
        loopback_reply(out, 200, "", "other");
    }
    buf_finish(&body);
}

/* Exchange one GET with the server; returns what http_exchange did. */
static bool get(struct http_client *client, const char *base, const char *path,
                struct http_response *response, struct error *error)
{
    char url[512];
    snprintf(url, sizeof url, "%s%s", base, path);
    struct http_request request = { .method = "GET", .url = url, .timeout_ms = 30000 };
    return http_exchange(client, &request, response, error);
}

TEST(answer_has_status_headers_and_body)
{
    struct buf record = { 0 };
    struct error error = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    char value[32], small[4];
    CHECK(get(client, server->url, "/hello", &response, &error));
    CHECK_INT(response.status, 200);
    CHECK_TEXT(buf_cstr(&response.body), "hello");
    CHECK(http_header(&response, "x-thing", value, sizeof value));
    CHECK_TEXT(value, "one");
    CHECK(http_header(&response, "X-THING-ELSE", small, sizeof small));
    CHECK_TEXT(small, "two");
    CHECK(!http_header(&response, "x-thin", value, sizeof value));
    CHECK_CONTAINS(buf_cstr(&record), "GET /hello []");
    CHECK_CONTAINS(buf_cstr(&record), "Accept-Encoding: gzip\r\n");

    CHECK(get(client, server->url, "/interim", &response, &error));
    CHECK_INT(response.status, 404);
    CHECK(!http_header(&response, "x-thing", value, sizeof value));
    CHECK(http_header(&response, "x-late", value, sizeof value));

    CHECK(get(client, server->url, "/away", &response, &error));
    CHECK_INT(response.status, 302);
    CHECK_INT(response.body.length, 0);
    CHECK_INT(loopback_requests(server), 3);
    CHECK_INT(loopback_connections(server), 1);
    CHECK_TEXT(error.message, "");
    loopback_stop(server);
    buf_finish(&record);
}

TEST(request_sends_method_headers_and_body)
{
    struct buf record = { 0 };
    struct error error = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    const struct http_header headers[] = { { "X-One", "1" }, { "X-Empty", "" } };
    struct http_request request = { .method = "POST",
                                    .url = server->url,
                                    .headers = headers,
                                    .header_count = 2,
                                    .body = "a\0b",
                                    .body_bytes = 3 };
    CHECK(http_exchange(client, &request, &response, &error));
    CHECK_CONTAINS(buf_cstr(&record), "POST / [a");
    CHECK_CONTAINS(buf_cstr(&record), "Content-Length: 3\r\n");
    CHECK_CONTAINS(buf_cstr(&record), "X-One: 1\r\n");
    CHECK_CONTAINS(buf_cstr(&record), "X-Empty:\r\n");
    CHECK(!strstr(buf_cstr(&record), "Expect"));
    buf_reset(&record);
    request = (struct http_request){ .method = "POST", .url = server->url };
    CHECK(http_exchange(client, &request, &response, &error));
    CHECK_CONTAINS(buf_cstr(&record), "Content-Length: 0\r\n");
    CHECK(!strstr(buf_cstr(&record), "X-One"));
    buf_reset(&record);
    request =
        (struct http_request){ .method = "PUT", .url = server->url, .body = "x", .body_bytes = 1 };
    CHECK(http_exchange(client, &request, &response, &error));
    CHECK_CONTAINS(buf_cstr(&record), "PUT / [x]");
    buf_reset(&record);
    request = (struct http_request){ .method = "DELETE", .url = server->url };
    CHECK(http_exchange(client, &request, &response, &error));
    CHECK_CONTAINS(buf_cstr(&record), "DELETE / []");
    buf_reset(&record);
    request = (struct http_request){ .method = "GET", .url = server->url };
    CHECK(http_exchange(client, &request, &response, &error));
    CHECK_CONTAINS(buf_cstr(&record), "GET / []");

    const struct http_header evil = { "X-One", "1\r\nX-Two: 2" };
    request = (struct http_request){
        .method = "GET", .url = server->url, .headers = &evil, .header_count = 1
    };
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    CHECK_TEXT(error.message, "header X-One holds a line break");
    CHECK_INT(loopback_requests(server), 5);
    loopback_stop(server);
    buf_finish(&record);
}

TEST(body_limit_counts_decompressed_bytes)
{
    struct buf record = { 0 };
    struct error error = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    char url[64], message[128];
    CHECK(get(client, server->url, "/gzip", &response, &error));
    CHECK_INT(response.body.length, 100000);
    snprintf(url, sizeof url, "%s/gzip", server->url);
    struct http_request request = { .method = "GET", .url = url, .response_limit_bytes = 99999 };
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_INT(error.code, ERROR_LIMIT);
    snprintf(message, sizeof message, "the answer from 127.0.0.1:%d is larger than 99999 bytes",
             server->port);
    CHECK_TEXT(error.message, message);
    request.response_may_be_cut = true; /* not decompressed then */
    request.response_limit_bytes = 99;
    CHECK(http_exchange(client, &request, &response, &error));
    CHECK_INT(response.status, 200);
    CHECK_INT(response.body.length, 99);
    CHECK(get(client, server->url, "/hello", &response, &error));
    CHECK_TEXT(buf_cstr(&response.body), "hello");
    request.response_may_be_cut = false;
    request.response_limit_bytes = 100000;
    CHECK(http_exchange(client, &request, &response, &error));
    loopback_stop(server);
    buf_finish(&record);
}

TEST(what_came_compressed_is_limited_too)
{
    struct buf record = { 0 };
    struct error error = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    char url[64];
    snprintf(url, sizeof url, "%s/noisezip", server->url);
    struct http_request request = { .method = "GET", .url = url, .response_limit_bytes = 20000 };
    CHECK(http_exchange(client, &request, &response, &error)); /* noise grows */
    CHECK_INT(response.body.length, 20000);
    request.response_limit_bytes = 1000;
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_INT(error.code, ERROR_LIMIT);
    CHECK_CONTAINS(error.message, "is larger than 1000 bytes");
    CHECK(response.packed.length < 4000);
    CHECK(get(client, server->url, "/nozip", &response, &error));
    CHECK_INT(response.body.length, 0);
    CHECK(get(client, server->url, "/hello", &response, &error));
    CHECK_TEXT(buf_cstr(&response.body), "hello");
    loopback_stop(server);
    buf_finish(&record);
}

TEST(broken_answers_are_network_errors)
{
    static const struct {
        const char *path, *reason;
    } cases[] = {
        { "/cut", "the answer ended early" },
        { "/nothing", "connection closed without an answer" },
        { "/noise", "the answer is not HTTP" },
        { "/badzip", "the answer cannot be decompressed" },
    };
    struct buf record = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        CHECK(!get(client, server->url, cases[i].path, &response, &error));
        CHECK_INT(error.code, ERROR_NETWORK);
        CHECK_INT(response.status, 0);
        CHECK_CONTAINS(error.message, cases[i].reason);
    }
    loopback_stop(server);
    buf_finish(&record);
}

TEST(unreachable_hosts_are_named)
{
    struct error error = { 0 };
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    char url[64], message[80];
    int port = loopback_closed_port();
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    CHECK(!get(client, url, "/secret?sig=abc", &response, &error));
    CHECK_INT(error.code, ERROR_NETWORK);
    snprintf(message, sizeof message, "connection refused by 127.0.0.1:%d", port);
    CHECK_TEXT(error.message, message);
    CHECK(!get(client, "https://no-such-host.invalid", "/", &response, &error));
    CHECK_INT(error.code, ERROR_NETWORK);
    CHECK_TEXT(error.message, "cannot resolve host no-such-host.invalid");
    static const char *const bad[] = { "",        "/path",      "ftp://host/", "file:///etc/passwd",
                                       "http://", "http://a b/" };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        CHECK(!get(client, bad[i], "", &response, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
    }
}

TEST(deadline_ends_a_silent_exchange)
{
    static const struct {
        const char *path, *reason;
    } cases[] = { { "/never", "no answer from 127.0.0.1:%d within 500ms" },
                  { "/slow", "answer from 127.0.0.1:%d not finished within 500ms" } };
    struct buf record = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        char url[64], part[40];
        snprintf(url, sizeof url, "%s%s", server->url, cases[i].path);
        struct http_request request = { .method = "GET", .url = url, .timeout_ms = 500 };
        CHECK(!http_exchange(client, &request, &response, &error));
        CHECK_INT(error.code, ERROR_TIMEOUT);
        CHECK(response.duration_ms >= 490 && response.duration_ms < 60000);
        snprintf(part, sizeof part, "127.0.0.1:%d", server->port);
        CHECK_CONTAINS(error.message, part);
        CHECK_CONTAINS(error.message, strstr(cases[i].reason, "%d") + 3);
    }
    struct error error = { 0 };
    struct http_request request = { .method = "GET", .url = server->url, .timeout_ms = -1 };
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_INT(error.code, ERROR_TIMEOUT);
    loopback_stop(server);
    buf_finish(&record);
}

struct canceller {
    struct http_client *client;
    int64_t after_ms, cancelled_ms;
};

static void *cancel_main(void *context)
{
    struct canceller *canceller = context;
    clock_sleep_ms(canceller->after_ms);
    canceller->cancelled_ms = clock_monotonic_ms();
    http_client_cancel(canceller->client);
    return NULL;
}

/* A port where connecting hangs: nobody accepts and the queue is full. */
static int stuck_port(int sockets[4])
{
    int port;
    struct sockaddr_in address = { .sin_family = AF_INET };
    sockets[0] = loopback_listen(0, &port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    for (int i = 1; i < 4; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(sockets[i], (struct sockaddr *)&address, sizeof address) &&
            errno != EINPROGRESS)
            abort();
    }
    return port;
}

TEST(cancel_ends_stalled_connecting_and_waiting)
{
    struct buf record = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    int sockets[4];
    char stuck[64];
    snprintf(stuck, sizeof stuck, "http://127.0.0.1:%d", stuck_port(sockets));
    for (int kind = 0; kind < 4; kind++) {
        struct error error = { 0 };
        struct canceller canceller = { .client = client, .after_ms = 30 };
        pthread_t thread;
        CHECK(!pthread_create(&thread, NULL, cancel_main, &canceller));
        bool ok = kind == 0   ? get(client, server->url, "/never", &response, &error)
                  : kind == 1 ? get(client, server->url, "/slow", &response, &error)
                  : kind == 2 ? get(client, stuck, "/", &response, &error)
                              : http_client_wait(client, 20000);
        int64_t ended_ms = clock_monotonic_ms();
        pthread_join(thread, NULL);
        CHECK(!ok);
        CHECK(ended_ms - canceller.cancelled_ms < 10000); /* of 20 s */
        if (kind < 3)
            CHECK_INT(error.code, ERROR_CANCELLED);
        int before = loopback_requests(server);
        CHECK(!get(client, server->url, "/hello", &response, &error));
        CHECK_INT(error.code, ERROR_CANCELLED);
        CHECK(!http_client_wait(client, 0));
        CHECK_INT(loopback_requests(server), before);
        http_client_resume(client);
        CHECK(get(client, server->url, "/hello", &response, &error));
        CHECK(http_client_wait(client, 1));
    }
    for (int i = 0; i < 4; i++)
        close(sockets[i]);
    loopback_stop(server);
    buf_finish(&record);
}

TEST(connecting_has_a_limit_of_its_own)
{
    struct error error = { 0 };
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    int sockets[4], port = stuck_port(sockets);
    char url[64], message[80];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    struct http_request request = {
        .method = "GET", .url = url, .timeout_ms = 20000, .connect_timeout_ms = 100
    };
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_INT(error.code, ERROR_TIMEOUT);
    snprintf(message, sizeof message, "no connection to 127.0.0.1:%d within 100ms", port);
    CHECK_TEXT(error.message, message);
    for (int i = 0; i < 4; i++)
        close(sockets[i]);
}

TEST(public_targets_refuse_local_addresses)
{
    struct buf record = { 0 };
    struct error error = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    static const char *const hosts[] = { "127.0.0.1", "localhost", "2130706433",
                                         "0x7f.1",    "[::1]",     "[::ffff:127.0.0.1]" };
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
        char url[80];
        snprintf(url, sizeof url, "http://%s:%d/hello", hosts[i], server->port);
        struct http_request request = { .method = "GET",
                                        .url = url,
                                        .targets = HTTP_PUBLIC_TARGETS };
        CHECK(!http_exchange(client, &request, &response, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, "is not a public address");
    }
    /* A name that resolves to such an address: this machine's own. */
    char name[256] = "", url[300];
    struct addrinfo *found = NULL;
    if (!gethostname(name, sizeof name - 1) && strcasecmp(name, "localhost") &&
        !getaddrinfo(name, NULL, NULL, &found)) {
        char text[ADDRESS_TEXT_BYTES];
        bool is_public = address_is_public(found->ai_addr, text);
        snprintf(url, sizeof url, "http://%s:%d/hello", name, server->port);
        struct http_request request = {
            .method = "GET", .url = url, .timeout_ms = 2000, .targets = HTTP_PUBLIC_TARGETS
        };
        CHECK(!http_exchange(client, &request, &response, &error));
        if (!is_public)
            CHECK_CONTAINS(error.message, ", which is not a public address");
    } else {
        printf("skip   this machine's name does not resolve\n");
    }
    if (found)
        freeaddrinfo(found);
    CHECK_INT(loopback_requests(server), 0);
    loopback_stop(server);
    buf_finish(&record);
}

/* --- TLS ----------------------------------------------------------------------------------- */

static bool run(const char *command)
{
    return system(command) == 0;
}

/* Start `openssl s_server` with a certificate for localhost made in folder; 0 when there is none.
 */
static pid_t start_tls(const char *folder, int *port)
{
    char command[1024], line[256] = "";
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s/key -out %s/cert -days 2 "
             "-subj /CN=localhost -addext subjectAltName=DNS:localhost >/dev/null 2>&1",
             folder, folder);
    int ends[2];
    if (!run(command) || pipe(ends))
        return 0;
    char key[512], certificate[512];
    snprintf(key, sizeof key, "%s/key", folder);
    snprintf(certificate, sizeof certificate, "%s/cert", folder);
    pid_t process = fork();
    if (!process) {
        dup2(ends[1], 1);
        dup2(open("/dev/null", O_WRONLY), 2);
        close(ends[0]);
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert",
               certificate, "-www", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    *port = 0;
    while (!*port && fgets(line, sizeof line, out))
        sscanf(line, "ACCEPT 127.0.0.1:%d", port);
    fclose(out);
    return process;
}

TEST(certificates_are_checked)
{
    struct error error = { 0 };
    int port = 0;
    pid_t process = start_tls(test_folder(), &port);
    if (!process || !port) {
        printf("skip   openssl cannot be run\n");
        return;
    }
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    char url[64], ca_file[512];
    snprintf(url, sizeof url, "https://localhost:%d/", port);
    snprintf(ca_file, sizeof ca_file, "%s/cert", test_folder());
    unsetenv("SSL_CERT_FILE");
    struct http_request request = { .method = "GET", .url = url, .timeout_ms = 10000 };
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_INT(error.code, ERROR_NETWORK);
    CHECK_CONTAINS(error.message, "certificate of localhost not trusted: ");
    CHECK_CONTAINS(error.message, "self-signed certificate");
    request.ca_file = ca_file;
    CHECK(http_exchange(client, &request, &response, &error));
    CHECK_INT(response.status, 200);
    request.ca_file = NULL;
    setenv("SSL_CERT_FILE", ca_file, 1);
    CHECK(http_exchange(client, &request, &response, &error));
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_CONTAINS(error.message, "certificate of 127.0.0.1 not trusted: ");
    setenv("SSL_CERT_FILE", "/does/not/exist", 1);
    snprintf(url, sizeof url, "https://localhost:%d/", port);
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_INT(error.code, ERROR_IO); /* it may be there again */
    CHECK_CONTAINS(error.message, "the CA file cannot be read");
    unsetenv("SSL_CERT_FILE");
    kill(process, SIGTERM);
    waitpid(process, NULL, 0);
}

/* --- texts --------------------------------------------------------------------------------- */

TEST(urls_that_may_carry_tokens)
{
    static const struct {
        const char *url;
        bool safe;
        const char *origin;
    } cases[] = {
        { "https://Management.Azure.com", true, "https://management.azure.com:443" },
        { "HTTPS://management.azure.com:443/x?y", true, "https://management.azure.com:443" },
        { "https://management.azure.com:8443/", true, "https://management.azure.com:8443" },
        { "http://management.azure.com", false, "http://management.azure.com:80" },
        { "http://127.0.0.1:8080/a", true, "http://127.0.0.1:8080" },
        { "http://127.1.2.3", true, "http://127.1.2.3:80" },
        { "http://localhost:1", true, "http://localhost:1" },
        { "http://[::1]:1/", true, "http://[::1]:1" },
        { "http://127.0.0.1.evil.example/", false, "http://127.0.0.1.evil.example:80" },
        { "http://localhost.evil.example/", false, "http://localhost.evil.example:80" },
        { "https://user@management.azure.com/", false, "https://management.azure.com:443" },
        { "https://management.azure.com@evil.example/", false, "https://evil.example:443" },
        { "http://127.0.0.1@evil.example/", false, "http://evil.example:80" },
        { "https://evil.example/https://management.azure.com/", true, "https://evil.example:443" },
        { "management.azure.com", false, NULL },
        { "/subscriptions", false, NULL },
        { "//management.azure.com/", false, NULL },
        { "ftp://127.0.0.1/", false, NULL },
        { "https://", false, NULL },
        { "https:///path", true, "https://path:443" }, /* as the library reads it */
        { "https://management.azure.com:99999/", false, NULL },
        { "", false, NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char origin[300] = "";
        bool has_origin = http_origin(cases[i].url, origin);
        if (http_url_is_safe(cases[i].url) != cases[i].safe)
            CHECK_TEXT(cases[i].url, cases[i].safe ? "safe" : "not safe");
        CHECK_TEXT(has_origin ? origin : NULL, cases[i].origin);
    }
}

TEST(retry_after_is_seconds_or_a_date)
{
    static const struct {
        const char *headers;
        int64_t seconds;
    } cases[] = {
        { "retry-after: 17\n", 17 },
        { "Retry-After:0\n", 0 },
        { "Retry-After: -5\n", 0 },
        { "Retry-After: soon\n", 0 },
        { "Retry-After: \n", 0 },
        { "X-Retry-After: 3\n", 0 },
        { "", 0 },
        { "Retry-After: Sat, 21 Nov 2026 17:00:30 GMT\n", 30 },
        { "Retry-After: Sat, 21 Nov 2026 16:00:30 GMT\n", 0 },
        { "Retry-After: 99999999999999999999\n", 0 },
        { "Date: Mon, 21 Nov 2022 17:00:00 GMT\n" /* the sender's clock counts, not ours */
          "Retry-After: Mon, 21 Nov 2022 17:00:40 GMT\n",
          40 },
        { "Date: today\nRetry-After: Sat, 21 Nov 2026 17:00:30 GMT\n", 30 },
    };
    int64_t now = 0;
    CHECK(clock_parse_rfc3339("2026-11-21T17:00:00Z", &now));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        RESPONSE response = { 0 };
        buf_text(&response.headers, cases[i].headers);
        CHECK_INT(http_retry_after_s(&response, now), cases[i].seconds);
    }
}

TEST(escape_keeps_only_unreserved)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    http_escape(&out, "aZ09-._~ /?&=+%\"\xc3\xa4");
    CHECK_TEXT(buf_cstr(&out), "aZ09-._~%20%2F%3F%26%3D%2B%25%22%C3%A4");
}
