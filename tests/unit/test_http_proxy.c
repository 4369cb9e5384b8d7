#include <netdb.h>

#include "core/address.h"
#include "core/http.h"
#include "loopback.h"
#include "test.h"

static void finish_client(struct http_client **client)
{
    http_client_destroy(*client);
}

#define CLIENT CLEANUP(finish_client) struct http_client *
#define RESPONSE CLEANUP(http_response_finish) struct http_response

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct buf *record = context;
    buf_printf(record, "%s %s\n", request->method, request->path);
    loopback_reply(out, 200, "", "hello");
}

static bool get(struct http_client *client, const char *url, struct http_response *response,
                struct error *error)
{
    struct http_request request = { .method = "GET", .url = url, .timeout_ms = 5000 };
    return http_exchange(client, &request, response, error);
}

TEST(proxy_comes_from_the_environment)
{
    struct buf record = { 0 };
    struct error error = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    char proxy[80];
    snprintf(proxy, sizeof proxy, "http://user:hunter22@127.0.0.1:%d", server->port);
    setenv("http_proxy", proxy, 1);
    setenv("NO_PROXY", ".exempt.invalid, other", 1);
    CHECK(get(client, "http://far.invalid/hello", &response, &error));
    CHECK_CONTAINS(buf_cstr(&record), "GET http://far.invalid/hello");
    CHECK(!get(client, "http://host.exempt.invalid/hello", &response, &error));
    CHECK_TEXT(error.message, "cannot resolve host host.exempt.invalid");
    struct http_request request = { .method = "GET",
                                    .url = "http://far.invalid/hello",
                                    .no_proxy = true };
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_TEXT(error.message, "cannot resolve host far.invalid");
    /* The proxy itself may be local; a local target may not. */
    request = (struct http_request){ .method = "GET",
                                     .url = "http://far.invalid/hello",
                                     .targets = HTTP_PUBLIC_TARGETS };
    CHECK(http_exchange(client, &request, &response, &error));
    request.url = "http://10.0.0.1/hello";
    CHECK(!http_exchange(client, &request, &response, &error));
    CHECK_TEXT(error.message, "10.0.0.1 is not a public address");

    snprintf(proxy, sizeof proxy, "http://user:hunter22@127.0.0.1:%d", loopback_closed_port());
    setenv("http_proxy", proxy, 1);
    CHECK(!get(client, "http://far.invalid/hello", &response, &error));
    CHECK_TEXT(error.message, "connection refused by far.invalid:80 (through the proxy)");
    request = (struct http_request){ .method = "GET",
                                     .url = "http://far.invalid/hello",
                                     .proxy = server->url };
    CHECK(http_exchange(client, &request, &response, &error));
    unsetenv("http_proxy");
    unsetenv("NO_PROXY");
    loopback_stop(server);
    buf_finish(&record);
}

/* Whether a proxy is used decides whether an address is checked: one decision for both, whatever
 * form NO_PROXY has. */
TEST(what_no_proxy_exempts_is_checked)
{
    static const struct {
        const char *exempt, *host;
        bool proxied;
    } cases[] = {
        { "", "far.invalid", true },
        { "other", "far.invalid", true },
        { "nvalid", "far.invalid", true },
        { "*", "far.invalid", false },
        { "invalid", "far.invalid", false },
        { ".invalid", "far.invalid", false },
        { "far.invalid.", "far.invalid", false },
        { ".invalid.", "far.invalid", false },
        { "far.invalid", "far.invalid.", false },
        { "FAR.Invalid", "far.invalid", false },
        { "a, far.invalid ,b", "far.invalid", false },
        { "127.0.0.0/8", "127.0.0.1", false },
        { "128.0.0.0/8", "127.0.0.1", true },
    };
    struct buf record = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        char url[80];
        snprintf(url, sizeof url, "http://%s:%d/hello", cases[i].host, loopback_closed_port());
        setenv("http_proxy", server->url, 1);
        setenv("NO_PROXY", cases[i].exempt, 1);
        struct http_request request = { .method = "GET", .url = url, .timeout_ms = 5000 };
        if (http_exchange(client, &request, &response, &error) != cases[i].proxied)
            CHECK_TEXT(cases[i].exempt, error.message);
        request.proxy = server->url; /* the same rule for a proxy of its own */
        unsetenv("http_proxy");
        if (http_exchange(client, &request, &response, &error) != cases[i].proxied)
            CHECK_TEXT(cases[i].exempt, error.message);
    }
    unsetenv("http_proxy");
    unsetenv("NO_PROXY");
    loopback_stop(server);
    buf_finish(&record);
}

/* A name of this machine, exempt with a dot behind: connected to directly, so checked. */
TEST(an_exempt_name_with_a_dot_is_checked)
{
    struct buf record = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    struct error error = { 0 };
    char name[256] = "", url[300], exempt[300];
    struct addrinfo *found = NULL;
    if (!gethostname(name, sizeof name - 1) && !getaddrinfo(name, NULL, NULL, &found)) {
        char text[ADDRESS_TEXT_BYTES];
        snprintf(url, sizeof url, "http://%s:%d/hello", name, server->port);
        snprintf(exempt, sizeof exempt, "%s.", name);
        setenv("http_proxy", server->url, 1);
        setenv("NO_PROXY", exempt, 1);
        int before = loopback_requests(server);
        struct http_request request = {
            .method = "GET", .url = url, .timeout_ms = 2000, .targets = HTTP_PUBLIC_TARGETS
        };
        if (!address_is_public(found->ai_addr, text)) {
            CHECK(!http_exchange(client, &request, &response, &error));
            CHECK_CONTAINS(error.message, "is not a public address");
            CHECK_INT(loopback_requests(server), before);
        }
        freeaddrinfo(found);
    }
    unsetenv("http_proxy");
    unsetenv("NO_PROXY");
    loopback_stop(server);
    buf_finish(&record);
}

/* What the proxy would resolve itself is checked as it is written. */
TEST(local_addresses_are_refused_behind_a_proxy)
{
    static const char *const hosts[] = { "127.0.0.1",  "127.0.0.1.",  "0x7f.1",
                                         "2130706433", "localhost.",  "168.63.129.16",
                                         "[::1]",      "127%2e0.0.1", "[::ffff:10.0.0.1]" };
    struct buf record = { 0 };
    struct loopback *server = loopback_start(answer, &record);
    CLIENT client = http_client_create();
    RESPONSE response = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
        struct error error = { 0 };
        char url[80];
        snprintf(url, sizeof url, "http://%s/hello", hosts[i]);
        struct http_request request = {
            .method = "GET", .url = url, .proxy = server->url, .targets = HTTP_PUBLIC_TARGETS
        };
        if (http_exchange(client, &request, &response, &error) || error.code != ERROR_CONFIG)
            CHECK_TEXT(hosts[i], error.message);
    }
    CHECK_INT(loopback_requests(server), 0);
    loopback_stop(server);
    buf_finish(&record);
}
