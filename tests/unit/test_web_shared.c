#include "exporter/web/web_shared.h"

#include <stdatomic.h>

#include "exporter/web/admission.h"
#include "web_server.h"

struct world {
    struct admission *admission;
    struct server server;
    struct web_shared *shared;
    atomic_uint asked;
};

static const char *const types[] = { "text/plain; kind=a", "text/plain; kind=b" };

static void handle_shared(void *context, const struct web_request *request,
                          struct web_response *response)
{
    struct world *world = context;
    const char *kind = web_request_query(request, "kind");
    world->asked++;
    web_shared_acquire(world->shared);
    web_response_header(response, "X-Answer", "shared");
    web_response_shared(response, types[kind && *kind == 'b'], world->shared);
}

static void begin_world(struct world *world, const char *text)
{
    static const char *address = "127.0.0.1:0";
    const struct web_config config = configure(&address);
    const struct web_route route = { "/shared",   "shared",      WEB_GET, 0,
                                     WEB_AT_ONCE, handle_shared, world };
    struct error error;
    struct buf bytes = { 0 };
    buf_text(&bytes, "the bytes");
    world->shared = web_shared_create(&bytes);
    CHECK(!bytes.data);
    struct server *server = &world->server;
    server->metrics = metric_store_create();
    server->gate = gate_create(&config);
    world->admission = admission_create(test_file("web.yml", text), server->metrics, &error);
    CHECK(world->admission != NULL);
    server->web =
        web_start(&config, server->gate, world->admission, &route, 1, server->metrics, &error);
    CHECK(server->web != NULL);
}

static void end_world(struct world *world)
{
    web_stop(world->server.web, 10000);
    web_shared_release(world->shared);
    gate_destroy(world->server.gate);
    admission_destroy(world->admission);
    metric_store_destroy(world->server.metrics);
}

static const char *answer_of(const struct world *world, const char *head, struct buf *out)
{
    ask(&world->server, head, "", out);
    CHECK_CONTAINS(buf_cstr(out), "HTTP/1.1 200 OK\r\n");
    CHECK_CONTAINS(buf_cstr(out), "X-Answer: shared\r\n");
    CHECK_CONTAINS(buf_cstr(out), "Content-Length: 9\r\n");
    return buf_cstr(out);
}

TEST(many_get_the_same_bytes_with_their_own_type)
{
    CLEANUP(end_world) struct world world = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    begin_world(&world, "");
    for (int i = 0; i < 6; i++) {
        const char *text = answer_of(&world, i % 2 ? "GET /shared?kind=b" : "GET /shared", &out);
        CHECK_CONTAINS(text, types[i % 2]);
        CHECK(!strstr(text, types[!(i % 2)]));
        CHECK_CONTAINS(text, "\r\n\r\nthe bytes");
    }
    CHECK(!strstr(answer_of(&world, "HEAD /shared", &out), "the bytes"));
    CHECK_INT(world.asked, 7);
}

TEST(an_answer_has_the_headers_in_force)
{
    CLEANUP(end_world) struct world world = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    begin_world(&world, "http_server_config:\n  headers:\n    X-Frame-Options: deny\n");
    for (int i = 0; i < 2; i++)
        CHECK_CONTAINS(answer_of(&world, "GET /shared", &out), "X-Frame-Options: deny\r\n");
    test_file("web.yml", "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n");
    CHECK(admission_reload(world.admission, &report));
    for (int i = 0; i < 2; i++) {
        CHECK_CONTAINS(answer_of(&world, "GET /shared", &out), "X-Frame-Options: sameorigin\r\n");
        CHECK(!strstr(buf_cstr(&out), "deny"));
    }
}

/* Whoever is still reading has all of them, though nobody else knows the bytes any more. */
TEST(bytes_stay_until_they_are_sent)
{
    CLEANUP(end_world) struct world world = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    enum { MANY = 16 << 20 }; /* more than sockets hold */
    begin_world(&world, "");
    web_shared_release(world.shared);
    struct buf bytes = { 0 };
    for (size_t i = 0; i < MANY / 16; i++)
        buf_text(&bytes, "0123456789abcdef");
    world.shared = web_shared_create(&bytes);
    int one = begin(&world.server, "/shared"), other = begin(&world.server, "/shared?kind=b");
    char byte;
    CHECK_INT(recv(one, &byte, 1, MSG_PEEK), 1);
    CHECK_INT(recv(other, &byte, 1, MSG_PEEK), 1);
    struct web_shared *gone = world.shared;
    world.shared = NULL;
    web_shared_release(gone);
    receive_all(one, &out);
    CHECK_CONTAINS(buf_cstr(&out), types[0]);
    CHECK(out.length > MANY && !memcmp(out.data + out.length - 16, "0123456789abcdef", 16));
    buf_reset(&out);
    receive_all(other, &out);
    CHECK_CONTAINS(buf_cstr(&out), types[1]);
    CHECK(out.length > MANY && !memcmp(out.data + out.length - 16, "0123456789abcdef", 16));
}

/* Nor does it matter that it was never sent. */
TEST(bytes_that_nobody_asks_for_are_freed)
{
    struct buf bytes = { 0 };
    buf_text(&bytes, "x");
    struct web_shared *shared = web_shared_create(&bytes);
    web_shared_acquire(shared);
    web_shared_release(shared);
    CHECK_TEXT(buf_cstr(web_shared_bytes(shared)), "x");
    web_shared_release(shared);
    web_shared_release(NULL);
}
