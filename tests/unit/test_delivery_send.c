#include "alerts/notify/delivery.h"
#include "core/clock.h"
#include "loopback.h"
#include "notification_fixture.h"
#include "test.h"

#include <stdatomic.h>

#define HTTP11 "HTTP/1.1 "
#define CHUNKED "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* What ordinary and odd servers say, byte by byte. cut: the connection is closed behind it. */
static const struct wire_answer {
    const char *name, *bytes;
    bool cut;
    enum receiver_outcome outcome;
} answers[] = {
    { "200", HTTP11 "200 OK\r\nContent-Length: 2\r\n\r\nok", false, RECEIVER_SENT },
    { "200 and nothing", HTTP11 "200 OK\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_SENT },
    { "200 until closed", HTTP11 "200 OK\r\n\r\nok", true, RECEIVER_SENT },
    { "200 without reason", HTTP11 "200\r\nContent-Length: 2\r\n\r\nok", false, RECEIVER_SENT },
    { "201", HTTP11 "201 Created\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_SENT },
    { "202", HTTP11 "202 Accepted\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_SENT },
    { "204 bare", HTTP11 "204 No Content\r\n\r\n", false, RECEIVER_SENT },
    { "205", HTTP11 "205 Reset Content\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_SENT },
    { "HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok", true, RECEIVER_SENT },
    { "HTTP/1.0 and nothing", "HTTP/1.0 200 OK\r\n\r\n", true, RECEIVER_SENT },
    { "lines without CR", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", false, RECEIVER_SENT },
    { "100 first", HTTP11 "100 Continue\r\n\r\n" HTTP11 "202 OK\r\nContent-Length: 0\r\n\r\n",
      false, RECEIVER_SENT },
    { "103 first", HTTP11 "103 Early\r\nX: y\r\n\r\n" HTTP11 "204 OK\r\n\r\n", false,
      RECEIVER_SENT },
    { "103 and no more", HTTP11 "103 Early\r\n\r\n", true, RECEIVER_RETRY },
    { "101", HTTP11 "101 Switching Protocols\r\nUpgrade: x\r\n\r\n", true, RECEIVER_RETRY },
    { "chunked", HTTP11 CHUNKED "2\r\nok\r\n0\r\n\r\n", false, RECEIVER_SENT },
    { "chunks with extras", HTTP11 CHUNKED "2;a=b\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n", false,
      RECEIVER_SENT },
    { "chunks and a length",
      HTTP11
      "200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      false, RECEIVER_SENT },
    { "chunks cut off", HTTP11 CHUNKED "8\r\nok", true, RECEIVER_RETRY },
    { "chunks of noise", HTTP11 CHUNKED "zz\r\nok\r\n", true, RECEIVER_RETRY },
    { "cut off", HTTP11 "200 OK\r\nContent-Length: 100\r\n\r\nhalf", true, RECEIVER_RETRY },
    { "gzip that is none",
      HTTP11 "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", false,
      RECEIVER_SENT },
    { "closed at once", "", true, RECEIVER_RETRY },
    { "not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", true, RECEIVER_RETRY },
    { "300", HTTP11 "300 Choices\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_REFUSED },
    { "302", HTTP11 "302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", false,
      RECEIVER_REFUSED },
    { "304", HTTP11 "304 Not Modified\r\n\r\n", false, RECEIVER_REFUSED },
    { "401", HTTP11 "401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n", false,
      RECEIVER_RETRY },
    { "403", HTTP11 "403 No\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_RETRY },
    { "500", HTTP11 "500 Oops\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_RETRY },
    { "501", HTTP11 "501 What\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_RETRY },
    { "505", HTTP11 "505 Version\r\nContent-Length: 0\r\n\r\n", false, RECEIVER_RETRY },
    { "520 of a gateway", HTTP11 "520 Unknown\r\nContent-Length: 0\r\n\r\n", false,
      RECEIVER_RETRY },
    { "599", HTTP11 "599 x\r\nContent-Length: 0\r\n\r\n", true, RECEIVER_RETRY },
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    _Atomic(const struct wire_answer *) *now = context;
    const struct wire_answer *row = atomic_load(now);
    (void)request;
    if (row->cut)
        buf_char(out, LOOPBACK_CUT);
    buf_text(out, row->bytes);
}

/* One notification to a receiver at that address; what became of it. */
static struct delivery_attempt send_one(struct http_client *client,
                                        const struct receivers_config *receiver)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct receiver_context context = { .now = FIXTURE_AT, .name = "r" };
    struct notification notification;
    struct delivery_attempt attempt;
    fixture_notification(FIXTURE_FINDING, &arena, &notification);
    delivery_send(client, receiver, &context, &notification, &attempt);
    return attempt;
}

/* --- secrets in files ------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && !fclose(file));
}

/* Accepts the token that is good by now, refuses others with a status of its choice. */
struct gate {
    const char *good;
    int refusal;
};

static void guard(void *context, const struct loopback_request *request, struct buf *out)
{
    const struct gate *gate = context;
    bool good = strstr(request->head, gate->good) || strstr(request->path, gate->good);
    loopback_reply(out, good ? 202 : gate->refusal, "", "");
}

TEST(a_refused_secret_is_read_again)
{
    static const int refusals[] = { 401, 403, 404, 410 };
    struct gate gate = { .good = "first" };
    struct loopback *server = loopback_start(guard, &gate);
    struct http_client *client = http_client_create();
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        struct receivers_config webhook = { .name = "r", .webhook_line = 1 };
        char token[4200], url[4200], address[128];
        snprintf(token, sizeof token, "%s/token", test_folder());
        snprintf(url, sizeof url, "%s/url", test_folder());
        snprintf(address, sizeof address, "%s/hook\n", server->url);
        write_file(token, "first\n");
        write_file(url, address);
        CHECK(secret_read(&webhook.webhook.url, url, &error));
        CHECK(secret_read(&webhook.webhook.http.bearer_token, token, &error));
        webhook.webhook.http.allow_private = true;
        gate = (struct gate){ "first", refusals[i] };
        CHECK_INT(send_one(client, &webhook).verdict.outcome, RECEIVER_SENT);
        gate.good = "second";
        CHECK_INT(send_one(client, &webhook).status, refusals[i]); /* nothing is new */
        int before = loopback_requests(server);
        write_file(token, "\xef\xbb\xbfsecond \r\n");
        CHECK_INT(send_one(client, &webhook).verdict.outcome, RECEIVER_SENT);
        CHECK_INT(loopback_requests(server), before + 2);
        gate.good = "third"; /* the address itself is the secret */
        snprintf(address, sizeof address, "%s/third\n", server->url);
        write_file(url, address);
        CHECK_INT(send_one(client, &webhook).verdict.outcome, RECEIVER_SENT);
        secret_finish(&webhook.webhook.url);
        secret_finish(&webhook.webhook.http.bearer_token);
    }
    http_client_destroy(client);
    loopback_stop(server);
}

TEST(recipients_without_a_place_are_counted)
{
    char addresses[103][32];
    const char *to[ARRAY_COUNT(addresses)];
    struct receivers_config mail = { .name = "r", .email_line = 1 };
    struct http_client *client = http_client_create();
    for (size_t i = 0; i < ARRAY_COUNT(to); i++) { /* the first two are one */
        snprintf(addresses[i], sizeof addresses[i], "a%zu@x.example", i < 2 ? 0 : i);
        to[i] = addresses[i];
    }
    mail.email = (struct email_config){ .smarthost = "127.0.0.1:1",
                                        .from = "me@x.example",
                                        .to = { to, ARRAY_COUNT(to) },
                                        .tls = EMAIL_PLAIN,
                                        .allow_private = true };
    CHECK_INT(send_one(client, &mail).left_out, 2);
    http_client_destroy(client);
}

/* --- answers ---------------------------------------------------------------------------------- */

TEST(every_answer_of_a_server_has_its_verdict)
{
    _Atomic(const struct wire_answer *) now = NULL; /* a connection may still look at it */
    struct loopback *server = loopback_start(answer, &now);
    struct http_client *client = http_client_create();
    struct receivers_config webhook = { .name = "r", .webhook_line = 1 };
    struct receivers_config slack = { .name = "r", .slack_line = 1 };
    secret_set(&webhook.webhook.url, server->url);
    secret_set(&slack.slack.url, server->url);
    webhook.webhook.http.allow_private = slack.slack.http.allow_private = true;
    for (const struct wire_answer *row = answers; row < answers + ARRAY_COUNT(answers); row++) {
        atomic_store(&now, row);
        struct delivery_attempt attempt = send_one(client, &webhook);
        if (attempt.verdict.outcome != row->outcome)
            CHECK_TEXT(row->name, "webhook");
        if (row->outcome != RECEIVER_SENT && !*delivery_said(&attempt))
            CHECK_TEXT(row->name, "a reason");
        if (send_one(client, &slack).verdict.outcome != row->outcome)
            CHECK_TEXT(row->name, "slack");
    }
    http_client_destroy(client);
    loopback_stop(server);
    secret_finish(&webhook.webhook.url);
    secret_finish(&slack.slack.url);
}
